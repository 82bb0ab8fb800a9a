# ruff: noqa: ASYNC109  # a connection's methods have timeouts

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_speech._core.retry.causes import Broken
from trio_speech._shell.connection import LinkDown
from trio_speech._shell.pool.multiplexed import MultiplexedConnection, Multiplexer, Stream


class Wire:
    """A connection, as far as a line knows it; `frames` is what the service says."""

    def __init__(self) -> None:
        self.opened_at = 7.0
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


async def send(seat: Stream, frame: str) -> None:
    """As a resident does."""
    if not seat.send_nowait(frame):
        await seat.flush(1.0)


@asynccontextmanager
async def a_line(wire: Wire, seats: int = 3) -> AsyncGenerator[tuple[Multiplexer, MultiplexedConnection]]:
    lines = Multiplexer()
    line = lines.open("voice", wire, seats)  # type: ignore[arg-type]
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(line.run)
            yield lines, line
            nursery.cancel_scope.cancel()


def seat(lines: Multiplexer) -> Stream:
    taken = lines.seat("voice")
    assert taken is not None
    return taken


async def test_every_seat_hears_everything_from_when_it_was_taken() -> None:
    wire = Wire()
    async with a_line(wire) as (lines, line):
        first = line.join()
        await wire.say("one")
        assert await first.receive() == "one"
        second = seat(lines)
        await wire.say("two")
        assert await first.receive() == await second.receive() == "two"
        assert (first.opened_at, await first.ping(3.0)) == (7.0, 1.5)


async def test_there_are_so_many_seats_and_none_for_another_voice() -> None:
    async with a_line(Wire(), seats=2) as (lines, line):
        line.join()
        assert lines.seat("another voice") is None
        last = seat(lines)
        assert lines.seat("voice") is None
        await last.close(1.0)
        assert lines.seat("voice") is not None


async def test_who_drops_a_seat_costs_the_others_nothing_but_no_one_joins_them() -> None:
    wire = Wire()
    async with a_line(wire) as (lines, line):
        first, second = line.join(), seat(lines)
        first.abort("it is mute")
        first.abort("again")
        assert lines.seat("voice") is None
        await wire.say("one")
        assert await second.receive() == "one"
        assert wire.ended == []
        second.abort("done with it")
        assert wire.ended == ["done with it"]


async def test_the_last_who_leaves_says_goodbye() -> None:
    wire = Wire()
    async with a_line(wire) as (lines, line):
        first, second = line.join(), seat(lines)
        await first.close(2.0)
        assert wire.ended == []
        await second.close(2.0)
        await second.close(2.0)
        assert wire.ended == ["closed within 2.0"]
        assert lines.seat("voice") is None


async def test_all_are_told_when_it_breaks() -> None:
    wire = Wire()
    async with a_line(wire) as (lines, line):
        seats = [line.join(), seat(lines)]
        wire.abort("cut")
        for each in seats:
            with pytest.raises(LinkDown) as caught:
                await each.receive()
            assert caught.value.cause == Broken("cut")
        assert lines.seat("voice") is None


async def test_a_cancelled_send_finishes_its_frame_before_the_next_begins() -> None:
    wire = Wire()
    wire.blocked = trio.Event()
    async with a_line(wire) as (lines, line):
        first, second, third = line.join(), seat(lines), seat(lines)
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


async def test_what_a_seat_could_not_write_at_once_goes_in_order_whenever_it_is_flushed() -> None:
    wire = Wire()
    wire.blocked = trio.Event()
    async with a_line(wire) as (lines, line):
        first, second = line.join(), seat(lines)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, first, "a")
            await wait_all_tasks_blocked()
            assert not second.send_nowait("b")
            wire.blocked.set()
        assert not second.send_nowait("c", "d")
        await second.flush(1.0)
        assert second.send_nowait("e")
    assert wire.sent == ["a begins", "a ends", "b c d begins", "b c d ends", "e begins", "e ends"]


async def test_who_leaves_while_it_is_spoken_to_holds_nobody_up(autojump_clock: MockClock) -> None:
    wire = Wire()
    async with a_line(wire) as (lines, line):
        deaf, second = line.join(), seat(lines)

        async def leave_late() -> None:
            await trio.sleep(5.0)
            deaf.abort("it never listened")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(leave_late)
            for number in range(70):
                await wire.say(str(number))
                assert await second.receive() == str(number)
        assert trio.current_time() >= 5.0
