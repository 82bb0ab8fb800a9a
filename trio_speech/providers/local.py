"""The embedded gateway: recognition and speech on this machine, with no account and no network.

It speaks the LiveKit inference wire over memory streams, so its codecs are those of `livekit`, but that no engine
here changes in mid-stream.
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
"""What the addresses of its dials begin with; nothing is looked up."""

STT = SttProfile(
    sample_rates=RATES,
    max_lead_in=0.0,
    replay_speed=None,
    quiet_after_final=30.0,
    quiet_after_finalized=0.0,
    idle_codes=(INACTIVE,),
)
"""Times are exact, and a replay from the end of a final is heard as it would have been without the break, bit for bit:
audio from before it would only disturb that. ``session.finalized`` comes after the finals that it asks for, always: on
a busy machine, a long silence after a final says nothing."""

TTS = TtsProfile(sample_rates=RATES, aligned=True, deterministic=True)
"""Equal texts give equal samples. Aligned words bring blanks or not, as the provider that the model's name begins with
has them: the gateway stands in for it."""


class LocalSttCodec(LiveKitSttCodec):
    """See `SttCodec`."""

    def update(self, change: Change) -> None:
        """Raises `ConfigurationError`, which names what was to be changed."""
        for name, value in asdict(change).items():
            if value is not None:
                raise ConfigurationError(f"Local() cannot change the {name} of a running session: open another one")


class Local(Struct, frozen=True):
    """The embedded gateway, started and stopped by `open_client`. Models and voices are those of its engines.

    Opening a client of it raises `ConfigurationError` where the extra is missing: ``pip install 'trio-speech[local]'``.
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
                f"Local() needs its engines, and {error.name} is missing: pip install 'trio-speech[local]'"
            ) from error
        return open_local_gateway()
