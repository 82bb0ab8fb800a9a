from __future__ import annotations

from trio_speech.audio import AudioFormat
from trio_speech.providers._clock import AudioClock


def test_it_tells_the_seconds_of_audio_in_whole_samples() -> None:
    clock = AudioClock(AudioFormat.pcm16(8_000, 2))
    assert clock.now == 0.0
    clock.add(bytes(4 * 800 + 3))
    assert clock.now == 0.1
    clock.add(memoryview(bytes(1)))
    assert clock.now == 801 / 8_000


def test_a_time_outside_of_the_audio_becomes_the_nearest_inside() -> None:
    clock = AudioClock(AudioFormat.mulaw())
    clock.add(bytes(8_000))
    assert [clock.within(time) for time in (-0.1, 0.4, 1.0, 1e9)] == [0.0, 0.4, 1.0, 1.0]
