"""The `LiveKit` backend, and the two providers that come of it and of every server of the same wire."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ...errors import ConfigurationError
from .._accept import accept_format
from .._codec import Dial, TokenProvider
from .._handshake import websocket_base
from . import stt, tts, wire
from .auth import Credentials, dial, find_base, find_credentials, given_credentials
from .models import split_model, stt_profile, tts_profile


class LiveKitRecognizer(Struct, frozen=True):
    """See `SttProvider`."""

    endpoint: str
    url: str
    credentials: Credentials | None
    profile: SttProfile
    request: TranscribeRequest
    opening: str
    kind: type[stt.LiveKitSttCodec]

    async def dial(self) -> Dial:
        return await dial(self.url, self.credentials)

    def codec(self) -> stt.LiveKitSttCodec:
        return self.kind(self.request, self.opening)


class LiveKitVoice(Struct, frozen=True):
    """See `TtsProvider`. Connections are shared where all that was said when they were opened is equal."""

    endpoint: str
    url: str
    credentials: Credentials | None
    profile: TtsProfile
    created: wire.TtsCreate
    opening: str

    @property
    def pool_key(self) -> object:
        return (self.url, self.credentials, self.opening)

    async def dial(self) -> Dial:
        return await dial(self.url, self.credentials)

    def codec(self) -> tts.LiveKitTtsCodec:
        return tts.LiveKitTtsCodec(self.created, self.opening, spaced=self.profile.spaced_words)


def recognizer(
    base: str,
    credentials: Credentials | None,
    request: TranscribeRequest,
    profile: SttProfile,
    kind: type[stt.LiveKitSttCodec] = stt.LiveKitSttCodec,
) -> LiveKitRecognizer:
    """`kind` is the codec of each connection. Raises `ConfigurationError` where a service of this profile cannot serve
    the request.
    """
    model, _ = split_model(request.model)
    accept_format(request.audio_format, profile, model=model)
    opening = _opening(stt.creation(request), model)
    endpoint = f"{base}/stt"
    return LiveKitRecognizer(endpoint, _address(endpoint, model), credentials, profile, request, opening, kind)


def voice(
    base: str, credentials: Credentials | None, request: SynthesizeRequest, profile: TtsProfile | None = None
) -> LiveKitVoice:
    """`profile` is the models' own, where none is given. Raises `ConfigurationError` where a service of this profile
    cannot serve the request.
    """
    created = tts.creation(request)
    profile = profile or tts_profile(tts.models(created))
    model = created.model or None
    accept_format(request.audio_format, profile, model=model)
    endpoint = f"{base}/tts"
    return LiveKitVoice(endpoint, _address(endpoint, model), credentials, profile, created, _opening(created, model))


def _opening(creation: wire.SttCreate | wire.TtsCreate, model: str | None) -> str:
    try:
        return wire.encode(creation)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"the request cannot be put into JSON: {error}", model=model) from error


@lru_cache(maxsize=64)  # a session each, of few models
def _address(endpoint: str, model: str | None) -> str:
    return f"{endpoint}?model={quote(model, safe='')}" if model else endpoint


class LiveKit(Struct, frozen=True):
    """The LiveKit inference gateway: many providers' models behind one wire.

    `url` is the base address of the gateway; without it ``LIVEKIT_INFERENCE_URL``, else production (staging where
    ``LIVEKIT_URL`` is on staging). `api_key` and `api_secret` come as a pair; without them
    ``LIVEKIT_INFERENCE_API_KEY`` and ``LIVEKIT_INFERENCE_API_SECRET``, else ``LIVEKIT_API_KEY`` and
    ``LIVEKIT_API_SECRET``. An empty variable counts as unset. `api_key` may be an async callable that returns a bearer
    token: it is awaited for each dial, and no secret is needed.

    The model decides how much is recognized again after a loss. Where its spans can be trusted (``deepgram``,
    ``assemblyai``, ``speechmatics``, ``xai/stt-1``, ``cartesia/ink-whisper``) that is what follows its last final. With
    any other, and without a model, it is all since finalize was last asked for and answered, which a session does at
    four fifths of `ReplayPolicy.limit`: call `Transcript.finalize` where a turn ends to keep it short.

    Arguments are checked here, the environment when a session is asked for; both raise `ConfigurationError`. The repr
    shows no secret.
    """

    url: str | None = None
    api_key: str | TokenProvider | None = None
    api_secret: str | None = None

    def __post_init__(self) -> None:
        if self.url:
            websocket_base(self.url, "the url of LiveKit")
        given_credentials(self.api_key, self.api_secret)

    def __repr__(self) -> str:
        return f"LiveKit(url={self.url!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("url", self.url)]

    def recognizer(self, request: TranscribeRequest) -> LiveKitRecognizer:
        """See `Backend`."""
        base, credentials = find_base(self.url), find_credentials(self.api_key, self.api_secret)
        return recognizer(base, credentials, request, stt_profile(stt.models(request)))

    def voice(self, request: SynthesizeRequest) -> LiveKitVoice:
        """See `Backend`."""
        return voice(find_base(self.url), find_credentials(self.api_key, self.api_secret), request)

    def transport(self) -> None:
        """``None``: dials go over the network."""
