"""Encodes words in 16-bit PCM that is not converted: each sample holds its letter and its position in the word.

    low byte    one letter (a UTF-8 byte) of the word; the letters share the word's length evenly
    high byte   bits 5-6: a mark (inside a letter, first of a letter, first of the word, last of the word)
                bits 0-4: 1 + (position in the word modulo 31)

A letter belongs to the piece that holds its first sample.
"""

from __future__ import annotations

from msgspec import Struct

_PERIOD = 31  # prime, and no usual chunk size is a multiple: a repeated chunk never fits the position by chance
_PHASES = bytes(range(1, _PERIOD + 1))
_LETTER, _WORD, _LAST = 0x20, 0x40, 0x60
_MARKS = bytes(b"ilWE"[high >> 5] if high < 0x80 and high & 0x1F else ord(".") for high in range(256))
_PHASE_OF = bytes((high - 1) & 0x1F for high in range(256))


class SignalReading(Struct, frozen=True):
    """What each sample of a piece of audio says: one byte a sample in each field.

    `marks`: ``W`` first of a word, ``E`` last of a word, ``l`` the mark of a letter, ``i`` another sample of a word,
    ``.`` none of a word. `phases`: the position in the word, modulo the signal's period. `data`: the signal's own.
    """

    marks: bytes
    phases: bytes
    data: bytes


class WideSignal:
    """Encodes and decodes words in 16-bit PCM. See the module."""

    value_size = 2
    """Bytes a value."""
    silence = b"\0\0"
    period = _PERIOD
    shortest_letter = 2
    """Samples."""
    letter_marks = b"Wl"
    """The marks of a sample that stands for a letter."""

    def write(self, letters: bytes, samples: int) -> bytes:
        """Returns a word, given as UTF-8, as `samples` samples."""
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

    def read(self, audio: bytes) -> SignalReading:
        """Decodes each sample of `audio`."""
        high = audio[1::2]
        return SignalReading(high.translate(_MARKS), high.translate(_PHASE_OF), audio[0::2])

    def letter(self, reading: SignalReading, at: int, _start: int, _end: int) -> int:
        """Returns the letter whose mark is at sample `at`. The bounds of the piece make no difference here."""
        return reading.data[at]
