"""trio-websocket and the connection share one stream: order of writes, and who reads for whom."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import assert_no_checkpoints, wait_all_tasks_blocked

from trio_speech._shell.connection.byte_stream import as_byte_stream
from trio_speech._shell.connection.frame_limits import FrameLimits
from trio_speech._shell.connection.frame_reader import FrameReader
from trio_speech._shell.connection.framing import server_frame
from trio_speech._shell.connection.lifetime import Lifetime
from trio_speech._shell.connection.shared_stream import SharedStream
from trio_speech.testing import memory_stream_pair

Pair = Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]]

OPENING = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
PING = b"\x89\x00"
FRAMES = [bytes((number,)) * 50_000 for number in range(1, 41)]


def sockets() -> tuple[trio.SocketStream, trio.SocketStream]:
    ours, theirs = socket.socketpair()
    return tuple(trio.SocketStream(trio.socket.from_stdlib_socket(each)) for each in (ours, theirs))  # type: ignore[return-value]


def sharing(stream: trio.abc.Stream, limits: FrameLimits | None = None, *, max_message: int = 1_000) -> SharedStream:
    """With `limits`: as a server shares it, which leaves all frames to trio-websocket."""
    reader = FrameReader(max_message) if limits is None else None
    limits = limits or FrameLimits(max_message)
    return SharedStream(as_byte_stream(stream), limits, reader, Lifetime(trio.CancelScope()))


async def all_of(stream: trio.abc.ReceiveStream, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        got += await stream.receive_some()
    return bytes(got)


@pytest.mark.parametrize("pair", [sockets, memory_stream_pair])
async def test_what_the_network_did_not_take_goes_before_the_next_send(
    pair: Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]],
) -> None:
    ours, theirs = pair()
    shared = sharing(ours, FrameLimits(1))
    taken = [shared.send_nowait(frame) for frame in FRAMES]
    assert not taken[-1]
    assert taken == sorted(taken, reverse=True), "once behind, nothing may overtake"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shared.send_all, b"the end")
        assert await all_of(theirs, 50_000 * len(FRAMES) + 7) == b"".join(FRAMES) + b"the end"
    await shared.send_all(b"")
    await ours.aclose()
    await theirs.aclose()


async def test_a_plain_socket_takes_a_frame_at_once() -> None:
    ours, theirs = sockets()
    shared = sharing(ours, FrameLimits(1))
    with assert_no_checkpoints():
        assert shared.send_nowait(b"a frame")
    assert await all_of(theirs, 7) == b"a frame"
    await ours.aclose()
    await theirs.aclose()


async def test_a_frame_waits_for_one_that_is_being_written() -> None:
    ours, theirs = sockets()
    shared = sharing(ours, FrameLimits(1))
    large = bytes(2**22)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shared.send_all, large)
        await trio.testing.wait_all_tasks_blocked()
        assert not shared.send_nowait(b"a frame")
        nursery.start_soon(shared.send_all, b"")
        assert await all_of(theirs, len(large) + 7) == large + b"a frame"
    await ours.aclose()
    await theirs.aclose()


async def test_a_peer_that_is_gone_fails_the_next_send() -> None:
    ours, theirs = sockets()
    shared = sharing(ours, FrameLimits(1))
    await theirs.aclose()
    assert not shared.send_nowait(b"a frame")
    with pytest.raises(trio.BrokenResourceError):
        await shared.send_all(b"")
    assert shared.ended is not None
    await ours.aclose()


@pytest.mark.parametrize("pair", [sockets, memory_stream_pair])
async def test_a_stream_closed_here_fails_every_receive(
    pair: Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]],
) -> None:
    ours, theirs = pair()
    shared = sharing(ours, FrameLimits(1))
    await ours.aclose()
    for _ in range(2):
        with pytest.raises(trio.ClosedResourceError):
            await shared.receive_some()
    assert shared.ended
    await theirs.aclose()


# ---------------------------------------------------------------- two readers


class Turns(trio.abc.Instrument):
    """Records the names of the tasks that ran."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.names.append(task.name)


@asynccontextmanager
async def opened(
    pair: Pair = memory_stream_pair, *, max_message: int = 1_000
) -> AsyncGenerator[tuple[SharedStream, trio.abc.Stream, list[bytes]]]:
    """A shared stream after its handshake, its peer, and what trio-websocket's reader was given."""
    ours, theirs = pair()
    shared, left = sharing(ours, max_message=max_message), list[bytes]()

    async def library() -> None:
        while data := await shared.receive_some(65_536):
            left.append(bytes(data))

    async with trio.open_nursery() as nursery:
        await theirs.send_all(OPENING)
        nursery.start_soon(library)
        await wait_all_tasks_blocked()
        assert left == [OPENING]
        left.clear()
        yield shared, theirs, left
        nursery.cancel_scope.cancel()
    await theirs.aclose()
    await ours.aclose()


@pytest.mark.parametrize("pair", [sockets, memory_stream_pair])
async def test_messages_go_to_the_receiver_and_control_frames_to_the_library(pair: Pair) -> None:
    async with opened(pair) as (shared, theirs, left):
        for _ in range(3):
            await theirs.send_all(server_frame("one") + PING + server_frame(b"two"))
            assert [await shared.receive_message(), await shared.receive_message()] == ["one", b"two"]
            await wait_all_tasks_blocked()
        assert left == 3 * [PING]


async def test_a_receiver_gets_messages_without_a_task_switch() -> None:
    async with opened() as (shared, theirs, _), trio.open_nursery() as nursery:
        await theirs.send_all(server_frame("one"))
        await shared.receive_message()
        nursery.start_soon(shared.receive_message)
        await wait_all_tasks_blocked()
        turns = Turns()
        trio.lowlevel.add_instrument(turns)
        await theirs.send_all(server_frame("two"))
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(turns)
        assert [name for name in turns.names if "test_" not in name] == [
            "trio_speech._shell.connection.shared_stream.SharedStream.receive_message"
        ]


