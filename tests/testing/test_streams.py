"""Memory streams that behave as sockets do, and a line that can be made to fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints, check_half_closeable_stream, wait_all_tasks_blocked

from trio_speech.testing.scripted.faults import BlackHole, Drop, Fin, Freeze, StallWrites
from trio_speech.testing.streams import BreakableStream, MemoryStream, memory_stream_pair

Pair = tuple[MemoryStream, MemoryStream]


async def maker() -> Pair:
    return memory_stream_pair(1_000)


async def clogged_maker() -> Pair:
    left, right = memory_stream_pair(1_000)
    for stream in (left, right):
        await stream.send_all(bytes(1_000))
    return left, right


async def test_memory_streams_keep_the_contract_of_streams(autojump_clock: MockClock) -> None:
    await check_half_closeable_stream(maker, clogged_maker)


async def test_a_full_stream_blocks_its_sender(autojump_clock: MockClock) -> None:
    left, right = memory_stream_pair(10)
    with trio.move_on_after(60) as scope:
        await left.send_all(bytes(11))
    assert scope.cancelled_caught
    assert await right.receive_some() == bytes(10)
    with assert_checkpoints():
        await left.send_all(bytes(10))


async def blocked(task: Callable[[], Awaitable[object]], then: Callable[[], object]) -> type[BaseException] | None:
    """How `task`, once it is blocked, ends after `then`."""
    ended: list[type[BaseException] | None] = []

    async def run() -> None:
        try:
            await task()
        except trio.BrokenResourceError as error:
            ended.append(type(error))
        else:
            ended.append(None)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await wait_all_tasks_blocked()
        assert not ended
        then()
    return ended[0]


async def test_a_severed_stream_is_broken_on_both_sides() -> None:
    left, right = memory_stream_pair(10)
    assert await blocked(right.receive_some, left.sever) is trio.BrokenResourceError
    for stream in (left, right):
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"x")
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some()


async def test_severing_wakes_a_blocked_sender() -> None:
    left, right = memory_stream_pair(10)
    assert await blocked(lambda: left.send_all(bytes(11)), right.sever) is trio.BrokenResourceError


async def test_data_that_arrived_can_be_read_after_a_break() -> None:
    left, right = memory_stream_pair(10)
    await left.send_all(b"last words")
    left.sever()
    assert await right.receive_some() == b"last words"
    with pytest.raises(trio.BrokenResourceError):
        await right.receive_some()


async def test_a_peer_that_goes_is_noticed() -> None:
    left, right = memory_stream_pair()
    assert await blocked(right.wait_peer_gone, left.sever) is None
    left, right = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(right.wait_peer_gone)
        await wait_all_tasks_blocked()
        await left.aclose()


async def test_data_passes_unchanged_without_faults() -> None:
    ours, theirs = memory_stream_pair()
    line = BreakableStream(ours)
    await theirs.send_all(b"there")
    assert await line.receive_some() == b"there"
    await line.wait_send_all_might_not_block()
    await line.send_all(b"back")
    assert await theirs.receive_some() == b"back"
    await line.aclose()
    assert await theirs.receive_some() == b""


async def test_pongs_are_counted() -> None:
    ours, _ = memory_stream_pair()
    pongs: list[int] = []
    line = BreakableStream(ours, on_pong=lambda: pongs.append(1))
    for frame in (b"\x8a\x00", b"\x81\x01x", b"HTTP/1.1 101", b"\x8a\x02hi"):
        await line.send_all(frame)
    assert len(pongs) == 2


async def test_drop_is_a_reset() -> None:
    ours, theirs = memory_stream_pair()
    assert await BreakableStream(ours).strike(Drop())
    with pytest.raises(trio.BrokenResourceError):
        await theirs.receive_some()


async def test_fin_ends_the_stream_without_a_close_frame() -> None:
    ours, theirs = memory_stream_pair()
    line = BreakableStream(ours)
    assert await line.strike(Fin())
    assert await theirs.receive_some() == b""
    await theirs.send_all(b"anybody there?")
    await line.send_all(b"swallowed")


async def test_a_black_hole_discards_data_in_both_directions(autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair(10)
    line = BreakableStream(ours)
    assert await line.strike(BlackHole())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.receive_some)
        for _ in range(100):
            await theirs.send_all(bytes(10))
        await line.send_all(b"no")
        with trio.move_on_after(3_600) as scope:
            await theirs.receive_some()
        assert scope.cancelled_caught
        await theirs.aclose()


async def test_stalled_writes_block_the_sender_until_it_leaves(autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair(10)
    line = BreakableStream(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.receive_some)
        await wait_all_tasks_blocked()
        assert await line.strike(StallWrites())
        with trio.move_on_after(3_600) as scope:
            await theirs.send_all(bytes(21))
        assert scope.cancelled_caught
        await theirs.aclose()


async def test_a_freeze_holds_data_then_delivers_it(autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair()
    line = BreakableStream(ours)
    times: dict[str, float] = {}

    async def read() -> None:
        assert await line.receive_some() == b"ping"
        times["there"] = trio.current_time()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        assert not await line.strike(Freeze(5.0))
        await theirs.send_all(b"ping")
        await line.send_all(b"pong")
        times["back"] = trio.current_time()
    assert times == {"there": 5.0, "back": 5.0}
    assert await theirs.receive_some() == b"pong"


async def test_a_torn_frame_is_half_a_frame_and_a_reset() -> None:
    ours, theirs = memory_stream_pair()
    line = BreakableStream(ours)
    line.tear()
    with pytest.raises(trio.BrokenResourceError):
        await line.send_all(b"123456")
    assert await theirs.receive_some() == b"123"
    with pytest.raises(trio.BrokenResourceError):
        await theirs.receive_some()


async def test_a_lingering_stream_is_closed_after_its_time(autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair()
    line = BreakableStream(ours)
    line.linger(7.0)
    await line.aclose()
    with trio.move_on_after(1.0) as scope:
        await theirs.receive_some()
    assert scope.cancelled_caught
    await line.hang_up()
    assert trio.current_time() == 1.0 + 7.0
    assert await theirs.receive_some() == b""


async def test_a_lingering_stream_is_closed_when_the_client_leaves(autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair()
    line = BreakableStream(ours)
    line.linger(3_600.0)
    await theirs.aclose()
    await line.hang_up()
    assert trio.current_time() == 0.0


async def test_fin_on_an_ended_stream_does_nothing() -> None:
    ours, theirs = memory_stream_pair()
    line = BreakableStream(ours)
    await ours.aclose()
    assert await line.strike(Fin())
    assert await theirs.receive_some() == b""


async def test_a_stream_ends_though_somebody_is_sending() -> None:
    ours, theirs = memory_stream_pair(4)
    line = BreakableStream(ours)
    cut = trio.Event()

    async def send() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await line.send_all(b"a frame")
        cut.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await wait_all_tasks_blocked()
        assert await line.strike(Fin())
        await cut.wait()
    assert [await theirs.receive_some(), await theirs.receive_some()] == [b"a fr", b""]
