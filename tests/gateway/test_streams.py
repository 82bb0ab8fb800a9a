from __future__ import annotations

import pytest
import trio
from trio.testing import check_two_way_stream

from trio_speech.gateway.streams import stream_pair


async def test_they_are_streams_as_trio_has_them() -> None:
    async def pair() -> tuple[trio.abc.Stream, trio.abc.Stream]:
        return stream_pair()

    await check_two_way_stream(pair, None)


async def test_a_sender_waits_when_too_much_is_under_way(autojump_clock: trio.testing.MockClock) -> None:
    ours, theirs = stream_pair()
    sent = 0
    with trio.move_on_after(1):
        while True:
            await ours.send_all(b"x" * 65_536)
            sent += 65_536
    assert sent == 4 * 65_536
    assert await theirs.receive_some(10) == b"x" * 10


async def test_large_data_comes_whole(nursery: trio.Nursery) -> None:
    ours, theirs = stream_pair()
    data = bytes(range(256)) * 4_000
    nursery.start_soon(ours.send_all, data)
    received = b""
    while len(received) < len(data):
        received += await theirs.receive_some()
    assert received == data


async def test_its_end() -> None:
    ours, theirs = stream_pair()
    await ours.send_all(b"last words")
    await ours.aclose()
    assert await theirs.receive_some() == b"last words"
    assert await theirs.receive_some() == b""
    with pytest.raises(trio.BrokenResourceError):
        await theirs.send_all(b"too late")
