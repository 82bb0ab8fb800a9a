"""Frames of several writers on one stream: what the network does not take at once goes first, whoever writes next."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import assert_no_checkpoints, wait_all_tasks_blocked

from trio_speech._shell.connection.frame_limits import FrameLimits
from trio_speech._shell.connection.frame_reader import FrameReader
from trio_speech._shell.connection.framing import server_frame
from trio_speech._shell.connection.shared_stream import SharedStream
from trio_speech.testing import memory_stream_pair

Pair = Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]]

OPENING = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
PING = b"\x89\x00"
FRAMES = [bytes((number,)) * 50_000 for number in range(1, 41)]


def sockets() -> tuple[trio.SocketStream, trio.SocketStream]:
    ours, theirs = socket.socketpair()
    return tuple(trio.SocketStream(trio.socket.from_stdlib_socket(each)) for each in (ours, theirs))  # type: ignore[return-value]


async def all_of(stream: trio.abc.ReceiveStream, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        got += await stream.receive_some()
    return bytes(got)


@pytest.mark.parametrize("pair", [sockets, memory_stream_pair])
async def test_what_is_not_taken_at_once_goes_first(
    pair: Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]],
) -> None:
    ours, theirs = pair()
    tap = SharedStream(ours, FrameLimits(1))
    taken = [tap.send_nowait(frame) for frame in FRAMES]
    assert not taken[-1]
    assert taken == sorted(taken, reverse=True), "once behind, nothing may overtake"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tap.send_all, b"the end")
        assert await all_of(theirs, 50_000 * len(FRAMES) + 7) == b"".join(FRAMES) + b"the end"
    await tap.send_all(b"")
    await ours.aclose()
    await theirs.aclose()


async def test_a_plain_socket_takes_a_frame_at_once() -> None:
    ours, theirs = sockets()
    tap = SharedStream(ours, FrameLimits(1))
    with assert_no_checkpoints():
        assert tap.send_nowait(b"a frame")
    assert await all_of(theirs, 7) == b"a frame"
    await ours.aclose()
    await theirs.aclose()


async def test_a_frame_waits_for_one_that_is_being_written() -> None:
    ours, theirs = sockets()
    tap = SharedStream(ours, FrameLimits(1))
    large = bytes(2**22)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tap.send_all, large)
        await trio.testing.wait_all_tasks_blocked()
        assert not tap.send_nowait(b"a frame")
        nursery.start_soon(tap.send_all, b"")
        assert await all_of(theirs, len(large) + 7) == large + b"a frame"
    await ours.aclose()
    await theirs.aclose()


async def test_that_the_peer_is_gone_is_told_by_the_next_send() -> None:
    ours, theirs = sockets()
    tap = SharedStream(ours, FrameLimits(1))
    await theirs.aclose()
    assert not tap.send_nowait(b"a frame")
    with pytest.raises(trio.BrokenResourceError):
        await tap.send_all(b"")
    assert tap.ended is not None
    await ours.aclose()


@pytest.mark.parametrize("pair", [sockets, memory_stream_pair])
async def test_a_stream_that_was_closed_is_told_by_the_next_receive(
    pair: Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]],
) -> None:
    ours, theirs = pair()
    tap = SharedStream(ours, FrameLimits(1))
    await ours.aclose()
    for _ in range(2):
        with pytest.raises(trio.ClosedResourceError):
            await tap.receive_some()
    assert tap.ended
    await theirs.aclose()


# ---------------------------------------------------------------- two who read


class Turns(trio.abc.Instrument):
    """Whose turn it was."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.names.append(task.name)


@asynccontextmanager
async def opened(pair: Pair = memory_stream_pair) -> AsyncGenerator[tuple[SharedStream, trio.abc.Stream, list[bytes]]]:
    """A tap behind the handshake, its peer, and what the library's reader has of it."""
    ours, theirs = pair()
    tap, aside = SharedStream(ours, FrameLimits(1_000), FrameReader()), list[bytes]()

    async def library() -> None:
        while data := await tap.receive_some(65_536):
            aside.append(bytes(data))

    async with trio.open_nursery() as nursery:
        await theirs.send_all(OPENING)
        nursery.start_soon(library)
        await wait_all_tasks_blocked()
        assert aside == [OPENING]
        aside.clear()
        yield tap, theirs, aside
        nursery.cancel_scope.cancel()
    await theirs.aclose()
    await ours.aclose()


@pytest.mark.parametrize("pair", [sockets, memory_stream_pair])
async def test_messages_are_for_who_takes_them_and_all_else_for_the_library(pair: Pair) -> None:
    async with opened(pair) as (tap, theirs, aside):
        for _ in range(3):
            await theirs.send_all(server_frame("one") + PING + server_frame(b"two"))
            assert [await tap.message(), await tap.message()] == ["one", b"two"]
            await wait_all_tasks_blocked()
        assert aside == 3 * [PING]


