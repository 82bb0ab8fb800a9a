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
from trio_speech._shell.pool.pooled_connection import PooledConnection
from trio_speech._shell.synthesis.leased_speech import LeasedSpeech

SAMPLE = Audio(b"\0\0")


class AnyLease:
    """Takes all that it is given."""

    endpoint = "any"

    def __init__(self, *, reused: bool = False, dead: bool = False) -> None:
        self.reused = reused
        self.condemned: str | None = None
        self._dead = dead

    is_used_up = False

    def speak(self, text: str) -> bool:
        assert text == "Hello."
        if self._dead:
            raise LinkDown(Broken("reset"))
        return True

    def condemn(self, why: str) -> None:
        self.condemned = why


def greeting(quiet_after_done: float = 0.0) -> tuple[SynthesisMachine, LeasedSpeech]:
    """A machine that has a sentence to say, and the lease that it is said on."""
    machine = SynthesisMachine(ts.AudioFormat.pcm16(8_000), TtsProfile(quiet_after_done=quiet_after_done), "word")
    machine.add("Hello.")
    return machine, LeasedSpeech(machine, lambda now: None, Telemetry())


def begin(speech: LeasedSpeech, lease: AnyLease) -> None:
    speech.begin(cast(PooledConnection, lease))


async def test_a_lease_lost_before_it_begins_asks_for_nothing() -> None:
    machine, speech = greeting()
    speech.lost(Broken("reset"))
    speech.lost(Broken("reset again"))
    begin(speech, AnyLease(reused=True))
    await speech.speak()
    assert machine.statistics().requests == 0
    assert speech.cause == Broken("reset")
    assert speech.stale


async def test_a_connection_that_is_dead_at_the_first_write_is_condemned_as_stale() -> None:
    _, speech = greeting()
    lease = AnyLease(reused=True, dead=True)
    begin(speech, lease)
    await speech.speak()
    speech.leave()
    assert (speech.cause, speech.stale) == (Broken("reset"), True)
    assert lease.condemned == str(Broken("reset"))


@pytest.mark.parametrize("quiet", [0.0, 1.0])
async def test_done_after_a_clear_leaves_nothing_outstanding_unless_more_dones_may_come(quiet: float) -> None:
    machine, speech = greeting(quiet)
    begin(speech, AnyLease())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(speech.speak)
        await wait_all_tasks_blocked()
        assert machine.clear()
        assert not speech.heard(SAMPLE, trio.current_time())
        assert speech.outstanding
        assert not speech.heard(Done(), trio.current_time())
        assert speech.outstanding is (quiet > 0.0)
        nursery.cancel_scope.cancel()


async def test_a_connection_lost_after_done_asks_for_no_other_segment() -> None:
    machine, speech = greeting()
    begin(speech, AnyLease())
    speech.heard(SAMPLE, trio.current_time())
    speech.heard(Done(), trio.current_time())
    machine.add("Goodbye.")
    speech.lost(Broken("reset"))
    await speech.speak()
    assert machine.statistics().requests == 1
    assert speech.cause == Broken("reset")


async def test_a_clear_in_the_quiet_after_done_leaves_the_generation_outstanding() -> None:
    machine, speech = greeting(quiet_after_done=1.0)
    begin(speech, AnyLease())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(speech.speak)
        await wait_all_tasks_blocked()
        speech.heard(SAMPLE, trio.current_time())
        speech.heard(Done(), trio.current_time())
        assert machine.clear()
        speech.end("cleared")
    assert speech.outstanding
