"""Joins the chunks of a synthesis to one clip, without the audio that was spoken twice."""

from __future__ import annotations

from collections.abc import Iterable

from ...audio import AudioFormat
from ...events import AudioChunk, AudioClip, Word


class ClipBuilder:
    """Collects chunks, which must be added in order."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._audio = bytearray()
        self._words: list[Word] = []
        self._removed = 0.0

    def add(self, chunk: AudioChunk) -> None:
        """Adds the next chunk. Removes as much audio before it as it tells torn, since it speaks that again."""
        before, self._removed = self._removed, self._removed + chunk.torn
        torn = self._format.samples(chunk.torn) * self._format.frame_size
        del self._audio[len(self._audio) - torn :]
        self._audio += chunk.audio
        for word in chunk.words:
            # A word that was aligned late lies before the audio that was removed.
            shift = self._removed if word.end > chunk.start else before
            self._words.append(Word(word.text, word.start - shift, word.end - shift, word.confidence, word.speaker))

    def clip(self) -> AudioClip:
        """Returns all audio and words so far. The words' times are in seconds of the clip."""
        return AudioClip(bytes(self._audio), self._format, tuple(self._words))


def clip_of(chunks: Iterable[AudioChunk], audio_format: AudioFormat) -> AudioClip:
    """Returns the clip that these chunks make."""
    builder = ClipBuilder(audio_format)
    for chunk in chunks:
        builder.add(chunk)
    return builder.clip()
