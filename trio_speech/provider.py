"""All that a backend of your own needs, and nothing else.

A backend makes this library speak the protocol of one service. It consists of

1. a *backend*: a frozen value that the user makes and gives to `trio_speech.open_client`; see `Backend`;
2. a *recognizer* or a *voice*, which the backend makes for one request: it knows the address, the handshake and the
   profile; see `SttProvider` and `TtsProvider`;
3. a *codec*, which that makes for each connection: it turns requests into frames, and frames into messages, and does no
   I/O; it inherits from `SttCodec` or `TtsCodec`, and has the methods for which the service has messages;
4. a *profile*: what the service is like, as data; see `SttProfile` and `TtsProfile`.

The sessions do the rest: they dial, keep the connection alive, send audio again after a drop, and remove words that
come twice. How well they do it depends on the truth of the profile and of the messages, so err on the side that loses
nothing: where you do not know whether a service's times are exact, say that they are not.

A codec that follows the laws in the docstrings of `SttCodec` and `TtsCodec` is enough;
`trio_speech.testing.check_provider` checks them. The backends of this library are made of the same names, and
``examples/a_provider_of_your_own.py`` is a complete backend.
"""

from __future__ import annotations

from ._core.provider.messages import (
    Acknowledged,
    Aligned,
    Audio,
    Closed,
    Done,
    Failure,
    FinalizeAnswered,
    Going,
    Opened,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    SttMessage,
    TtsMessage,
    TurnOver,
    Unheard,
    Unknown,
)
from ._core.provider.profile import CLOSE_FATES, Acknowledgment, Fate, SttProfile, TtsProfile
from ._core.provider.requests import Change, FallbackModel, SynthesizeRequest, TranscribeRequest
from .providers._accept import accept_format, accept_options, refuse_fallback, refuse_options, refuse_unused
from .providers._codec import (
    Backend,
    Connector,
    Dial,
    Frame,
    NeedsNewLink,
    SttCodec,
    SttProvider,
    TokenProvider,
    TtsCodec,
    TtsProvider,
)
from .providers._handshake import api_key, authorization, user_agent, websocket_base
from .providers._json import Seconds, TaggedUnion
from .providers._language import normalize_language
from .providers._words import span, timed_word

__all__ = [
    "CLOSE_FATES",
    "Acknowledged",
    "Acknowledgment",
    "Aligned",
    "Audio",
    "Backend",
    "Change",
    "Closed",
    "Connector",
    "Dial",
    "Done",
    "Failure",
    "FallbackModel",
    "Fate",
    "FinalizeAnswered",
    "Frame",
    "Going",
    "NeedsNewLink",
    "Opened",
    "RecognitionResult",
    "Seconds",
    "SpeechOnset",
    "SpeechOver",
    "SttCodec",
    "SttMessage",
    "SttProfile",
    "SttProvider",
    "SynthesizeRequest",
    "TaggedUnion",
    "TokenProvider",
    "TranscribeRequest",
    "TtsCodec",
    "TtsMessage",
    "TtsProfile",
    "TtsProvider",
    "TurnOver",
    "Unheard",
    "Unknown",
    "accept_format",
    "accept_options",
    "api_key",
    "authorization",
    "normalize_language",
    "refuse_fallback",
    "refuse_options",
    "refuse_unused",
    "span",
    "timed_word",
    "user_agent",
    "websocket_base",
]
