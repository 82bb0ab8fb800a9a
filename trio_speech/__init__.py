"""Streaming speech-to-text and text-to-speech for trio, over websockets, without losing or repeating a word."""

from __future__ import annotations

from importlib import import_module as _import
from typing import TYPE_CHECKING

from ._core.provider.requests import FallbackModel
from ._shell.client import Client, open_client
from ._shell.recognition.transcript import Transcript
from ._shell.synthesis.speech import Speech
from .audio import AudioFormat
from .errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectFailed,
    InternalError,
    LinkError,
    PlaintextCredentialsWarning,
    ProtocolError,
    ProviderError,
    QuotaError,
    ReplayOverflow,
    RetriesExhausted,
    SpeechError,
)
from .events import (
    AudioChunk,
    AudioClip,
    FinalTranscript,
    Gap,
    InterimTranscript,
    LinkLost,
    PreflightTranscript,
    Recognition,
    Resumed,
    SpeechEnded,
    SpeechStarted,
    TranscriptEvent,
    TurnEnded,
    Word,
)
from .policy import LivenessPolicy, PoolPolicy, ReplayPolicy, RetryPolicy
from .providers._codec import Backend
from .statistics import PoolStatistics, SpeechStatistics, TranscriptStatistics

if TYPE_CHECKING:
    from .providers.cartesia import Cartesia
    from .providers.deepgram import Deepgram
    from .providers.elevenlabs import ElevenLabs
    from .providers.livekit import LiveKit
    from .providers.local import Local
    from .providers.openai import OpenAI

__version__ = "0.2.0.dev0"

__all__ = [
    "AudioChunk",
    "AudioClip",
    "AudioFormat",
    "AuthenticationError",
    "Backend",
    "Cartesia",
    "Client",
    "ConfigurationError",
    "ConnectFailed",
    "Deepgram",
    "ElevenLabs",
    "FallbackModel",
    "FinalTranscript",
    "Gap",
    "InterimTranscript",
    "InternalError",
    "LinkError",
    "LinkLost",
    "LiveKit",
    "LivenessPolicy",
    "Local",
    "OpenAI",
    "PlaintextCredentialsWarning",
    "PoolPolicy",
    "PoolStatistics",
    "PreflightTranscript",
    "ProtocolError",
    "ProviderError",
    "QuotaError",
    "Recognition",
    "ReplayOverflow",
    "ReplayPolicy",
    "Resumed",
    "RetriesExhausted",
    "RetryPolicy",
    "Speech",
    "SpeechEnded",
    "SpeechError",
    "SpeechStarted",
    "SpeechStatistics",
    "Transcript",
    "TranscriptEvent",
    "TranscriptStatistics",
    "TurnEnded",
    "Word",
    "open_client",
]

# A program uses one or two of these, and together they are half as many modules as all the rest.
_LOADED_WHEN_NAMED = {
    "Cartesia": "cartesia",
    "Deepgram": "deepgram",
    "ElevenLabs": "elevenlabs",
    "LiveKit": "livekit",
    "Local": "local",
    "OpenAI": "openai",
}


def __getattr__(name: str) -> object:
    if name not in _LOADED_WHEN_NAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(_import(f".providers.{_LOADED_WHEN_NAMED[name]}", __name__), name)
    globals()[name] = value  # from now on it is found without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
