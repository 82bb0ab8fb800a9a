"""The second voice: eSpeak NG with its Klatt synthesizer, called by ctypes.

Equal texts give equal samples: flutter, which varies the pitch from call to call, is off, and the added noise is
always the same. The library has global state, is not thread-safe, and is under the GPL: it runs in a worker process.
"""

from __future__ import annotations

import contextlib
import ctypes
import tempfile
from array import array
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import espeakng_loader

from .playback import Utterance
from .word_alignment import WordMark, align

RATE = 22_050

_WORDS_A_MINUTE = 195
_LONGEST = 120  # seconds of speech after which the library is stopped: no text may take memory without bound
_NOISE_DEVIATION = 30.0  # of 32,768, that is -61 dBFS: without it, a recognizer makes three times as many mistakes

_SYNCHRONOUS, _DONT_EXIT, _UTF_8, _BY_CHARACTER = 2, 0x8000, 1, 1
_EVENTS_END, _EVENT_WORD = 0, 1
_PARAMETER_RATE = 1
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


class EspeakEngine:
    """The library in this process. Create only one."""

    def __init__(self) -> None:
        """Raises `OSError` when the library or its data cannot be loaded."""
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = Path(espeakng_loader.get_data_path())
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, str(data.parent).encode(), _DONT_EXIT)
        if rate != RATE:
            raise OSError(f"eSpeak did not start: it answered {rate} to the data in {data}")
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)
        self._samples = array("h")
        self._marks: list[WordMark] = []
        self._select(data)

    def speak(self, text: str, speed: float) -> Utterance:
        """Speaks one or two sentences. `speed`: relative to the voice's own pace, which is 1."""
        self._library.espeak_SetParameter(_PARAMETER_RATE, round(_WORDS_A_MINUTE * speed), 0)
        self._samples, self._marks = array("h"), []
        encoded = text.encode() + b"\0"
        self._library.espeak_Synth(encoded, len(encoded), 0, _BY_CHARACTER, 0, _UTF_8, None, None)
        return Utterance(_with_noise(self._samples), RATE, align(text, self._samples, self._marks))

    def _select(self, data: Path) -> None:
        base = (data / "lang" / "gmw" / "en-US").read_text(encoding="utf-8")
        # A relative path, because one of more than 59 bytes is refused.
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            Path("voice").write_text(f"{base}\nklatt 5\nflutter 0\n", encoding="utf-8")
            if self._library.espeak_SetVoiceByFile(b"voice") != 0:
                raise OSError("eSpeak refused the voice")

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if count:
            self._samples.frombytes(ctypes.string_at(samples, 2 * count))
        index = 0
        while (event := events[index]).type != _EVENTS_END:
            if event.type == _EVENT_WORD:
                self._marks.append(WordMark(event.sample, event.text_position - 1))
            index += 1
        return _GO_ON if len(self._samples) < _LONGEST * RATE else _ABORT


def _with_noise(samples: array[int]) -> array[int]:
    noisy = (sample + hiss for sample, hiss in zip(samples, cycle(_noise()), strict=False))
    return array("h", [min(32_767, max(-32_768, sample)) for sample in noisy])


@lru_cache(maxsize=1)
def _noise() -> list[int]:
    draw = Random(1)  # noqa: S311  # must be the same each time
    return [round(draw.gauss(0.0, _NOISE_DEVIATION)) for _ in range(3 * RATE)]
