"""The server's side of the opening handshake."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_speech._core.retry.causes import Broken, Silent
from trio_speech._shell.connection import accept_connection
from trio_speech.testing import memory_stream_pair

from .pair import cause_of


async def test_a_client_that_sends_no_request_times_out() -> None:
    _, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        assert await cause_of(accept_connection(nursery, theirs, timeout=2.0)) == Silent("answer to the handshake", 2.0)
    assert trio.current_time() == 2.0


async def test_a_client_that_leaves_before_its_request_is_noticed_at_once() -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        await ours.aclose()
        cause = await cause_of(accept_connection(nursery, theirs, timeout=2.0))
    assert cause == Broken("the client left before its handshake")


async def test_a_client_that_does_not_speak_http_is_refused() -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        await ours.send_all(b"\x16\x03\x01 nonsense\r\n\r\n")
        await cause_of(accept_connection(nursery, theirs, timeout=2.0))
    assert trio.current_time() <= 2.0


@pytest.mark.parametrize("answer", ["accept", "reject"])
async def test_a_client_that_leaves_before_the_answer_does_no_harm(answer: str) -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        await ours.send_all(
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        handshake = await accept_connection(nursery, theirs, timeout=2.0)
        await ours.aclose()
        await wait_all_tasks_blocked()
        match answer:
            case "accept":
                assert isinstance(await cause_of(handshake.accept()), Broken)
            case "reject":
                await handshake.reject(503)
