"""The built-in voice: eSpeak NG, by ctypes, with the Klatt synthesizer, whose speech a recogniser understands best.

Flutter, which varies the pitch from call to call, is off: equal text gives equal samples.

The library is neither thread-safe nor free of global state, and under the GPL: a process of its own runs this.
"""

from __future__ import annotations

import contextlib
import ctypes
import tempfile
from array import array
from pathlib import Path
from typing import Any, NamedTuple

from .engines import Declined

VOICES = ("klatt", "klatt2", "klatt3", "klatt4", "klatt5")
RATE = 22_050
WORDS_A_MINUTE = range(80, 451)
PITCHES = range(100)
LONGEST = 120
"""Seconds after which speaking is broken off, whatever the text."""

_SYNCHRONOUS, _DONT_EXIT, _UTF_8, _BY_CHARACTER = 2, 0x8000, 1, 1
_EVENTS_END, _EVENT_WORD = 0, 1
_PARAMETER_RATE, _PARAMETER_PITCH = 1, 3
_GO_ON, _ABORT = 0, 1


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Utterance(NamedTuple):
    """Samples at `RATE`, and the marks: from which sample on the character at which index of the text is spoken."""

    samples: array[int]
    marks: list[tuple[int, int]]


class Mouth:
    """eSpeak in this process: make one only."""

    def __init__(self) -> None:
        """Raises `OSError` where the library or its data cannot be loaded."""
        import espeakng_loader  # noqa: PLC0415  # the gateway's own process reads this module for the names above

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._data = Path(espeakng_loader.get_data_path())
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, str(self._data.parent).encode(), _DONT_EXIT)
        if rate != RATE:
            raise OSError(f"eSpeak did not start: it answered {rate} to the data in {self._data}")
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)
        self._spoken = Utterance(array("h"), [])
        self._voice = ""

    def speak(self, text: str, *, voice: str, words_a_minute: int, pitch: int) -> Utterance:
        """Speak `text`, of a few hundred characters: that makes tens of seconds of audio in tens of milliseconds.

        Raises `Declined` for a voice that it has not, and for a speed or a pitch out of range.
        """
        _check("speed", words_a_minute, WORDS_A_MINUTE)
        _check("pitch", pitch, PITCHES)
        self._select(voice)
        self._library.espeak_SetParameter(_PARAMETER_RATE, words_a_minute, 0)
        self._library.espeak_SetParameter(_PARAMETER_PITCH, pitch, 0)
        self._spoken = Utterance(array("h"), [])
        encoded = text.encode() + b"\0"
        self._library.espeak_Synth(encoded, len(encoded), 0, _BY_CHARACTER, 0, _UTF_8, None, None)
        return self._spoken

    def _select(self, voice: str) -> None:
        if voice == self._voice:
            return
        if voice not in VOICES:
            raise Declined(f"voice {voice!r} is not one of {', '.join(VOICES)}")
        base = (self._data / "lang" / "gmw" / "en-US").read_text(encoding="utf-8")
        number = voice.removeprefix("klatt") or "1"
        # By a relative path: one of more than 59 bytes is refused.
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            Path("voice").write_text(f"{base}\nklatt {number}\nflutter 0\n", encoding="utf-8")
            if self._library.espeak_SetVoiceByFile(b"voice") != 0:
                raise OSError(f"eSpeak refused the voice {voice!r}")
        self._voice = voice

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if count:
            self._spoken.samples.frombytes(ctypes.string_at(samples, 2 * count))
        index = 0
        while (event := events[index]).type != _EVENTS_END:
            if event.type == _EVENT_WORD:
                self._spoken.marks.append((event.sample, event.text_position - 1))
            index += 1
        return _GO_ON if len(self._spoken.samples) < LONGEST * RATE else _ABORT


def _check(name: str, value: int, allowed: range) -> None:
    if value not in allowed:
        raise Declined(f"{name} {value} is not a whole number from {allowed.start} to {allowed.stop - 1}")
