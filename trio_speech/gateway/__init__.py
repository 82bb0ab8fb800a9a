"""The embedded speech gateway: a speech service on this machine, with the built-in engines or your own.

It speaks the LiveKit inference protocol, so any client of that protocol can use it. `Local()` opens it inside the
program; ``trio-speech serve`` runs `serve`. The module `engines` defines what an engine is.
"""

from __future__ import annotations

from .builtin.chosen_engine import open_recognizer, open_voice
from .builtin.process_engines import LocalVoice, PocketSphinxRecognizer
from .builtin.thread_recognizer import LocalRecognizer
from .engines import (
    Busy,
    Declined,
    EngineFailed,
    Final,
    Finalized,
    HeardWord,
    Hypothesis,
    Onset,
    RecognitionOptions,
    Recognizer,
    RecognizerSession,
    Result,
    SpeechAudio,
    SpokenWord,
    SynthesisOptions,
    Voice,
)
from .server.server import Gateway, open_gateway, open_local_gateway, serve

__all__ = [
    "Busy",
    "Declined",
    "EngineFailed",
    "Final",
    "Finalized",
    "Gateway",
    "HeardWord",
    "Hypothesis",
    "LocalRecognizer",
    "LocalVoice",
    "Onset",
    "PocketSphinxRecognizer",
    "RecognitionOptions",
    "Recognizer",
    "RecognizerSession",
    "Result",
    "SpeechAudio",
    "SpokenWord",
    "SynthesisOptions",
    "Voice",
    "open_gateway",
    "open_local_gateway",
    "open_recognizer",
    "open_voice",
    "serve",
]
