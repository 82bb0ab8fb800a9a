"""The `Local` backend: the embedded gateway, with recognition and speech on this machine.

It speaks the LiveKit inference protocol over memory streams, so it uses the codecs of `livekit`. The one difference is
that its engines take no change of a running session.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from msgspec.structs import asdict, replace

from .._core.provider.profile import SttProfile, TtsProfile
from .._core.provider.requests import Change, SynthesizeRequest, TranscribeRequest
from ..errors import ConfigurationError
from ._accept import RATES
from ._codec import Connector
from .livekit import backend
from .livekit.failures import INACTIVE
from .livekit.models import has_spaced_words, split_model
from .livekit.stt import LiveKitSttCodec

if TYPE_CHECKING:
    from ..gateway.engines import Recognizer, Voice

BASE = "ws://local/v1"
"""The base of the URLs. No name is looked up, because dials go over memory streams."""

_ENCODINGS = ("pcm_s16le", "mulaw", "alaw")

STT = SttProfile(
    encodings=_ENCODINGS,
    sample_rates=RATES,
    max_lead_in=0.0,
    replay_speed=None,
    ordered=True,
    idle_codes=(INACTIVE,),
)
"""Times are exact. Audio that is sent again from the end of a final is recognized exactly as without the break, and a
lead-in would only disturb that. ``session.finalized`` always comes after the finals that were asked for; a long silence
after a final proves nothing, because the machine may be busy."""

TTS = TtsProfile(encodings=_ENCODINGS, sample_rates=RATES, aligned=True, deterministic=True)
"""Equal texts give equal samples. Whether aligned words contain blanks depends on the provider in the model's name,
because the gateway imitates that provider."""


class LocalSttCodec(LiveKitSttCodec):
    """See `SttCodec`."""

    def update(self, change: Change) -> None:
        """Raises `ConfigurationError`, which names the setting that was to be changed."""
        for name, value in asdict(change).items():
            if value is not None:
                raise ConfigurationError(
                    f"Local() cannot change the {name} of a running session: open a new session with it"
                )


class Local:
    """Recognition and speech on this machine, without an account or a network.

    `open_client` starts the engines and stops them. It raises `ConfigurationError` where they are not installed; they
    come with the extra: ``pip install 'trio-speech[local]'``.

    Args:
        recognizer: The name of a built-in recognizer, ``"moonshine"`` or ``"pocketsphinx"``, or an engine of your own:
            see `trio_speech.gateway.Recognizer`. ``None``: the best one that is installed.
        voice: The name of a built-in voice, ``"hibari"`` or ``"espeak"``, or an engine of your own: see
            `trio_speech.gateway.Voice`. ``None``: the best one that is installed.

    English is all that the built-in engines know. A model, a voice, an option or a script that they do not have
    is refused by name. Audio may be 16-bit PCM, μ-law or A-law, also at 8 kHz.
    """

    __slots__ = ("_recognizer", "_voice")

    def __init__(self, recognizer: str | Recognizer | None = None, voice: str | Voice | None = None) -> None:
        _check_engine("recognizer", recognizer, "open")
        _check_engine("voice", voice, "synthesize")
        self._recognizer, self._voice = recognizer, voice

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Local) and self._engines() == other._engines()

    def __hash__(self) -> int:
        return hash(self._engines())

    def __repr__(self) -> str:
        given = zip(("recognizer", "voice"), self._engines(), strict=True)
        return f"Local({', '.join(f'{name}={engine!r}' for name, engine in given if engine is not None)})"

    def _engines(self) -> tuple[str | Recognizer | None, str | Voice | None]:
        return self._recognizer, self._voice

    def recognizer(self, request: TranscribeRequest) -> backend.LiveKitRecognizer:
        """See `Backend`."""
        if request.keyterms:
            raise ConfigurationError("keyterms must be empty: the recognizers of Local() take none")
        return backend.recognizer(BASE, None, request, STT, LocalSttCodec)

    def voice(self, request: SynthesizeRequest) -> backend.LiveKitVoice:
        """See `Backend`."""
        model, _ = split_model(request.model)
        return backend.voice(BASE, None, request, replace(TTS, spaced_words=has_spaced_words(model)))

    def transport(self) -> AbstractAsyncContextManager[Connector]:
        """Returns the gateway of this process. Raises `ConfigurationError` if its extra is not installed."""
        try:
            from ..gateway import open_local_gateway  # noqa: PLC0415  # only those pay for the engines who use them
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"Local() needs the module {error.name}, which is not installed: pip install 'trio-speech[local]'"
            ) from error
        return open_local_gateway(recognizer=self._recognizer, voice=self._voice)


def _check_engine(name: str, engine: object, method: str) -> None:
    if engine is not None and not isinstance(engine, str) and not hasattr(engine, method):
        raise ConfigurationError(
            f"{name} must be the name of a built-in engine or an engine with the method {method}(), "
            f"not {type(engine).__name__}"
        )
