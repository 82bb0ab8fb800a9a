"""The `ElevenLabs` backend: recognition and speech by ElevenLabs, without a gateway between."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ...audio import AudioFormat
from .._codec import Dial
from .._direct import Addressed, Direct
from .._handshake import revealed, user_agent
from .._json import encode
from . import address
from .profiles import COMPANDED, SCRIBE, SCRIBE_COMPANDED, VOICE
from .scribe import ScribeCodec
from .tts import ElevenLabsCodec

_SINGLE_USE = "sutkn_"
"""The prefix of single-use tokens, which are valid for one connection and are sent in the URL."""


class _ElevenLabsAddress(Addressed, frozen=True):
    async def dial(self) -> Dial:
        key = await revealed(self.key or "")
        agent = ("User-Agent", user_agent())
        if key.startswith(_SINGLE_USE):
            return Dial(self.url, (agent,), secret_query=(("token", key),))
        return Dial(self.url, (agent, ("xi-api-key", key)))


class ElevenLabsRecognizer(_ElevenLabsAddress, frozen=True):
    """See `SttProvider`."""

    audio_format: AudioFormat
    timed: bool
    profile: SttProfile

    def codec(self) -> ScribeCodec:
        return ScribeCodec(self.audio_format, timed=self.timed)


class ElevenLabsVoice(_ElevenLabsAddress, frozen=True):
    """See `TtsProvider`. Requests share connections where address and settings are equal."""

    settings: dict[str, Any]
    audio_format: AudioFormat
    profile: TtsProfile

    @property
    def pool_key(self) -> object:
        return (self.url, encode(self.settings), self.key)

    def codec(self) -> ElevenLabsCodec:
        return ElevenLabsCodec(self.settings, uuid4().hex, self.audio_format)


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
        profile = SCRIBE if request.audio_format.encoding == "pcm_s16le" else SCRIBE_COMPANDED
        key = self._accepted(request, profile, address.split_recognizer(request.model)[0])
        timed = request.options.get("include_timestamps") is not False
        endpoint = f"{self._base()}/v1/speech-to-text/realtime"
        return ElevenLabsRecognizer(endpoint, address.recognition(request), key, request.audio_format, timed, profile)

    def voice(self, request: SynthesizeRequest) -> ElevenLabsVoice:
        """See `Backend`."""
        profile = VOICE if request.audio_format.encoding == "pcm_s16le" else COMPANDED
        key = self._accepted(request, profile, address.split_voice(request.model)[0])
        path, query, settings = address.speech(request)
        aligned = replace(profile, aligned=request.options.get("sync_alignment") is True)
        return ElevenLabsVoice(f"{self._base()}{path}", query, key, settings, request.audio_format, aligned)
