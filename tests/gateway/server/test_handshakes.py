"""Handshakes under siege, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio

from trio_speech.gateway import serve
from trio_speech.gateway.server import handshakes
from trio_speech.gateway.server.handshakes import HANDSHAKE_TIMEOUT, HANDSHAKES, Handshakes


@pytest.fixture
async def port(recognizer: Any, voice: Any) -> AsyncGenerator[int, None]:
    async with trio.open_nursery() as nursery:
        yield await nursery.start(partial(serve, recognizer=recognizer, voice=voice, keys={"key": "s" * 40}))
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def slow_clients(port: int, count: int) -> AsyncGenerator[list[trio.SocketStream], None]:
    """Connections that begin a request and never end it."""
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(await trio.open_tcp_stream("127.0.0.1", port)) for _ in range(count)]
        for stream in streams:
            await stream.send_all(b"GET /v1/stt HTTP/1.1\r\n")
        yield streams


async def test_a_hundred_slow_connections_do_not_delay_a_good_client(port: int, dial_on: Any) -> None:
    async with slow_clients(port, 100) as slow:
        began = trio.current_time()
        with pytest.raises(Exception, match="401"):  # at once: it has been read, and has no token
            async with dial_on(partial(trio.open_tcp_stream, "127.0.0.1", port), "/v1/tts"):
                raise AssertionError
        assert trio.current_time() - began < 1.0
        with trio.fail_after(2):
            answer = await slow[0].receive_some()
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n")


async def test_a_handshake_that_is_not_ended_is_answered_with_408(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshakes, "HANDSHAKE_TIMEOUT", 0.05)
    async with slow_clients(port, 1) as [slow]:
        with trio.fail_after(2):
            assert (await slow.receive_some()).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
            assert await slow.receive_some() == b""


async def test_the_oldest_of_the_greediest_address_makes_room(
    autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = {}
    monkeypatch.setattr(handshakes, "_address", addresses.get)
    pending, ended = Handshakes(limit=4), []

    async def client(name: str, address: str) -> None:
        stream: Any = object()
        addresses[stream] = address
        await pending.run(stream, trio.sleep_forever)
        ended.append((name, trio.current_time()))

    async with trio.open_nursery() as nursery:
        for name, address in (("a1", "a"), ("b1", "b"), ("b2", "b"), ("b3", "b"), ("c1", "c"), ("d1", "d")):
            nursery.start_soon(client, name, address)
            await trio.testing.wait_all_tasks_blocked()
        assert ended == [("b1", 0.0), ("b2", 0.0)]
    assert sorted(ended[2:]) == [(name, HANDSHAKE_TIMEOUT) for name in ("a1", "b3", "c1", "d1")]
    assert HANDSHAKES >= 4
