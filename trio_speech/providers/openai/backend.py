"""The `OpenAI` backend: realtime transcription by OpenAI, and by servers that imitate its protocol."""

from __future__ import annotations

from msgspec.structs import replace

from ..._core.provider.profile import SttProfile
from ..._core.provider.requests import TranscribeRequest
from ...audio import AudioFormat
from ...errors import ConfigurationError
from .._codec import SttCodec, TokenProvider
from .._direct import Addressed, Direct
from .._handshake import setting, websocket_base
from .generation import GenerationCodec
from .profiles import DIALECT_PROFILES, companded
from .settings import DIALECTS, Dialect, Settings, settings
from .transcription import TranscriptionCodec


class OpenAIRecognizer(Addressed, frozen=True):
    """See `SttProvider`."""

    settings: Settings
    audio_format: AudioFormat
    profile: SttProfile

    def codec(self) -> SttCodec:
        if self.settings.dialect == "vllm":
            return GenerationCodec(self.settings, self.audio_format)
        return TranscriptionCodec(self.settings, self.audio_format)


class OpenAI(Direct, frozen=True):
    """Realtime transcription by OpenAI, or by a server of one's own that looks like it.

    Models are named ``gpt-live-transcribe[:language]`` or ``openai/gpt-live-transcribe[:language]``; the other dialects
    have no default, and no suffix. PCM has 24,000 samples a second; with ``dialect="vllm"``, 16,000. OpenAI itself also
    takes G.711 (μ-law and A-law), of 8,000 samples a second; the other dialects do not.

    The `options` of a session are the service's own settings of a transcription, such as ``prompt``, besides
    ``turn_detection``, ``noise_reduction`` and ``include``. Models that show text while somebody speaks are asked for a
    final once that text has not changed for a second; for other models the service finds the ends of utterances, by
    ``turn_detection``, which the options may set for either. Finals have no word times.

    Not verified against the live service: the longest session (an hour is assumed), and how exact its times are.

    Raises `ConfigurationError`: here where an argument is wrong, and when a session is opened where there is no key.

    Fields:
        api_key: The API key, or an async callable that returns a key or a client secret, which is awaited for each
            dial; ``None``: the environment variable ``OPENAI_API_KEY``, for OpenAI's own dialect alone. The other
            dialects do without. The repr does not show it.
        url: The base address of a server other than OpenAI's own, such as ``https://host/v1``; ``None``: the
            environment variable ``OPENAI_BASE_URL``, else OpenAI's. The other dialects need it here.
        dialect: What the server speaks: ``"openai"``; ``"speaches"``; or ``"vllm"``, which tells no final before the
            connection ends, so that the session moves to a new one every half minute.
    """

    service = "OpenAI"
    home = "https://api.openai.com/v1"
    variable = "OPENAI_API_KEY"

    dialect: Dialect = "openai"

    def __post_init__(self) -> None:
        if self.dialect not in DIALECTS:
            raise ConfigurationError(f"dialect must be one of {', '.join(DIALECTS)}, not {self.dialect!r}")
        if self.dialect != "openai" and not self.url:
            raise ConfigurationError(f"url must be given with dialect={self.dialect!r}: it is a server of your own")
        super().__post_init__()

    def recognizer(self, request: TranscribeRequest) -> OpenAIRecognizer:
        """See `Backend`."""
        asked = settings(request, self.dialect)
        profile = replace(DIALECT_PROFILES[asked.kind], shows_interims=asked.shows_interims)
        if self.dialect == "openai" and request.audio_format.encoding != "pcm_s16le":
            profile = companded(profile)
        key = self._accepted(request, profile, request.model)
        return OpenAIRecognizer(f"{self._base()}/realtime", asked.query, key, asked, request.audio_format, profile)

    def _key(self) -> str | TokenProvider | None:
        return super()._key() if self.dialect == "openai" else self.api_key or None

    def _base(self) -> str:
        if self.url:
            return super()._base()
        return websocket_base(setting("OPENAI_BASE_URL") or self.home, "the environment variable OPENAI_BASE_URL")
