"""A cut breaks present operations at once; connections made later work."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

from trio_speech.cli.cuttable import CuttableBackend


class Loopback:
    """A backend whose connections lead to the other end of a stream in memory."""

    recognizer = voice = None

    def __init__(self) -> None:
        self.peers: list[trio.abc.Stream] = []

    @asynccontextmanager
    async def transport(self) -> AsyncGenerator[Any]:
        async def connect(dial: Any) -> trio.abc.Stream:
            near, far = trio.testing.memory_stream_pair()
            self.peers.append(far)
            return near

        yield connect


async def test_a_cut_breaks_both_directions_and_spares_later_connections() -> None:
    loopback = Loopback()
    backend = CuttableBackend(loopback)  # type: ignore[arg-type]
    broken = []

    async def receive(stream: trio.abc.Stream) -> None:
        with pytest.raises(trio.BrokenResourceError) as caught:
            await stream.receive_some()
        broken.append(caught.value)

    async with backend.transport() as connect:
        first = await connect(None)
        await first.send_all(b"whole")
        assert await loopback.peers[0].receive_some() == b"whole"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive, first)
            await trio.testing.wait_all_tasks_blocked()
            backend.cut()
        assert len(broken) == 1
        with pytest.raises(trio.BrokenResourceError):
            await first.send_all(b"lost")
        with pytest.raises(trio.BrokenResourceError):
            await first.wait_send_all_might_not_block()
        await first.aclose()

        second = await connect(None)
        await loopback.peers[1].send_all(b"whole again")
        assert await second.receive_some() == b"whole again"


async def test_cancelling_an_operation_does_not_cut() -> None:
    backend = CuttableBackend(Loopback())  # type: ignore[arg-type]
    async with backend.transport() as connect:
        stream = await connect(None)
        with trio.move_on_after(0) as scope:
            await stream.receive_some()
        assert scope.cancelled_caught
        await stream.send_all(b"still whole")