async def test_without_a_receiver_the_library_reads_once_something_is_sent() -> None:
    async with opened() as (shared, theirs, left):
        await theirs.send_all(server_frame("one"))
        assert await shared.receive_message() == "one"
        with trio.move_on_after(0):
            await shared.receive_message()
        await shared.send_all(PING)
        await theirs.send_all(PING)
        await wait_all_tasks_blocked()
        assert left == [PING]


async def test_nothing_more_is_read_until_the_library_has_fetched_its_part() -> None:
    ours, theirs = memory_stream_pair()
    shared = sharing(ours)
    await theirs.send_all(OPENING + PING)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shared.receive_message)
        await wait_all_tasks_blocked()
        await theirs.send_all(100 * PING + server_frame("behind"))
        await wait_all_tasks_blocked()
        assert await shared.receive_some() == OPENING + PING
        assert await shared.receive_some() == 100 * PING
    await ours.aclose()
    await theirs.aclose()


async def test_both_readers_learn_of_the_end() -> None:
    async with opened() as (shared, theirs, _):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(theirs.aclose)
            assert await shared.receive_message() is None
        assert await shared.receive_message() is None
        assert await shared.receive_some() == b""


async def test_nothing_more_is_read_while_64_messages_wait() -> None:
    async with opened() as (shared, theirs, left):
        for _ in range(64):
            await theirs.send_all(server_frame("one"))
            await wait_all_tasks_blocked()
        await theirs.send_all(PING)
        await wait_all_tasks_blocked()
        assert not left
        assert shared.take_message() == "one"
        await wait_all_tasks_blocked()
        assert left == [PING]


async def test_nothing_more_is_read_while_a_mebibyte_waits() -> None:
    async with opened(max_message=2**20) as (shared, theirs, left):
        for size in (2**20 - 10, 10):
            await theirs.send_all(server_frame("x" * size))
            await wait_all_tasks_blocked()
        await theirs.send_all(PING)
        await wait_all_tasks_blocked()
        assert not left
        assert shared.take_message() is not None
        await wait_all_tasks_blocked()
        assert left == [PING]


async def test_messages_behind_our_close_frame_are_dropped_and_the_peers_close_frame_is_seen() -> None:
    async with opened(max_message=2**20) as (shared, theirs, left):
        await shared.send_all(b"\x88\x80close frame")
        for _ in range(100):
            await theirs.send_all(server_frame("x" * 2**16))
        await theirs.send_all(PING)
        await wait_all_tasks_blocked()
        assert not shared.has_message
        assert left == [PING]


async def test_a_receiver_that_is_cancelled_leaves_reading_to_the_library() -> None:
    async with opened() as (shared, theirs, left):
        await theirs.send_all(server_frame("one"))
        await shared.receive_message()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shared.receive_message)
            await wait_all_tasks_blocked()
            await shared.send_all(PING)
            nursery.cancel_scope.cancel()
        await theirs.send_all(PING)
        await wait_all_tasks_blocked()
        assert left == [PING]


async def take(shared: SharedStream, taken: list[str | bytes | None]) -> None:
    taken.append(await shared.receive_message())


async def test_two_tasks_may_receive() -> None:
    async with opened() as (shared, theirs, _):
        taken = list[str | bytes | None]()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(take, shared, taken)
            nursery.start_soon(take, shared, taken)
            await wait_all_tasks_blocked()
            await theirs.send_all(server_frame("one"))
            await wait_all_tasks_blocked()
            await shared.send_all(PING)
            await theirs.send_all(server_frame("two"))
        assert taken == ["one", "two"]


async def test_a_send_does_not_wake_the_library_while_a_task_receives() -> None:
    async with opened() as (shared, theirs, _), trio.open_nursery() as nursery:
        await theirs.send_all(server_frame("one"))
        await shared.receive_message()
        nursery.start_soon(shared.receive_message)
        await wait_all_tasks_blocked()
        turns = Turns()
        trio.lowlevel.add_instrument(turns)
        await shared.send_all(PING)
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(turns)
        nursery.cancel_scope.cancel()
    assert not [name for name in turns.names if name.endswith("library")]


class FailsOnce(trio.abc.Stream):
    """Raises once, and then waits for ever."""

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
async def test_both_readers_learn_how_reading_failed(error: Exception) -> None:
    shared = sharing(FailsOnce(error))
    assert await shared.receive_message() is None
    assert shared.ended == "gone"
    with pytest.raises(type(error), match="gone"):
        await shared.receive_some()


class FailsToSend(trio.abc.Stream):
    """A stream that can be read, and not written."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self._stream.receive_some(max_bytes)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        raise trio.BrokenResourceError("no more is taken")

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        await self._stream.aclose()


def unwritable() -> tuple[trio.abc.Stream, trio.abc.Stream]:
    ours, theirs = memory_stream_pair()
    return FailsToSend(ours), theirs


async def test_both_readers_learn_of_the_end_after_a_send_that_failed() -> None:
    async with opened(unwritable) as (shared, theirs, _):
        await theirs.send_all(server_frame("one"))
        await shared.receive_message()
        taken = list[str | bytes | None]()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(take, shared, taken)
            nursery.start_soon(take, shared, taken)
            await wait_all_tasks_blocked()
            with pytest.raises(trio.BrokenResourceError):
                await shared.send_all(b"")
            await wait_all_tasks_blocked()
            await theirs.send_all(server_frame("two"))
            await theirs.aclose()
        assert set(taken) == {"two", None}
        assert await shared.receive_some() == b""
