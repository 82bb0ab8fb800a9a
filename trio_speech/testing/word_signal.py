"""Audio that encodes its own words, so that a test can prove a word lost or doubled.

Silence is zeros. A word is a run of 16-bit samples. Each sample holds

    low byte    one letter (a UTF-8 byte) of the word; the letters share the word's length evenly
    high byte   bits 5-6: a mark (inside a letter, first of a letter, first of the word, last of the word)
                bits 0-4: 1 + (position in the word modulo 31)

A stretch that is cut anywhere can therefore be decoded, to the sample. Where samples are missing or repeated, the
position jumps and the word decodes as several pieces. A letter belongs to the piece that holds its first sample, so
the pieces of a cut word have each of its letters exactly once between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_PERIOD = 31  # prime, and no usual chunk size is a multiple: a repeated chunk never fits the position by chance
_PHASES = bytes(range(1, _PERIOD + 1))
_LETTER, _WORD, _LAST = 0x20, 0x40, 0x60
_MARKS = bytes(b"ilWE"[high >> 5] if high < 0x80 and high & 0x1F else ord(".") for high in range(256))
_PHASE_OF = bytes(high & 0x1F for high in range(256))
_PIECE = re.compile(rb"W[il]*E?|[il]+E?|E")
_ONSET = re.compile(rb"[Wl]")


class AudibleWord(Struct, frozen=True):
    """A word in audio, from sample `start` up to but not including sample `end`.

    `onset` and `offset`: its first and its last sample are in the audio. `text`: the letters that are in the audio.
    """

    text: str
    start: int
    end: int
    onset: bool = True
    offset: bool = True

    @property
    def whole(self) -> bool:
        """The word was decoded from its first sample to its last."""
        return self.onset and self.offset

    @property
    def token(self) -> str:
        """The word as the scripted recognizer writes it: with a dash where it was cut (``"-ning"``, ``"mor-"``)."""
        return f"{'' if self.onset else '-'}{self.text}{'' if self.offset else '-'}"


def word_audio(text: str, samples: int) -> bytes:
    """`text`, one word, as `samples` samples of PCM16.

    Raises `ValueError` if `text` is not one word, or has more than one letter for every two samples.
    """
    letters = text.encode()
    if not letters or 0 in letters or len(text.split()) != 1 or text != text.strip():
        raise ValueError(f"text must be one word without spaces or NUL characters, not {text!r}")
    if samples < 2 * len(letters):
        raise ValueError(f"{text!r} needs {2 * len(letters)} samples or more, not {samples}")
    onsets = [index * samples // len(letters) for index in range(len(letters) + 1)]
    high = bytearray((_PHASES * (samples // _PERIOD + 1))[:samples])
    for onset in onsets[1:-1]:
        high[onset] |= _LETTER
    high[0] |= _WORD
    high[-1] |= _LAST
    audio = bytearray(2 * samples)
    audio[0::2] = b"".join(
        bytes([letter]) * (end - start) for letter, start, end in zip(letters, onsets, onsets[1:], strict=False)
    )
    audio[1::2] = high
    return bytes(audio)


def silence(samples: int) -> bytes:
    """`samples` samples of silence."""
    return bytes(2 * samples)


def hear(audio: bytes | bytearray | memoryview, start: int = 0) -> list[AudibleWord]:
    """All words and pieces of words in PCM16 `audio`. `start`: the number of its first sample."""
    decoder = WordDecoder(start)
    words = decoder.hear(audio)
    return words if decoder.pending is None else [*words, decoder.pending]


class WordDecoder:
    """Decodes audio that comes piece by piece. The words do not depend on where the pieces were cut."""

    def __init__(self, position: int = 0) -> None:
        self.position = position
        """The number of the next sample."""
        self.pending: AudibleWord | None = None
        """The word in progress, as far as it has been decoded."""
        self._held = b""

    def hear(self, audio: bytes | bytearray | memoryview) -> list[AudibleWord]:
        """The words that end in this piece. Raises `ValueError` if it is not a whole number of samples."""
        if len(audio) % 2:
            raise ValueError(f"audio must hold whole 16-bit samples, and {len(audio)} bytes are an odd number")
        # The word in progress is decoded again from its start: its pieces need not be joined, whatever the cuts were.
        first = self.position - len(self._held) // 2
        heard = self._held + bytes(audio)
        self.position += len(audio) // 2
        if not heard.strip(b"\0"):
            return []
        words = list(_words(heard, first))
        self.pending = None
        if words and words[-1].end == self.position and not words[-1].offset:
            self.pending = words.pop()
        self._held = heard[2 * (self.pending.start - first) :] if self.pending else b""
        return words

    def cut(self) -> AudibleWord | None:
        """Ends the word in progress and returns it; its remaining samples become a piece of their own."""
        word, self.pending, self._held = self.pending, None, b""
        return word


def _words(audio: bytes, first: int) -> Iterator[AudibleWord]:
    letters, high = audio[0::2], audio[1::2]
    marks, phases = high.translate(_MARKS), high.translate(_PHASE_OF)
    for run in _PIECE.finditer(marks):
        for start, end in _unbroken(phases, *run.span()):
            heard = bytes(letters[found.start()] for found in _ONSET.finditer(marks, start, end))
            yield AudibleWord(
                heard.decode(errors="replace"),
                first + start,
                first + end,
                onset=marks[start : start + 1] == b"W",
                offset=marks[end - 1 : end] == b"E",
            )


def _unbroken(phases: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        upto = start + _agreement(phases[start:end])
        yield start, upto
        start = upto


def _agreement(phases: bytes) -> int:
    """How many positions, from the first one on, are consecutive."""
    skip = phases[0] - 1
    expected = (_PHASES * (len(phases) // _PERIOD + 2))[skip : skip + len(phases)]
    if phases == expected:
        return len(phases)
    return next(at for at, (one, other) in enumerate(zip(phases, expected, strict=True)) if one != other)
