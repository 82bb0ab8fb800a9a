"""The client's side of the opening handshake: one deadline for all of it, and a cause for each failure."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_speech._core.retry.causes import Refused, Silent, Unreachable
from trio_speech._shell.connection import Handshake, accept_connection, open_connection
from trio_speech.testing import MemoryStream, memory_stream_pair

from .pair import HEADERS, HELLO, URL, cause_of, dial


async def test_a_dial_sends_the_resource_and_headers_it_is_given() -> None:
    async with trio.open_nursery() as nursery:
        ours, theirs = memory_stream_pair()
        shaken: list[Handshake] = []

        async def connect() -> MemoryStream:
            await trio.lowlevel.checkpoint()
            return ours

        async def accept() -> None:
            shaken.append(await accept_connection(nursery, theirs, timeout=1.0))
            await shaken[0].accept()

        nursery.start_soon(accept)
        opened = await open_connection(nursery, URL, HEADERS, timeout=1.0, connect=connect)
        assert opened.opened_at == trio.current_time()
        nursery.cancel_scope.cancel()
    (handshake,) = shaken
    assert handshake.resource == "/v1/stt?model=a%2Fb"
    assert handshake.headers["authorization"] == "Bearer secret"
    assert handshake.headers["user-agent"] == "test"


async def test_a_handshake_that_is_never_answered_times_out() -> None:
    async def mute(stream: MemoryStream) -> None:
        await trio.sleep_forever()

    assert await dial(mute) == Silent("answer to the handshake", 5.0)
    assert trio.current_time() == 5.0


async def test_a_stream_that_is_never_opened_times_out() -> None:
    async with trio.open_nursery() as nursery:
        opening = open_connection(nursery, URL, (), timeout=3.0, connect=trio.sleep_forever)
        assert await cause_of(opening) == Silent("answer to the handshake", 3.0)
    assert trio.current_time() == 3.0


async def test_a_stream_that_ends_during_the_handshake_fails_at_once() -> None:
    async def leave(stream: MemoryStream) -> None:
        await stream.receive_some(10)
        await stream.aclose()

    cause = await dial(leave)
    assert isinstance(cause, Unreachable)
    assert "the handshake was not answered" in cause.reason
    assert trio.current_time() == 0.0


async def test_a_stream_that_breaks_during_the_handshake_fails_at_once() -> None:
    async def sever(stream: MemoryStream) -> None:
        stream.sever()
        await trio.lowlevel.checkpoint()

    assert isinstance(await dial(sever), Unreachable)
    assert trio.current_time() == 0.0


@pytest.mark.parametrize("answer", [b"\x16\x03\x01nonsense\r\n\r\n", HELLO])
async def test_an_invalid_answer_fails_at_once(answer: bytes) -> None:
    async def reply(stream: MemoryStream) -> None:
        await stream.receive_some()
        await stream.send_all(answer)

    assert isinstance(await dial(reply), Unreachable)
    assert trio.current_time() == 0.0


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ((), Refused(503, "busy")),
        ((("Retry-After", "7"), ("X-Request-Id", "r1")), Refused(503, "busy", 7.0, "r1")),
        ((("Retry-After", "soon"),), Refused(503, "busy")),
        ((("dg-request-id", "r2"),), Refused(503, "busy", None, "r2")),
        ((("Location", "/v2"),), Refused(503, "busy", location="/v2")),
    ],
)
async def test_a_refusal_carries_its_body_and_headers(headers: tuple[tuple[str, str], ...], refused: Refused) -> None:
    async def refuse(stream: MemoryStream) -> None:
        async with trio.open_nursery() as nursery:
            handshake = await accept_connection(nursery, stream, timeout=1.0)
            await handshake.reject(503, b"busy", headers)

    assert await dial(refuse) == refused


@pytest.mark.parametrize(("body", "reason"), [(b"", "no such model"), (b" ", "no such model"), (b"busy", "busy")])
async def test_a_refusal_without_a_body_is_explained_by_an_error_header(body: bytes, reason: str) -> None:
    async def refuse(stream: MemoryStream) -> None:
        async with trio.open_nursery() as nursery:
            handshake = await accept_connection(nursery, stream, timeout=1.0)
            await handshake.reject(400, body, (("dg-error", "no such model"),))

    assert await dial(refuse) == Refused(400, reason)


async def test_subprotocols_are_offered() -> None:
    ours, theirs = memory_stream_pair()
    offered: list[tuple[str, ...]] = []

    async def serve() -> None:
        async with trio.open_nursery() as inner:
            handshake = await accept_connection(inner, theirs, timeout=1.0)
            offered.append(handshake.subprotocols)
            await handshake.reject(400)

    async def connect() -> MemoryStream:
        await trio.lowlevel.checkpoint()
        return ours

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        await cause_of(open_connection(nursery, URL, (), timeout=1.0, subprotocols=("v1", "a-key"), connect=connect))
    assert offered == [("v1", "a-key")]


async def test_the_body_of_a_long_refusal_is_cut() -> None:
    async def refuse(stream: MemoryStream) -> None:
        async with trio.open_nursery() as nursery:
            handshake = await accept_connection(nursery, stream, timeout=1.0)
            await handshake.reject(400, b"x" * 10_000)

    cause = await dial(refuse)
    assert isinstance(cause, Refused)
    assert cause.reason == "x" * 500


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
@pytest.mark.parametrize("status", [101, 503])
async def test_interim_answers_are_skipped(interim: bytes, status: int) -> None:
    async with trio.open_nursery() as nursery:
        ours, theirs = memory_stream_pair()

        async def connect() -> MemoryStream:
            await trio.lowlevel.checkpoint()
            return ours

        async def serve() -> None:
            await theirs.send_all(interim + interim)
            await wait_all_tasks_blocked()
            handshake = await accept_connection(nursery, theirs, timeout=1.0)
            await (handshake.accept() if status == 101 else handshake.reject(status))

        nursery.start_soon(serve)
        dialing = open_connection(nursery, URL, (), timeout=1.0, connect=connect)
        if status == 101:
            await dialing
        else:
            assert await cause_of(dialing) == Refused(503)
        nursery.cancel_scope.cancel()


async def test_cancelling_a_dial_leaves_nothing_behind() -> None:
    ours, _ = memory_stream_pair()

    async def connect() -> MemoryStream:
        await trio.lowlevel.checkpoint()
        return ours

    async with trio.open_nursery() as nursery:
        with trio.move_on_after(1.0):
            await open_connection(nursery, URL, (), timeout=5.0, connect=connect)
        assert not nursery.child_tasks
        with pytest.raises(trio.ClosedResourceError):
            await ours.send_all(b"")
