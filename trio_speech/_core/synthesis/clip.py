"""Puts the chunks of a synthesis together, without the audio that was handed over twice."""

from __future__ import annotations

from collections.abc import Iterable

from ...audio import AudioFormat
from ...events import AudioChunk, AudioClip, Word


class ClipBuilder:
    """Takes the chunks in order."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._audio = bytearray()
        self._words: list[Word] = []
        self._removed = 0.0

    def add(self, chunk: AudioChunk) -> None:
        """Takes the next chunk. What it says was torn is removed, because it is spoken again from here on."""
        before, self._removed = self._removed, self._removed + chunk.torn
        torn = self._format.samples(chunk.torn) * self._format.frame_size
        del self._audio[len(self._audio) - torn :]
        self._audio += chunk.audio
        for word in chunk.words:
            # A word that was aligned late lies before the audio that was removed.
            shift = self._removed if word.end > chunk.start else before
            self._words.append(Word(word.text, word.start - shift, word.end - shift, word.confidence, word.speaker))

    def clip(self) -> AudioClip:
        """All audio so far."""
        return AudioClip(bytes(self._audio), self._format, tuple(self._words))


def clip_of(chunks: Iterable[AudioChunk], audio_format: AudioFormat) -> AudioClip:
    """The clip that these chunks make."""
    builder = ClipBuilder(audio_format)
    for chunk in chunks:
        builder.add(chunk)
    return builder.clip()
