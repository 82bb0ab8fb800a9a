"""The backend under test with the arguments of its sessions, and the scripted gateway that stands for its service."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from typing import Any, Literal, TypeAlias, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ..._shell.client import Client, open_client
from ...audio import AudioFormat, Encoding
from ...errors import ConfigurationError
from ...policy import RetryPolicy
from ...providers._codec import Backend, SttProvider, TtsProvider
from ..scripted.faults import Refuse, Step
from ..scripted.gateway import ScriptedGateway, open_gateway
from ..scripted.manner import Manner
from ..scripted.synthesizer import Delivery
from ..scripted.visits import Visit
from ..scripted.wires import WireFactory, answer
from ..scripted.wires.protocol import Wire
from .complaints import Complaints
from .laws import ORDER, LawBroken
from .watched import WatchedBackend, WatchedRecognition, WatchedSynthesis

Side: TypeAlias = Literal["recognizer", "voice"]

ENCODINGS: tuple[Encoding, ...] = ("pcm_s16le", "mulaw", "alaw")
_RATES = (16_000, 24_000, 8_000, 48_000, 44_100, 22_050)

_Result = TypeVar("_Result")


class Asked(Struct, frozen=True):
    """The arguments that all sessions are opened with."""

    model: str | None
    voice: str | None
    options: dict[str, Any]

    @property
    def recognition(self) -> dict[str, Any]:
        """The keyword arguments for `Client.transcribe`."""
        return {"model": self.model, "options": self.options}

    @property
    def synthesis(self) -> dict[str, Any]:
        """The keyword arguments for `Client.synthesize`."""
        return {"model": self.model, "voice": self.voice, "options": self.options}

    def of_recognizer(self, audio_format: AudioFormat) -> TranscribeRequest:
        """Returns the request of a recognition in `audio_format`."""
        return TranscribeRequest(audio_format=audio_format, **self.recognition)

    def of_voice(self, audio_format: AudioFormat) -> SynthesizeRequest:
        """Returns the request of a synthesis in `audio_format`."""
        return SynthesizeRequest(audio_format=audio_format, **self.synthesis)


class Service(Struct, frozen=True):
    """How the scripted gateway behaves as the service. ``None`` for `manner` or `delivery`: as the profile says."""

    wires: dict[str, WireFactory]
    manner: Manner | None
    delivery: Delivery | None


class Setup:
    """A backend with the arguments of its sessions, and the service that it dials.

    `recognizer` and `speaker` are its providers, in the first format that it takes. ``None``: it has no such provider;
    `refusals` then holds its error messages. `secrets`: the credentials that it holds. `runs`: how many sessions are to
    meet faults at random.
    """

    def __init__(
        self, backend: Backend, asked: Asked, service: Service, secrets: Sequence[str] = (), runs: int = 0
    ) -> None:
        self.backend = backend
        self.asked = asked
        self.secrets = secrets
        self.runs = runs
        self.refusals: list[str] = []
        self.learned: dict[Side, Any] = {}
        self._wires = service.wires
        self.audio_format, self.recognizer = self._first(lambda each: backend.recognizer(asked.of_recognizer(each)))
        self.speech_format, self.speaker = self._first(lambda each: backend.voice(asked.of_voice(each)))
        self._manner = service.manner or (_manner(self.recognizer.profile) if self.recognizer else Manner())
        self._delivery = service.delivery or (_delivery(self.speaker.profile) if self.speaker else Delivery())

    def _first(self, make: Callable[[AudioFormat], _Result]) -> tuple[AudioFormat, _Result | None]:
        """Returns the first format that the backend takes, and what `make` makes of it; ``None`` if it takes none."""
        for rate in _RATES:
            audio_format = AudioFormat.pcm16(rate)
            try:
                return audio_format, make(audio_format)
            except ConfigurationError as refusal:
                self.refusals.append(refusal.message)
        return AudioFormat.pcm16(_RATES[0]), None

    def provider(self, side: Side, audio_format: AudioFormat | None = None, **changes: Any) -> Any:
        """Returns the provider for a request in `audio_format`, by default the first one, with other `changes`.

        Raises what the backend raises.
        """
        if side == "recognizer":
            heard = replace(self.asked.of_recognizer(audio_format or self.audio_format), **changes)
            return self.backend.recognizer(heard)
        return self.backend.voice(replace(self.asked.of_voice(audio_format or self.speech_format), **changes))

    @property
    def has_exact_times(self) -> bool:
        """Whether the scripted recognizer gives the true times of words."""
        return self._manner.word_times and self._manner.drift is None and self._manner.spans == "utterance"

    def other_formats(self, side: Side) -> Iterator[AudioFormat]:
        """Yields a format of each encoding that the backend takes, and one more sample rate, besides the first format.

        Each has one channel: the scripted words have no other.
        """
        usual = self.audio_format if side == "recognizer" else self.speech_format
        for encoding in ENCODINGS:
            rates = (rate for rate in _RATES if (encoding, rate) != (usual.encoding, usual.sample_rate))
            formats = (AudioFormat(encoding, rate) for rate in rates)
            yield from islice((each for each in formats if self._takes(side, each)), 1)

    def _takes(self, side: Side, audio_format: AudioFormat) -> bool:
        try:
            self.provider(side, audio_format)
        except ConfigurationError:
            return False
        return True

    def of(self, side: Side) -> SttProvider | TtsProvider | None:
        """Returns `recognizer` or `speaker`."""
        return self.recognizer if side == "recognizer" else self.speaker

    def wire(self, visit: Visit) -> Wire:
        """Returns a fresh wire for the address that a client dialed."""
        wire = answer(visit.resource, visit.session_id, self._wires)
        if isinstance(wire, Refuse):
            raise LawBroken(f"the wire refuses the dial of {visit.resource.partition('?')[0]}: {wire}")
        return wire

    @asynccontextmanager
    async def client(
        self, plan: tuple[Step, ...], backend: Backend | None = None
    ) -> AsyncGenerator[tuple[Client, ScriptedGateway], None]:
        """Yields a client of the backend, and the gateway that answers its dials and fails as planned.

        Raises `LawBroken` at the end where a codec has broken law 5, or the service has complained of the client.
        """
        complaints = Complaints()
        watched = cast(
            Backend,
            WatchedBackend(
                backend or self.backend,
                partial(WatchedRecognition, complaints=complaints),
                partial(WatchedSynthesis, complaints=complaints),
            ),
        )
        visits: list[Visit] = []
        try:
            async with open_gateway(manner=self._manner, delivery=self._delivery, wires=self._wires) as gateway:
                visits = gateway.visits
                gateway.plan(*plan)
                patient = RetryPolicy(deadline=None)
                async with open_client(gateway.in_place_of(watched), retry=patient) as client:
                    yield client, gateway
        except Exception as error:
            if complaints.texts:  # they are nearer to the cause
                raise LawBroken(f"a codec says {complaints.texts[0]}", ORDER) from error
            raise
        if said := complaints.of(visits):
            raise LawBroken(f"a codec says {said}", ORDER)
        for visit in visits:
            if visit.complaints:
                raise LawBroken(f"the service complains of what the codec sends: {visit.complaints}")


def _manner(profile: SttProfile) -> Manner:
    return Manner(
        endpointing=0.3 if profile.finalizes_itself else None,
        word_times=profile.word_times,
        spans="billed" if profile.acknowledges == "finalize" else "utterance",
    )


def _delivery(profile: TtsProfile) -> Delivery:
    return Delivery(
        alignment="words" if profile.aligned else None,
        spaced=profile.spaced_words,
        variation=0.0 if profile.deterministic else 0.2,
        done="text" if profile.quiet_after_done else "flush",
    )
