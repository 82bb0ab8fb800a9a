"""The `Cartesia` backend: synthesis, without a gateway between."""

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
from .tts import PROFILE, CartesiaCodec
from .wire import VERSION


class CartesiaVoice(Keyed, frozen=True):
    """See `TtsProvider`. Connections are shared where all that rides on each text is equal."""

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
    """Cartesia's speech synthesis, with models as ``sonic-3[:voice]`` or ``cartesia/sonic-3[:voice]``.

    `api_key`, or else ``CARTESIA_API_KEY``; an empty variable counts as unset. It may be an async callable that returns
    an access token: it is awaited for each dial. `url` is the base address of a server of one's own. A voice is needed,
    by its id. Options become fields of each request, such as ``generation_config``; one that is ``None`` is left to the
    service. With ``add_timestamps=False`` no word times come, and sentences are handed over whole.

    Arguments are checked here, the environment when a session is asked for; both raise `ConfigurationError`. The repr
    shows no secret.
    """

    service = "Cartesia"
    home = "https://api.cartesia.ai"
    variable = "CARTESIA_API_KEY"

    def recognizer(self, request: TranscribeRequest) -> NoReturn:
        """Always raises `ConfigurationError`: only synthesis is here."""
        raise ConfigurationError(
            "Cartesia() speaks only: for its recognition, use LiveKit()",
            model=request.model,
        )

    def voice(self, request: SynthesizeRequest) -> CartesiaVoice:
        """See `Backend`."""
        key = self._key()
        model, _ = split_model(request.model)
        accept_format(request.audio_format, PROFILE, model=model)
        refuse_fallback(request.fallback, self.service)
        asked = fields(request)
        profile = replace(PROFILE, aligned=asked.get("add_timestamps") is True)
        return CartesiaVoice(f"{self._base()}/tts/websocket", asked, key, profile)
