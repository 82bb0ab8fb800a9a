"""The `Cartesia` backend: speech by Cartesia, without a gateway between."""

from __future__ import annotations

from typing import Any, NoReturn
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from ..._core.provider.profile import TtsProfile
from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ...errors import ConfigurationError
from .._accept import accept_format, refuse_fallback
from .._codec import Dial, TokenProvider
from .._direct import Direct, Keyed
from .._handshake import authorization, user_agent
from .fields import fields, split_model
from .profiles import VOICE
from .tts import CartesiaCodec
from .wire import VERSION


class CartesiaVoice(Keyed, frozen=True):
    """See `TtsProvider`. Requests share connections if all fields that are sent with each text are equal."""

    endpoint: str
    fields: dict[str, Any]
    key: str | TokenProvider
    profile: TtsProfile

    @property
    def pool_key(self) -> object:
        return (self.key, msgspec.json.encode(self.fields))

    async def dial(self) -> Dial:
        headers = (("User-Agent", user_agent()), await authorization(self.key, "Bearer"))
        return Dial(f"{self.endpoint}?cartesia_version={VERSION}", headers)

    def codec(self) -> CartesiaCodec:
        return CartesiaCodec(self.fields, uuid4().hex)


class Cartesia(Direct, frozen=True):
    """Speech by Cartesia.

    Models are named ``sonic-3[:voice]`` or ``cartesia/sonic-3[:voice]``. Each session needs a voice, by its id. The
    `options` of a session become fields of each request, such as ``generation_config``; an option of ``None`` is left
    out. With ``{"add_timestamps": False}`` no word times come, and sentences are handed over whole.

    Raises `ConfigurationError`: here where an argument is wrong, and when a session is opened where there is no key.

    Fields:
        api_key: The API key, or an async callable that returns an access token, which is awaited for each dial;
            ``None``: the environment variable ``CARTESIA_API_KEY``. The repr does not show it.
        url: The base address of a server other than Cartesia's own, such as ``https://host``; ``None``: Cartesia's.
    """

    service = "Cartesia"
    home = "https://api.cartesia.ai"
    variable = "CARTESIA_API_KEY"

    def recognizer(self, request: TranscribeRequest) -> NoReturn:
        """Always raises `ConfigurationError`: only speech is supported."""
        raise ConfigurationError(
            "Cartesia() speaks and does not recognize speech: use Deepgram(), Local(), or LiveKit()",
            model=request.model,
        )

    def voice(self, request: SynthesizeRequest) -> CartesiaVoice:
        """See `Backend`."""
        key = self._key()
        model, _ = split_model(request.model)
        accept_format(request.audio_format, VOICE, model=model)
        refuse_fallback(request.fallback, self.service)
        asked = fields(request)
        profile = replace(VOICE, aligned=asked.get("add_timestamps") is True)
        return CartesiaVoice(f"{self._base()}/tts/websocket", asked, key, profile)
