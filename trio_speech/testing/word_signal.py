"""Audio that encodes its own words, so that a test can prove a word lost or doubled.

Silence is silence, and each sample of a word says which word it belongs to, and where in it. A stretch that is cut
anywhere can therefore be decoded, to the sample. Where samples are missing or repeated, the position jumps and the word
decodes as several pieces. The pieces of a cut word have each of its letters exactly once between them.

There are two such signals: one for PCM (`wide_signal`), and one that survives a telephone (`telephone_signal`), which
is always used in μ-law and A-law. In PCM, the decoder finds out which of the two it is. All channels hold the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from ..audio.formats import AudioFormat
from .telephone_signal import TelephoneSignal, telephone_signal
from .wide_signal import WideSignal

PCM16 = AudioFormat.pcm16(16_000)
Band: TypeAlias = Literal["wide", "telephone"]
"""Which signal PCM is written in: ``"telephone"`` survives a conversion to μ-law or A-law and back."""

_Signal: TypeAlias = WideSignal | TelephoneSignal
_WIDE = WideSignal()
_NOT_NEGATIVE = bytes(range(0x80)) + b"\xff"
"""High bytes of values from -256 up; `telephone_signal` uses others, `wide_signal` only these."""
_PIECE = re.compile(rb"W[il]*E?|[il]+E?|E")


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
        """Whether the word was decoded from its first sample to its last."""
        return self.onset and self.offset

    @property
    def token(self) -> str:
        """The word as the scripted recognizer writes it: with a dash where it was cut (``"-ning"``, ``"mor-"``)."""
        return f"{'' if self.onset else '-'}{self.text}{'' if self.offset else '-'}"


def word_audio(text: str, samples: int, audio_format: AudioFormat = PCM16, band: Band = "wide") -> bytes:
    """Returns `text`, one word, as `samples` samples of audio. `band` makes a difference for PCM only.

    Raises `ValueError` if `text` is not one word, or has too many letters for so few samples.
    """
    letters = text.encode()
    if not letters or 0 in letters or len(text.split()) != 1 or text != text.strip():
        raise ValueError(f"text must be one word without spaces or NUL characters, not {text!r}")
    signal = _signal(audio_format) if band == "wide" else telephone_signal(audio_format.encoding)
    least = signal.shortest_letter * len(letters)
    if samples < least:
        raise ValueError(f"{text!r} needs {least} samples or more, not {samples}")
    return _spread(signal.write(letters, samples), signal.value_size, audio_format.channels)


def silence(samples: int, audio_format: AudioFormat = PCM16) -> bytes:
    """`samples` samples of silence."""
    return _signal(audio_format).silence * (samples * audio_format.channels)


def _signal(audio_format: AudioFormat) -> _Signal:
    return _WIDE if audio_format.encoding == "pcm_s16le" else telephone_signal(audio_format.encoding)


def hear(audio: bytes | bytearray | memoryview, start: int = 0, audio_format: AudioFormat = PCM16) -> list[AudibleWord]:
    """All words and pieces of words in `audio`. `start`: the number of its first sample."""
    decoder = WordDecoder(start, audio_format)
    words = decoder.hear(audio)
    return words if decoder.pending is None else [*words, decoder.pending]


class WordDecoder:
    """Decodes audio that comes piece by piece. The words do not depend on where the pieces were cut."""

    def __init__(self, position: int = 0, audio_format: AudioFormat = PCM16) -> None:
        self.position = position
        """The number of the next sample."""
        self.pending: AudibleWord | None = None
        """The word in progress, as far as it has been decoded."""
        self._format = audio_format
        self._signal = _signal(audio_format)
        self._held = b""

    def hear(self, audio: bytes | bytearray | memoryview) -> list[AudibleWord]:
        """Decodes the next piece. Returns the words that end in it; see `pending` for the one in progress.

        Raises `ValueError` if it is not a whole number of samples.
        """
        if len(audio) % self._format.frame_size:
            raise ValueError(f"audio must hold whole samples of {self._format}, not {len(audio)} bytes")
        size = self._signal.value_size
        # The word in progress is decoded again from its start, so that its pieces need not be joined.
        first = self.position - len(self._held) // size
        heard = self._held + _first_channel(audio, size, self._format.channels)
        self.position += len(audio) // self._format.frame_size
        if not heard.strip(self._signal.silence):
            return []
        if self._signal is _WIDE and _holds_telephone_signal(heard):
            self._signal = telephone_signal("pcm_s16le")
        words = list(_words(self._signal, heard, first))
        self.pending = None
        if words and words[-1].end == self.position and not words[-1].offset:
            self.pending = words.pop()
        self._held = heard[size * (self.pending.start - first) :] if self.pending else self._undecided(heard)
        return words

    def _undecided(self, heard: bytes) -> bytes:
        """Returns the last samples if they may begin the telephone signal in PCM: it takes three to tell."""
        tail = heard[-4:]
        return tail if self._signal is _WIDE and tail[1::2].translate(None, _NOT_NEGATIVE) else b""

    def cut(self) -> AudibleWord | None:
        """Ends the word in progress and returns it; its remaining samples become a piece of their own."""
        word, self.pending, self._held = self.pending, None, b""
        return word


def _holds_telephone_signal(pcm: bytes) -> bool:
    """Whether `pcm` holds a word in the telephone signal: three samples in a row that fit together.

    Single negative values are not enough, because noise has them too.
    """
    if not pcm[1::2].translate(None, _NOT_NEGATIVE):
        return False
    return any(word.end - word.start > 2 for word in _words(telephone_signal("pcm_s16le"), pcm, 0))


def _words(signal: _Signal, audio: bytes, first: int) -> Iterator[AudibleWord]:
    reading = signal.read(audio)
    for run in _PIECE.finditer(reading.marks):
        for start, end in _unbroken(reading.phases, signal.period, *run.span()):
            letters = (at for at in range(start, end) if reading.marks[at] in signal.letter_marks)
            text = bytes(signal.letter(reading, at, start, end) for at in letters)
            yield AudibleWord(
                text.decode(errors="replace"),
                first + start,
                first + end,
                onset=reading.marks[start : start + 1] == b"W",
                offset=reading.marks[end - 1 : end] == b"E",
            )


def _unbroken(phases: bytes, period: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        upto = start + _agreement(phases[start:end], period)
        yield start, upto
        start = upto


def _agreement(phases: bytes, period: int) -> int:
    """Returns how many phases, from the first one on, follow one another without a jump."""
    skip = phases[0]
    expected = (bytes(range(period)) * (len(phases) // period + 2))[skip : skip + len(phases)]
    if phases == expected:
        return len(phases)
    return next(at for at, (one, other) in enumerate(zip(phases, expected, strict=True)) if one != other)


def _spread(mono: bytes, size: int, channels: int) -> bytes:
    """The same values in each of the interleaved channels."""
    if channels == 1:
        return mono
    return b"".join(mono[at : at + size] * channels for at in range(0, len(mono), size))


def _first_channel(audio: bytes | bytearray | memoryview, size: int, channels: int) -> bytes:
    if channels == 1:
        return bytes(audio)
    mono = bytearray(len(audio) // channels)
    for byte in range(size):
        mono[byte::size] = bytes(audio)[byte :: size * channels]
    return bytes(mono)
