"""The backend under test with the arguments of its sessions, and the scripted gateway that stands for its service."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar, cast

import trio
from msgspec import Struct
from trio.testing import MockClock

from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ..._shell.client import Client, open_client
from ...audio import AudioFormat
from ...errors import ConfigurationError
from ...policy import RetryPolicy
from ...providers._codec import Backend
from ..scripted.faults import Step
from ..scripted.gateway import ScriptedGateway, open_gateway
from ..scripted.manner import Manner
from ..scripted.synthesizer import Delivery
from ..scripted.wires import WireFactory
from .watched import WatchedBackend, WatchedRecognition, WatchedSynthesis

PATIENCE = 900.0
"""Virtual seconds after which a session counts as hanging."""
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
    `refusals` then holds its error messages.
    """

    def __init__(self, backend: Backend, asked: Asked, service: Service) -> None:
        self.backend = backend
        self.asked = asked
        self.refusals: list[str] = []
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

    @asynccontextmanager
    async def client(
        self, plan: tuple[Step, ...], backend: Backend | None = None
    ) -> AsyncGenerator[tuple[Client, ScriptedGateway], None]:
        """Yields a client of the backend, and the gateway that answers its dials and fails as planned.

        Raises `AssertionError` at the end where a codec has broken law 5.
        """
        complaints: list[str] = []
        watched = cast(
            Backend,
            WatchedBackend(
                backend or self.backend,
                partial(WatchedRecognition, complaints=complaints),
                partial(WatchedSynthesis, complaints=complaints),
            ),
        )
        async with open_gateway(manner=self._manner, delivery=self._delivery, wires=self._wires) as gateway:
            gateway.plan(*plan)
            patient = RetryPolicy(deadline=None)
            async with open_client(gateway.in_place_of(watched), retry=patient) as client:
                yield client, gateway
        if complaints:
            raise AssertionError(f"a codec says {complaints[0]}")


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


def run(case: str, session: Callable[[], Awaitable[_Result]]) -> _Result:
    """Runs `session` on virtual time. Raises `AssertionError` where it hangs; adds the case to any exception."""

    async def patient() -> _Result:
        with trio.move_on_after(PATIENCE):
            return await session()
        raise AssertionError(f"the session does not end within {PATIENCE:g} s of virtual time")

    state = random.getstate()
    random.seed(case)  # waits are jittered: equal cases are to go alike
    try:
        return trio.run(patient, clock=MockClock(autojump_threshold=0))
    except Exception as error:
        error.add_note(f"in the case: {case}")
        raise
    finally:
        random.setstate(state)
