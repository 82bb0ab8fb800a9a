"""Counts the audio on a connection: the clock by which services give times."""

from __future__ import annotations

from ..audio import AudioFormat


class AudioClock:
    """The seconds of audio that went over one connection in one direction, filler included."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._bytes = 0

    def add(self, audio: bytes | memoryview) -> None:
        """Counts `audio`, which may end inside a sample."""
        self._bytes += len(audio)

    @property
    def now(self) -> float:
        """Seconds of audio so far, in whole samples."""
        return self._format.seconds(self._bytes // self._format.frame_size)

    def within(self, seconds: float) -> float:
        """Returns `seconds`, or the nearest time that the audio so far has: a service may round, or be wrong."""
        return min(max(0.0, seconds), self.now)
