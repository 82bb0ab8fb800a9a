"""The `Deepgram` backend: recognition and speech by Deepgram, without a gateway between."""

from __future__ import annotations

from msgspec.structs import replace

from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ...audio import AudioFormat
from .._accept import asks_for
from .._direct import Addressed, Direct
from . import address, flux, flux_address, speak, voices
from .listen import DeepgramCodec, knows_keyterms
from .profiles import FLUX, LISTEN, OLDER, SPEAK

_TURN_AND_ANSWER = 5.0  # seconds from the silence that must end a turn to the message that says so, generously


class _DeepgramAddress(Addressed, frozen=True):
    scheme = "Token"


class DeepgramRecognizer(_DeepgramAddress, frozen=True):
    """See `SttProvider`. `diarizes`: speakers are told apart, so that their words may overlap."""

    model: str
    diarizes: bool

    @property
    def profile(self) -> SttProfile:
        return replace(LISTEN if knows_keyterms(self.model) else OLDER, overlapping=self.diarizes)

    def codec(self) -> DeepgramCodec:
        return DeepgramCodec(self.model)


class FluxRecognizer(_DeepgramAddress, frozen=True):
    """See `SttProvider`. `turn_timeout`: seconds of silence that end a turn in any case."""

    audio_format: AudioFormat
    turn_timeout: float

    @property
    def profile(self) -> SttProfile:
        patience = max(FLUX.answer_within, self.turn_timeout + _TURN_AND_ANSWER)
        return replace(FLUX, answer_within=patience)

    def codec(self) -> flux.FluxCodec:
        return flux.FluxCodec(self.audio_format)


class DeepgramVoice(_DeepgramAddress, frozen=True):
    """See `TtsProvider`. Requests share connections where their addresses are equal."""

    @property
    def profile(self) -> TtsProfile:
        return SPEAK

    @property
    def pool_key(self) -> object:
        return (self.query, self.key)

    def codec(self) -> speak.DeepgramSpeakCodec:
        return speak.DeepgramSpeakCodec()


class Deepgram(Direct, frozen=True):
    """Recognition and speech by Deepgram.

    Models for recognition are named ``nova-3[:language]``, for speech ``aura-2[:voice]`` or in full, such as
    ``aura-2-thalia-en``; ``deepgram/`` may stand before each. The `options` of a session become query parameters of
    Deepgram's address, such as ``{"smart_format": True}`` or ``{"speed": 1.1}``.

    The Flux models, such as ``flux-general-en``, recognize turns: each is one final, with a `TurnEnded` behind it. The
    option ``eager_eot_threshold`` makes likely ends of turns `PreflightTranscript` events. Flux cannot be asked for a
    final, so `Transcript.finalize` has no effect; where no audio is sent, the session sends silence until the turn has
    ended. At the end of the input the last guess is the final, and the turn has no `TurnEnded`.

    Deepgram's voices give no word times: after a drop in mid-sentence the sentence is spoken again as a whole, so
    sentences are handed over whole (`Speech.resume_mode` is ``"segment"``).

    Raises `ConfigurationError`: here where an argument is wrong, and when a session is opened where there is no key.

    Fields:
        api_key: The API key, or an async callable that returns a temporary token, which is awaited for each dial;
            ``None``: the environment variable ``DEEPGRAM_API_KEY``. The repr does not show it.
        url: The base address of a server other than Deepgram's own, such as ``https://host``; ``None``: Deepgram's.
    """

    service = "Deepgram"
    home = "https://api.deepgram.com"
    variable = "DEEPGRAM_API_KEY"

    def recognizer(self, request: TranscribeRequest) -> DeepgramRecognizer | FluxRecognizer:
        """See `Backend`."""
        model, _ = address.split_model(request.model)
        is_flux = flux_address.is_flux(model)
        key = self._accepted(request, FLUX if is_flux else LISTEN, model)
        if is_flux:
            timeout = flux_address.turn_timeout(request)
            endpoint, query = f"{self._base()}/v2/listen", flux_address.query(request)
            return FluxRecognizer(endpoint, query, key, request.audio_format, timeout)
        diarizes = asks_for(request.options, ("diarize", "diarize_model"))
        return DeepgramRecognizer(f"{self._base()}/v1/listen", address.query(request), key, model, diarizes)

    def voice(self, request: SynthesizeRequest) -> DeepgramVoice:
        """See `Backend`."""
        key = self._accepted(request, SPEAK, voices.voice_model(request))
        return DeepgramVoice(f"{self._base()}/v1/speak", voices.query(request), key)
