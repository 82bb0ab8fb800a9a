"""Streaming speech-to-text and text-to-speech for trio, over websockets, without losing or repeating a word."""

from __future__ import annotations

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
from .providers.cartesia import Cartesia
from .providers.deepgram import Deepgram
from .providers.elevenlabs import ElevenLabs
from .providers.livekit import LiveKit
from .providers.local import Local
from .providers.openai import OpenAI
from .statistics import PoolStatistics, SpeechStatistics, TranscriptStatistics

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
