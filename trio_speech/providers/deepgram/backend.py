"""The `Deepgram` backend: recognition by Deepgram, without a gateway between."""

from __future__ import annotations

from typing import NoReturn

from ..._core.provider.profile import SttProfile
from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ...errors import ConfigurationError
from .._accept import accept_format, refuse_fallback
from .._codec import Dial, TokenProvider
from .._direct import Direct, Keyed
from .._handshake import authorization, user_agent
from .address import query, split_model
from .listen import PROFILE, DeepgramCodec


class DeepgramRecognizer(Keyed, frozen=True):
    """See `SttProvider`."""

    endpoint: str
    query: str
    key: str | TokenProvider
    model: str

    @property
    def profile(self) -> SttProfile:
        return PROFILE

    @property
    def url(self) -> str:
        return f"{self.endpoint}?{self.query}"

    async def dial(self) -> Dial:
        headers = (("User-Agent", user_agent()), await authorization(self.key, "Token"))
        return Dial(self.url, headers)

    def codec(self) -> DeepgramCodec:
        return DeepgramCodec(self.model)


class Deepgram(Direct, frozen=True):
    """Recognition by Deepgram.

    Models are named ``nova-3[:language]`` or ``deepgram/nova-3[:language]``. The `options` of a session become query
    parameters of Deepgram's address, such as ``{"smart_format": True}``.

    Raises `ConfigurationError`: here where an argument is wrong, and when a session is opened where there is no key.

    Fields:
        api_key: The API key, or an async callable that returns a temporary token, which is awaited for each dial;
            ``None``: the environment variable ``DEEPGRAM_API_KEY``. The repr does not show it.
        url: The base address of a server other than Deepgram's own, such as ``https://host``; ``None``: Deepgram's.
    """

    service = "Deepgram"
    home = "https://api.deepgram.com"
    variable = "DEEPGRAM_API_KEY"

    def recognizer(self, request: TranscribeRequest) -> DeepgramRecognizer:
        """See `Backend`."""
        key = self._key()
        model, _ = split_model(request.model)
        accept_format(request.audio_format, PROFILE, model=model)
        refuse_fallback(request.fallback, self.service)
        return DeepgramRecognizer(f"{self._base()}/v1/listen", query(request), key, model)

    def voice(self, request: SynthesizeRequest) -> NoReturn:
        """Always raises `ConfigurationError`: only recognition is supported."""
        raise ConfigurationError(
            "Deepgram() recognizes speech and does not speak: use Cartesia(), Local(), or LiveKit()",
            model=request.model,
        )
