"""Permits for streams and dials, as a session takes them and gives them back."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.bulk import EndpointLimits
from trio_speech.bulk.permits import SESSION, LimitedBackend, SessionPermits
from trio_speech.testing import Drop, Hear, Refuse, ScriptedGateway, speech

LIMITS = EndpointLimits(streams=3, dials_per_second=5)


class RecordedPermits:
    """Grants at once, or once `open` is set; `held` is what is out."""

    def __init__(self) -> None:
        self.open = trio.Event()
        self.open.set()
        self.held: list[str] = []
        self.log: list[tuple[str, str, float]] = []

    async def acquire(self, name: str, most: int) -> str:
        await self.open.wait()
        kind = name.partition(" of ")[0]
        self.log.append(("acquire", kind, most))
        self.held.append(kind)
        return kind

    def release(self, name: str, ticket: str, after: float) -> None:
        self.log.append(("release", ticket, after))
        self.held.remove(ticket)


async def recognize(
    gateway: ScriptedGateway, permits: RecordedPermits, limits: EndpointLimits = LIMITS
) -> ts.Recognition:
    said = speech(6.0)
    async with (
        ts.open_client(LimitedBackend(gateway.backend())) as client,
        SessionPermits(permits, limits, "here") as session,
    ):
        reset = SESSION.set(session)
        try:
            return await client.recognize(said, said.audio_format)
        finally:
            SESSION.reset(reset)


async def test_a_session_takes_one_stream_and_one_dial(gateway: ScriptedGateway, autojump_clock: Any) -> None:
    permits = RecordedPermits()
    await recognize(gateway, permits)
    assert permits.log == [
        ("acquire", "streams", 3),
        ("acquire", "dials", 5),
        ("release", "dials", 1.0),
        ("release", "streams", 0.1),
    ]


async def test_each_reconnection_takes_a_dial(gateway: ScriptedGateway, autojump_clock: Any) -> None:
    gateway.plan(Hear(1.0), Drop(), Refuse(503), Hear(1.0), Drop())
    permits = RecordedPermits()
    await recognize(gateway, permits)
    assert len(gateway.visits) == 4
    assert permits.log.count(("acquire", "dials", 5)) == 4
    assert permits.held == []


async def test_what_has_no_limit_takes_no_permit(gateway: ScriptedGateway, autojump_clock: Any) -> None:
    permits = RecordedPermits()
    await recognize(gateway, permits, EndpointLimits())
    assert permits.log == []


async def test_a_cancelled_wait_leaves_no_permit_behind(gateway: ScriptedGateway, autojump_clock: Any) -> None:
    permits = RecordedPermits()

    class Stuck(RecordedPermits):
        async def acquire(self, name: str, most: int) -> str:
            if name.startswith("dials"):
                await trio.sleep_forever()
            return await super().acquire(name, most)

    permits = Stuck()
    with trio.move_on_after(1.0):
        await recognize(gateway, permits)
    assert permits.log == [("acquire", "streams", 3), ("release", "streams", 0.0)]


async def test_other_sessions_of_the_client_take_none(gateway: ScriptedGateway, autojump_clock: Any) -> None:
    backend = LimitedBackend(gateway.backend())
    assert repr(backend) == repr(gateway.backend())
    async with ts.open_client(backend) as client:
        clip = await client.render("It is sunny today.")
        await client.recognize(clip.audio, clip.audio_format)


@pytest.mark.parametrize("wrong", [{"streams": 0}, {"streams": 1.5}, {"dials_per_second": True}, {"speed": 0.0}])
def test_limits_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ts.ConfigurationError, match=f"EndpointLimits.{next(iter(wrong))} is"):
        EndpointLimits(**wrong)
