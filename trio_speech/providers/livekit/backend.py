"""The `LiveKit` backend, and the recognizer and voice of any server of the same protocol."""

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
    """See `TtsProvider`. Requests share connections where address, credentials and first message are equal."""

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
    """Returns the recognizer for a request, at the gateway with the base address `base`. `kind` makes the codecs.

    Raises `ConfigurationError` if a service with this profile cannot serve the request.
    """
    model, _ = split_model(request.model)
    accept_format(request.audio_format, profile, model=model)
    opening = _opening(stt.creation(request), model)
    endpoint = f"{base}/stt"
    return LiveKitRecognizer(endpoint, _address(endpoint, model), credentials, profile, request, opening, kind)


def voice(
    base: str, credentials: Credentials | None, request: SynthesizeRequest, profile: TtsProfile | None = None
) -> LiveKitVoice:
    """Returns the voice for a request, at the gateway with the base address `base`.

    `profile` defaults to that of the models. Raises `ConfigurationError` if such a service cannot serve the request.
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
        raise ConfigurationError(
            f"model, voice, language and options must be values that JSON can hold: {error}", model=model
        ) from error


@lru_cache(maxsize=64)  # called for each session, and there are few models
def _address(endpoint: str, model: str | None) -> str:
    return f"{endpoint}?model={quote(model, safe='')}" if model else endpoint


class LiveKit(Struct, frozen=True):
    """The LiveKit inference gateway: the models of many providers behind one protocol.

    Models are named ``provider/model[:language]`` for recognition and ``provider/model[:voice]`` for speech.

    The model decides how much audio is sent again after a connection broke. With ``deepgram``, ``assemblyai``,
    ``speechmatics``, ``xai/stt-1`` and ``cartesia/ink-whisper`` it is the audio after the last final, because their
    times can be trusted. With any other model, and without one, it is all audio since finalize was last answered. A
    session finalizes by itself when its log is four fifths full (`ReplayPolicy.limit`); call `Transcript.finalize` at
    the end of a turn to keep replays short.

    Raises `ConfigurationError`: here where an argument is wrong, and when a session is opened where there are no
    credentials.

    Fields:
        url: The base address of the gateway; ``None``: the environment variable ``LIVEKIT_INFERENCE_URL``, or else
            LiveKit's production gateway (staging where ``LIVEKIT_URL`` is on staging).
        api_key: The API key, or an async callable that returns a bearer token, which is awaited for each dial;
            ``None``: ``LIVEKIT_INFERENCE_API_KEY`` with ``LIVEKIT_INFERENCE_API_SECRET`` from the environment, or else
            ``LIVEKIT_API_KEY`` with ``LIVEKIT_API_SECRET``. An empty variable counts as unset.
        api_secret: The secret that belongs to `api_key`; ``None`` where that is a token provider. The repr shows
            neither.
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
        return recognizer(base, credentials, request, stt_profile(stt.models(request), request.options))

    def voice(self, request: SynthesizeRequest) -> LiveKitVoice:
        """See `Backend`."""
        return voice(find_base(self.url), find_credentials(self.api_key, self.api_secret), request)

    def transport(self) -> None:
        """``None``: dials go over the network."""
