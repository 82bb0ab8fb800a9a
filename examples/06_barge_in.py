"""Barge-in: as soon as somebody speaks, the agent falls silent, and knows how far it had come."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import trio

import trio_speech as ts

RECORDING = Path(__file__).with_name("recording.wav")
FORMAT = ts.AudioFormat.pcm16(16_000)
STORY = "There are seven days in a week. " * 20


class Loudspeaker:
    """Stands in for a real one: it takes as long to play a chunk as the chunk lasts."""

    played = 0.0

    async def play(self, speech: ts.Speech) -> None:
        async for chunk in speech:
            seconds = len(chunk.audio) / 48_000  # 16 bits at 24 kHz
            await trio.sleep(seconds)
            self.played = chunk.start + seconds


async def microphone(loudspeaker: Loudspeaker) -> AsyncIterator[bytes]:
    """Stands in for a real one: somebody listens for three seconds, then interrupts."""
    while loudspeaker.played < 3:
        yield bytes(FORMAT.samples(0.05) * FORMAT.frame_size)
        await trio.sleep(0.05)
    with wave.open(str(RECORDING)) as recording:
        while audio := recording.readframes(FORMAT.samples(0.05)):
            yield audio
            await trio.sleep(0.05)


async def main() -> None:
    loudspeaker = Loudspeaker()
    async with (
        ts.open_client(ts.Local()) as client,
        client.transcribe(microphone(loudspeaker), FORMAT) as transcript,
        client.synthesize(STORY) as speech,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(loudspeaker.play, speech)
        async for event in transcript:
            match event:
                case ts.SpeechStarted():
                    speech.clear()
                    print(f"interrupted after: {speech.spoken(at=loudspeaker.played)}")
                case ts.FinalTranscript(text=text):
                    print(f"heard: {text}")
                    break
                case _:
                    pass


trio.run(main)
