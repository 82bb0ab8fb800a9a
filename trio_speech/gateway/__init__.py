"""The embedded speech gateway: a service with real engines on this machine, or with engines of your own.

It speaks the LiveKit inference wire, so any client of that protocol can use it. `Local()` opens it inside the program;
``trio-speech serve`` is `serve` on the command line. See `engines` for what an engine is.
"""

from __future__ import annotations

from .engines import (
    Busy,
    Declined,
    EngineFailed,
    Final,
    Finalized,
    HeardWord,
    Hearing,
    Hypothesis,
    Manner,
    Onset,
    Recogniser,
    RecogniserSession,
    Result,
    Speech,
    SpokenWord,
    Voice,
)
from .local import LocalRecogniser, LocalVoice, open_recogniser, open_voice
from .server import Gateway, open_gateway, open_local_gateway, serve

__all__ = [
    "Busy",
    "Declined",
    "EngineFailed",
    "Final",
    "Finalized",
    "Gateway",
    "HeardWord",
    "Hearing",
    "Hypothesis",
    "LocalRecogniser",
    "LocalVoice",
    "Manner",
    "Onset",
    "Recogniser",
    "RecogniserSession",
    "Result",
    "Speech",
    "SpokenWord",
    "Voice",
    "open_gateway",
    "open_local_gateway",
    "open_recogniser",
    "open_voice",
    "serve",
]
