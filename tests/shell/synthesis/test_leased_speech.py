"""A synthesis while it has a lease, without a connection: what is asked for, and how it ends."""

from __future__ import annotations

from typing import cast

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import trio_speech as ts
from trio_speech._core.provider.messages import Audio, Done
from trio_speech._core.provider.profile import TtsProfile
from trio_speech._core.retry.causes import Broken
from trio_speech._core.synthesis.session import SynthesisMachine
from trio_speech._shell.connection import LinkDown
from trio_speech._shell.observability.telemetry import Telemetry
from trio_speech._shell.pool.lease import Lease
from trio_speech._shell.synthesis.leased_speech import LeasedSpeech

SAMPLE = Audio(b"\0\0")


class AnyLease:
    """Takes all that it is given; it is its own codec."""

    endpoint = "any"

    def __init__(self, *, reused: bool = False, dead: bool = False) -> None:
        self.reused = reused
        self.condemned: str | None = None
        self._dead = dead

    @property
    def codec(self) -> AnyLease:
        return self

    def text(self, text: str) -> str:
        return text

    def flush(self) -> str:
        return "flush"

    def send_nowait(self, *frames: str) -> bool:
        assert frames == ("Hello.", "flush")
        if self._dead:
            raise LinkDown(Broken("reset"))
        return True

    def condemn(self, why: str) -> None:
        self.condemned = why


def greeting(quiet_after_done: float = 0.0) -> tuple[SynthesisMachine, LeasedSpeech]:
    """A machine that has a sentence to say, and its tenancy."""
    machine = SynthesisMachine(ts.AudioFormat.pcm16(8_000), TtsProfile(quiet_after_done=quiet_after_done), "word")
    machine.add("Hello.")
    return machine, LeasedSpeech(machine, lambda now: None, Telemetry())


def begin(tenancy: LeasedSpeech, lease: AnyLease) -> None:
    tenancy.begin(cast(Lease, lease))


async def test_a_lease_that_ended_before_it_began_asks_for_nothing() -> None:
    machine, tenancy = greeting()
    tenancy.lost(Broken("reset"))
    tenancy.lost(Broken("reset again"))
    begin(tenancy, AnyLease(reused=True))
    await tenancy.speak()
    assert machine.statistics().requests == 0
    assert tenancy.cause == Broken("reset")
    assert tenancy.stale


async def test_a_connection_found_dead_when_it_is_asked_is_condemned() -> None:
    _, tenancy = greeting()
    lease = AnyLease(reused=True, dead=True)
    begin(tenancy, lease)
    await tenancy.speak()
    tenancy.leave()
    assert (tenancy.cause, tenancy.stale) == (Broken("reset"), True)
    assert lease.condemned == str(Broken("reset"))


@pytest.mark.parametrize("quiet", [0.0, 1.0])
async def test_what_is_over_when_it_is_dropped_leaves_nothing_to_wait_for(quiet: float) -> None:
    machine, tenancy = greeting(quiet)
    begin(tenancy, AnyLease())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tenancy.speak)
        await wait_all_tasks_blocked()
        assert machine.clear()
        assert not tenancy.heard(SAMPLE, trio.current_time())
        assert tenancy.outstanding
        assert not tenancy.heard(Done(), trio.current_time())
        assert tenancy.outstanding is (quiet > 0.0)
        nursery.cancel_scope.cancel()


async def test_a_connection_lost_when_all_was_said_asks_for_nothing_more() -> None:
    machine, tenancy = greeting()
    begin(tenancy, AnyLease())
    tenancy.heard(SAMPLE, trio.current_time())
    tenancy.heard(Done(), trio.current_time())
    machine.add("Goodbye.")
    tenancy.lost(Broken("reset"))
    await tenancy.speak()
    assert machine.statistics().requests == 1
    assert tenancy.cause == Broken("reset")


async def test_what_is_dropped_in_the_quiet_after_it_may_not_be_over() -> None:
    machine, tenancy = greeting(quiet_after_done=1.0)
    begin(tenancy, AnyLease())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tenancy.speak)
        await wait_all_tasks_blocked()
        tenancy.heard(SAMPLE, trio.current_time())
        tenancy.heard(Done(), trio.current_time())
        assert machine.clear()
        tenancy.end("cleared")
    assert tenancy.outstanding
