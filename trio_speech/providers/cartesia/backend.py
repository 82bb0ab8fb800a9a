"""The `Cartesia` backend: speech by Cartesia, without a gateway between."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from ..._core.provider.profile import TtsProfile
from ..._core.provider.requests import SynthesizeRequest
from .._direct import Addressed, Direct
from .._json import encode
from .fields import fields, split_model
from .profiles import VOICE
from .tts import CartesiaCodec
from .wire import VERSION


class CartesiaVoice(Addressed, frozen=True):
    """See `TtsProvider`. Requests share connections if all fields that are sent with each text are equal."""

    fields: dict[str, Any]
    profile: TtsProfile

    @property
    def pool_key(self) -> object:
        return (self.key, encode(self.fields))

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

    def voice(self, request: SynthesizeRequest) -> CartesiaVoice:
        """See `Backend`."""
        key = self._accepted(request, VOICE, split_model(request.model)[0])
        asked = fields(request)
        profile = replace(VOICE, aligned=asked.get("add_timestamps") is True)
        endpoint = f"{self._base()}/tts/websocket"
        return CartesiaVoice(endpoint, f"cartesia_version={VERSION}", key, asked, profile)
