# ruff: noqa: ASYNC109  # a connection's methods have timeouts

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_speech._core.retry.causes import Broken
from trio_speech._shell.connection import LinkDown, Redactor
from trio_speech._shell.pool.multiplexed import MultiplexedConnection, Multiplexer, Stream


class Wire:
    """A connection, as far as `MultiplexedConnection` knows it; `frames` is what the service says."""

    def __init__(self) -> None:
        self.opened_at = 7.0
        self.redactor = Redactor()
        self.sent: list[Any] = []
        self.ended: list[str] = []
        self.blocked = trio.Event()
        self.blocked.set()
        self.frame = ""
        self._frames, self._received = trio.open_memory_channel[str](0)

    async def say(self, frame: str) -> None:
        await self._frames.send(frame)

    async def receive(self) -> str:
        try:
            return await self._received.receive()
        except trio.EndOfChannel:
            raise LinkDown(Broken("cut")) from None

    def send_nowait(self, *frames: str) -> bool:
        self.frame = frame = " ".join(frames)
        self.sent.append(f"{frame} begins")
        if self.blocked.is_set():
            self.sent.append(f"{frame} ends")
        return self.blocked.is_set()

    async def flush(self, timeout: float) -> None:
        await self.blocked.wait()
        self.sent.append(f"{self.frame} ends")

    async def ping(self, timeout: float) -> float:
        return timeout / 2

    async def close(self, timeout: float) -> None:
        self.ended.append(f"closed within {timeout}")
        self._frames.close()

    def abort(self, why: str) -> None:
        self.ended.append(why)
        self._frames.close()


async def send(stream: Stream, frame: str) -> None:
    """As `PooledConnection` does."""
    if not stream.send_nowait(frame):
        await stream.flush(1.0)


@asynccontextmanager
async def shared_by(wire: Wire, capacity: int = 3) -> AsyncGenerator[tuple[Multiplexer, MultiplexedConnection]]:
    multiplexer = Multiplexer()
    shared = multiplexer.add("voice", wire, capacity)  # type: ignore[arg-type]
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shared.run)
            yield multiplexer, shared
            nursery.cancel_scope.cancel()


def join(multiplexer: Multiplexer) -> Stream:
    stream = multiplexer.join("voice")
    assert stream is not None
    return stream


async def test_every_stream_receives_all_frames_that_come_after_it_joined() -> None:
    wire = Wire()
    async with shared_by(wire) as (multiplexer, shared):
        first = shared.join()
        await wire.say("one")
        assert await first.receive() == "one"
        second = join(multiplexer)
        await wire.say("two")
        assert await first.receive() == await second.receive() == "two"
        assert (first.opened_at, await first.ping(3.0)) == (7.0, 1.5)


async def test_streams_join_up_to_the_capacity_and_for_their_own_key() -> None:
    async with shared_by(Wire(), capacity=2) as (multiplexer, shared):
        shared.join()
        assert multiplexer.join("another voice") is None
        last = join(multiplexer)
        assert multiplexer.join("voice") is None
        await last.close(1.0)
        assert multiplexer.join("voice") is not None


async def test_an_aborted_stream_ends_no_other_but_none_joins_after_it() -> None:
    wire = Wire()
    async with shared_by(wire) as (multiplexer, shared):
        first, second = shared.join(), join(multiplexer)
        first.abort("it is mute")
        first.abort("again")
        assert multiplexer.join("voice") is None
        await wire.say("one")
        assert await second.receive() == "one"
        assert wire.ended == []
        second.abort("done with it")
        assert wire.ended == ["done with it"]


async def test_the_last_stream_to_close_closes_the_connection() -> None:
    wire = Wire()
    async with shared_by(wire) as (multiplexer, shared):
        first, second = shared.join(), join(multiplexer)
        await first.close(2.0)
        assert wire.ended == []
        await second.close(2.0)
        await second.close(2.0)
        assert wire.ended == ["closed within 2.0"]
        assert multiplexer.join("voice") is None


async def test_all_streams_fail_when_the_connection_breaks() -> None:
    wire = Wire()
    async with shared_by(wire) as (multiplexer, shared):
        streams = [shared.join(), join(multiplexer)]
        wire.abort("cut")
        for each in streams:
            with pytest.raises(LinkDown) as caught:
                await each.receive()
            assert caught.value.cause == Broken("cut")
        assert multiplexer.join("voice") is None


async def test_a_cancelled_send_finishes_its_frame_before_the_next_begins() -> None:
    wire = Wire()
    wire.blocked = trio.Event()
    async with shared_by(wire) as (multiplexer, shared):
        first, second, third = shared.join(), join(multiplexer), join(multiplexer)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, first, "a")
            await wait_all_tasks_blocked()
            nursery.start_soon(send, second, "b")
            await wait_all_tasks_blocked()
            nursery.start_soon(send, third, "e")
            await wait_all_tasks_blocked()
            assert wire.sent == ["a begins"]
            wire.blocked.set()
        assert wire.sent == ["a begins", "a ends", "b begins", "b ends", "e begins", "e ends"]
        wire.blocked = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, first, "c")
            await wait_all_tasks_blocked()
            nursery.start_soon(send, second, "d")
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
            await trio.lowlevel.cancel_shielded_checkpoint()
            wire.blocked.set()
    assert wire.sent[6:] == ["c begins", "c ends"]


async def test_frames_that_could_not_be_written_at_once_go_out_in_order_with_the_flush() -> None:
    wire = Wire()
    wire.blocked = trio.Event()
    async with shared_by(wire) as (multiplexer, shared):
        first, second = shared.join(), join(multiplexer)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, first, "a")
            await wait_all_tasks_blocked()
            assert not second.send_nowait("b")
            wire.blocked.set()
        assert not second.send_nowait("c", "d")
        await second.flush(1.0)
        assert second.send_nowait("e")
    assert wire.sent == ["a begins", "a ends", "b c d begins", "b c d ends", "e begins", "e ends"]


async def test_a_stream_that_never_reads_holds_up_the_others_only_until_it_leaves(autojump_clock: MockClock) -> None:
    wire = Wire()
    async with shared_by(wire) as (multiplexer, shared):
        deaf, second = shared.join(), join(multiplexer)

        async def leave_late() -> None:
            await trio.sleep(5.0)
            deaf.abort("it never listened")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(leave_late)
            for number in range(70):
                await wire.say(str(number))
                assert await second.receive() == str(number)
        assert trio.current_time() >= 5.0
