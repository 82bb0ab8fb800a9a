"""The `Local` backend: the embedded gateway, with recognition and speech on this machine.

It speaks the LiveKit inference protocol over memory streams, so it uses the codecs of `livekit`. The one difference is
that its engines take no change of a running session.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from msgspec import Struct
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

BASE = "ws://local/v1"
"""The base of its addresses. No name is looked up, for dials go over memory streams."""

STT = SttProfile(
    sample_rates=RATES,
    max_lead_in=0.0,
    replay_speed=None,
    quiet_after_final=30.0,
    quiet_after_finalized=0.0,
    idle_codes=(INACTIVE,),
)
"""Times are exact. A replay that begins at the end of a final is recognized exactly as without the break, and a lead-in
would only disturb that. ``session.finalized`` always comes after the finals that it asks for; a long silence after a
final says nothing, because the machine may be busy."""

TTS = TtsProfile(sample_rates=RATES, aligned=True, deterministic=True)
"""Equal texts give equal samples. Whether aligned words contain blanks follows the provider that the model's name
begins with, because the gateway stands in for it."""


class LocalSttCodec(LiveKitSttCodec):
    """See `SttCodec`."""

    def update(self, change: Change) -> None:
        """Always raises `ConfigurationError`, which names what was to be changed."""
        for name, value in asdict(change).items():
            if value is not None:
                raise ConfigurationError(
                    f"Local() cannot change the {name} of a running session: open a new session with it"
                )


class Local(Struct, frozen=True):
    """Recognition and speech on this machine, without an account or a network.

    `open_client` starts the engines and stops them. It raises `ConfigurationError` where they are not installed; they
    come with the extra: ``pip install 'trio-speech[local]'``. There are no settings.
    """

    def recognizer(self, request: TranscribeRequest) -> backend.LiveKitRecognizer:
        """See `Backend`."""
        return backend.recognizer(BASE, None, request, STT, LocalSttCodec)

    def voice(self, request: SynthesizeRequest) -> backend.LiveKitVoice:
        """See `Backend`."""
        model, _ = split_model(request.model)
        return backend.voice(BASE, None, request, replace(TTS, spaced_words=has_spaced_words(model)))

    def transport(self) -> AbstractAsyncContextManager[Connector]:
        """The gateway in this process. Raises `ConfigurationError` where its extra is not installed."""
        try:
            from ..gateway import open_local_gateway  # noqa: PLC0415  # only those pay for the engines who use them
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"Local() needs the module {error.name}, which is not installed: pip install 'trio-speech[local]'"
            ) from error
        return open_local_gateway()
