"""Frames of several writers on one stream: what the network does not take at once goes first, whoever writes next."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
import trio
from trio.testing import assert_no_checkpoints, wait_all_tasks_blocked

from trio_speech._shell.framing import server_frame
from trio_speech._shell.heads import Heads
from trio_speech._shell.inbox import Inbox
from trio_speech._shell.tap import Tap
from trio_speech.testing import memory_stream_pair

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
    tap = Tap(ours, Heads(1))
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
    tap = Tap(ours, Heads(1))
    with assert_no_checkpoints():
        assert tap.send_nowait(b"a frame")
    assert await all_of(theirs, 7) == b"a frame"
    await ours.aclose()
    await theirs.aclose()


async def test_a_frame_waits_for_one_that_is_being_written() -> None:
    ours, theirs = sockets()
    tap = Tap(ours, Heads(1))
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
    tap = Tap(ours, Heads(1))
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
    tap = Tap(ours, Heads(1))
    await ours.aclose()
    for _ in range(2):
        with pytest.raises(trio.ClosedResourceError):
            await tap.receive_some()
    assert tap.ended
    await theirs.aclose()


async def test_where_more_has_come_than_was_read_who_waits_for_it_goes_first() -> None:
    ours, theirs = memory_stream_pair()
    tap, held = Tap(ours, Heads(1_000), Inbox()), list[int]()
    frame = server_frame(bytes(98))
    await theirs.send_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    await tap.receive_some(65_536)
    await theirs.send_all(20 * frame)

    async def take_all() -> None:
        while True:
            await tap.news.wait()
            messages = list(iter(tap.take, None))
            held.append(len(messages))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take_all)
        await wait_all_tasks_blocked()
        nursery.start_soon(tap.receive_some, 100)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert held == [1] * 20
