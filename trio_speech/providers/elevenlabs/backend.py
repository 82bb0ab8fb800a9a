"""The `ElevenLabs` backend: recognition and speech by ElevenLabs, without a gateway between."""

from __future__ import annotations

from uuid import uuid4

import msgspec
from msgspec.structs import replace

from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ...audio import AudioFormat
from .._accept import accept_format, refuse_fallback
from .._codec import Dial, TokenProvider
from .._direct import Direct, Keyed
from .._handshake import provided, user_agent
from .profiles import COMPANDED, SCRIBE, SCRIBE_COMPANDED, VOICE
from .request import Address, address, split_model
from .scribe import ScribeCodec
from .scribe_request import query, split_scribe
from .tts import ElevenLabsCodec

_SINGLE_USE = "sutkn_"
"""The prefix of single-use tokens, which are valid for one connection and are sent in the URL."""


class ElevenLabsRecognizer(Keyed, frozen=True):
    """See `SttProvider`."""

    endpoint: str
    query: str
    audio_format: AudioFormat
    timed: bool
    key: str | TokenProvider
    profile: SttProfile

    @property
    def url(self) -> str:
        return f"{self.endpoint}?{self.query}"

    async def dial(self) -> Dial:
        key = self.key if isinstance(self.key, str) else await provided(self.key)
        agent = ("User-Agent", user_agent())
        if key.startswith(_SINGLE_USE):
            return Dial(self.url, (agent,), secret_query=(("token", key),))
        return Dial(self.url, (agent, ("xi-api-key", key)))

    def codec(self) -> ScribeCodec:
        return ScribeCodec(self.audio_format, timed=self.timed)


class ElevenLabsVoice(Keyed, frozen=True):
    """See `TtsProvider`. Requests share connections where address and settings are equal."""

    endpoint: str
    address: Address
    audio_format: AudioFormat
    key: str | TokenProvider
    profile: TtsProfile

    @property
    def pool_key(self) -> object:
        return (self.endpoint, self.address.query, msgspec.json.encode(self.address.settings), self.key)

    async def dial(self) -> Dial:
        key = self.key if isinstance(self.key, str) else await provided(self.key)
        return Dial(f"{self.endpoint}?{self.address.query}", (("User-Agent", user_agent()), ("xi-api-key", key)))

    def codec(self) -> ElevenLabsCodec:
        return ElevenLabsCodec(self.address.settings, uuid4().hex, self.audio_format)


class ElevenLabs(Direct, frozen=True):
    """Recognition and speech by ElevenLabs.

    Models for recognition are named ``scribe_v2_realtime[:language]``; the `options` of such a session go into the
    address. The session asks for each final, once the text shown has not changed for a second. Not verified against the
    live service: that word times count from the start of a connection.

    Models for speech are named ``eleven_flash_v2_5[:voice]``; those of version 3 have another protocol and are not
    supported. Each such session needs a voice, by its id. The `options` ``voice_settings``, ``generation_config`` and
    ``pronunciation_dictionary_locators`` go with each text, all others into the address. ``elevenlabs/`` may stand
    before each model.

    Sentences are handed over whole. With the option ``{"sync_alignment": True}`` word times are used, so that audio is
    handed over as it comes and a drop is made good in mid-sentence; how exact these times are has not been verified.

    Raises `ConfigurationError`: here where an argument is wrong, and when a session is opened where there is no key.

    Fields:
        api_key: The API key, or an async callable that returns one (for recognition, a single-use token will do),
            which is awaited for each dial; ``None``: the environment variable ``ELEVENLABS_API_KEY``. The repr does not
            show it.
        url: The base address of a server other than ElevenLabs' own, such as ``https://host``; ``None``: ElevenLabs'.
    """

    service = "ElevenLabs"
    home = "https://api.elevenlabs.io"
    variable = "ELEVENLABS_API_KEY"

    def recognizer(self, request: TranscribeRequest) -> ElevenLabsRecognizer:
        """See `Backend`."""
        key = self._key()
        profile = SCRIBE if request.audio_format.encoding == "pcm_s16le" else SCRIBE_COMPANDED
        accept_format(request.audio_format, profile, model=split_scribe(request.model)[0])
        refuse_fallback(request.fallback, self.service)
        timed = request.options.get("include_timestamps") is not False
        endpoint = f"{self._base()}/v1/speech-to-text/realtime"
        return ElevenLabsRecognizer(endpoint, query(request), request.audio_format, timed, key, profile)

    def voice(self, request: SynthesizeRequest) -> ElevenLabsVoice:
        """See `Backend`."""
        key = self._key()
        model, _ = split_model(request.model)
        profile = VOICE if request.audio_format.encoding == "pcm_s16le" else COMPANDED
        accept_format(request.audio_format, profile, model=model)
        refuse_fallback(request.fallback, self.service)
        asked = address(request)
        aligned = replace(profile, aligned=request.options.get("sync_alignment") is True)
        return ElevenLabsVoice(f"{self._base()}{asked.path}", asked, request.audio_format, key, aligned)