async def test_who_takes_messages_has_them_without_another_tasks_turn() -> None:
    async with opened() as (tap, theirs, _), trio.open_nursery() as nursery:
        await theirs.send_all(server_frame("one"))
        await tap.message()
        nursery.start_soon(tap.message)
        await wait_all_tasks_blocked()
        turns = Turns()
        trio.lowlevel.add_instrument(turns)
        await theirs.send_all(server_frame("two"))
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(turns)
        assert [name for name in turns.names if "test_" not in name] == [
            "trio_speech._shell.connection.shared_stream.SharedStream.message"
        ]


async def test_while_nobody_takes_messages_the_library_reads_as_soon_as_something_is_sent() -> None:
    async with opened() as (tap, theirs, aside):
        await theirs.send_all(server_frame("one"))
        assert await tap.message() == "one"
        with trio.move_on_after(0):
            await tap.message()
        await tap.send_all(PING)
        await theirs.send_all(PING)
        await wait_all_tasks_blocked()
        assert aside == [PING]


async def test_what_is_the_librarys_is_bounded_while_it_does_not_fetch_it() -> None:
    ours, theirs = memory_stream_pair()
    tap = SharedStream(ours, FrameLimits(1_000), FrameReader())
    await theirs.send_all(OPENING + PING)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tap.message)
        await wait_all_tasks_blocked()
        await theirs.send_all(100 * PING + server_frame("behind"))
        await wait_all_tasks_blocked()
        assert await tap.receive_some() == OPENING + PING
        assert await tap.receive_some() == 100 * PING
    await ours.aclose()
    await theirs.aclose()


async def test_the_end_is_told_to_both() -> None:
    async with opened() as (tap, theirs, _):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(theirs.aclose)
            assert await tap.message() is None
        assert await tap.message() is None
        assert await tap.receive_some() == b""


async def test_messages_that_nobody_takes_are_bounded() -> None:
    async with opened() as (tap, theirs, aside):
        for _ in range(64):
            await theirs.send_all(server_frame("one"))
            await wait_all_tasks_blocked()
        await theirs.send_all(PING)
        await wait_all_tasks_blocked()
        assert not aside
        assert tap.take() == "one"
        await wait_all_tasks_blocked()
        assert aside == [PING]


async def test_who_gives_up_taking_leaves_the_reading_to_the_library() -> None:
    async with opened() as (tap, theirs, aside):
        await theirs.send_all(server_frame("one"))
        await tap.message()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tap.message)
            await wait_all_tasks_blocked()
            await tap.send_all(PING)
            nursery.cancel_scope.cancel()
        await theirs.send_all(PING)
        await wait_all_tasks_blocked()
        assert aside == [PING]


async def take(tap: SharedStream, taken: list[str | bytes | None]) -> None:
    taken.append(await tap.message())


async def test_two_may_take() -> None:
    async with opened() as (tap, theirs, _):
        taken = list[str | bytes | None]()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(take, tap, taken)
            nursery.start_soon(take, tap, taken)
            await wait_all_tasks_blocked()
            await theirs.send_all(server_frame("one"))
            await wait_all_tasks_blocked()
            await tap.send_all(PING)
            await theirs.send_all(server_frame("two"))
        assert taken == ["one", "two"]


async def test_while_somebody_takes_a_send_is_no_news_to_the_library() -> None:
    async with opened() as (tap, theirs, _), trio.open_nursery() as nursery:
        await theirs.send_all(server_frame("one"))
        await tap.message()
        nursery.start_soon(tap.message)
        await wait_all_tasks_blocked()
        turns = Turns()
        trio.lowlevel.add_instrument(turns)
        await tap.send_all(PING)
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(turns)
        nursery.cancel_scope.cancel()
    assert not [name for name in turns.names if name.endswith("library")]


class FailsOnce(trio.abc.Stream):
    """Raises once, and then waits for ever, as no stream should."""

    def __init__(self, error: Exception) -> None:
        self._errors = [error]

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        if self._errors:
            raise self._errors.pop()
        await trio.sleep_forever()
        return b""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("error", [trio.BrokenResourceError("gone"), ConnectionResetError("gone"), EOFError("gone")])
async def test_how_reading_failed_is_told_to_both_however_it_did(error: Exception) -> None:
    tap = SharedStream(FailsOnce(error), FrameLimits(1_000), FrameReader())
    assert await tap.message() is None
    assert tap.ended == "gone"
    with pytest.raises(type(error), match="gone"):
        await tap.receive_some()


async def test_the_end_is_told_to_both_after_a_send_that_failed() -> None:
    async with opened() as (tap, theirs, _):
        await theirs.send_all(server_frame("one"))
        await tap.message()
        taken = list[str | bytes | None]()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(take, tap, taken)
            nursery.start_soon(take, tap, taken)
            await wait_all_tasks_blocked()
            tap._end("a send failed")
            await wait_all_tasks_blocked()
            await theirs.send_all(server_frame("two"))
            await theirs.aclose()
        assert set(taken) == {"two", None}
        assert await tap.receive_some() == b""
