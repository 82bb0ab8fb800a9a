"""TLS over sockets, against servers that are not ours: trio's `SSLStream`, and OpenSSL's own."""

from __future__ import annotations

import shutil
import socket
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme
from trio.testing import assert_no_checkpoints, wait_all_tasks_blocked

from trio_speech._shell.connection import LinkDown, accept_connection, open_connection
from trio_speech._shell.connection.byte_stream import SocketByteStream, as_byte_stream
from trio_speech._shell.connection.tls_stream import TlsStream

NAME = "speech.test"
LARGE = bytes(range(256)) * 20_000
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert(NAME)


def server_context(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CERTIFICATE.configure_cert(context)
    context.minimum_version = context.maximum_version = version
    return context


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def sockets() -> tuple[trio.SocketStream, trio.SocketStream]:
    ours, theirs = socket.socketpair()
    return tuple(trio.SocketStream(trio.socket.from_stdlib_socket(each)) for each in (ours, theirs))  # type: ignore[return-value]


class Pair:
    """Our stream, their TLS stream, and the socket below theirs."""

    def __init__(self, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, *, strict: bool = False) -> None:
        ours, self.socket = sockets()
        self.ours = TlsStream(as_byte_stream(ours), client_context(), NAME)
        self.theirs: Any = trio.SSLStream(
            self.socket, server_context(version), server_side=True, https_compatible=not strict
        )

    async def shake_hands(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.ours.do_handshake)
            nursery.start_soon(self.theirs.do_handshake)
        await self.theirs.send_all(b"tickets go with this")
        assert await self.ours.receive_some() == b"tickets go with this"


@asynccontextmanager
async def paired(*args: Any, **kwargs: Any) -> AsyncGenerator[Pair, None]:
    pair = Pair(*args, **kwargs)
    try:
        await pair.shake_hands()
        yield pair
    finally:
        await trio.aclose_forcefully(pair.ours)
        await trio.aclose_forcefully(pair.socket)


async def receive(stream: trio.abc.ReceiveStream, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        piece = await stream.receive_some()
        assert piece, "the stream ended early"
        got += piece
    return bytes(got)


# ---------------------------------------------------------------- data


@pytest.mark.parametrize("version", VERSIONS)
async def test_large_messages_go_both_ways_at_once(version: ssl.TLSVersion) -> None:
    async with paired(version) as pair:
        got: dict[str, bytes] = {}

        async def take(name: str, stream: trio.abc.ReceiveStream) -> None:
            got[name] = await receive(stream, len(LARGE))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(pair.ours.send_all, LARGE)
            nursery.start_soon(pair.theirs.send_all, LARGE)
            nursery.start_soon(take, "ours", pair.ours)
            nursery.start_soon(take, "theirs", pair.theirs)
        assert got == {"ours": LARGE, "theirs": LARGE}


async def test_a_message_is_written_without_a_checkpoint() -> None:
    async with paired() as pair:
        with assert_no_checkpoints():
            assert pair.ours.send_nowait(b"at once")
        assert await receive(pair.theirs, 7) == b"at once"


async def test_what_the_socket_takes_in_part_goes_before_what_is_sent_later() -> None:
    frames = [bytes((number,)) * 50_000 for number in range(1, 41)]
    async with paired() as pair, trio.open_nursery() as nursery:
        taken = [pair.ours.send_nowait(frame) for frame in frames]
        assert not taken[-1]
        assert taken == sorted(taken, reverse=True), "once behind, nothing may overtake"
        assert pair.ours.has_unsent
        nursery.start_soon(pair.ours.send_all, b"the end")
        assert await receive(pair.theirs, 50_000 * 40 + 7) == b"".join(frames) + b"the end"
        await pair.ours.send_all(b"")
        assert not pair.ours.has_unsent


async def test_a_message_sent_during_another_send_goes_after_it() -> None:
    async with paired() as pair, trio.open_nursery() as nursery:
        nursery.start_soon(pair.ours.send_all, LARGE)
        await wait_all_tasks_blocked()
        assert not pair.ours.send_nowait(b"after")
        assert await receive(pair.theirs, len(LARGE)) == LARGE
        await wait_all_tasks_blocked()
        await pair.ours.send_all(b"")
        assert await receive(pair.theirs, 5) == b"after"


async def test_no_more_than_max_bytes_are_returned() -> None:
    async with paired() as pair:
        await pair.theirs.send_all(b"0123456789")
        assert [await pair.ours.receive_some(4) for _ in range(3)] == [b"0123", b"4567", b"89"]


async def test_records_that_came_together_are_returned_together() -> None:
    async with paired() as pair:
        for number in range(5):
            await pair.theirs.send_all(b"%d" % number)
        await wait_all_tasks_blocked()
        assert await pair.ours.receive_some() == b"01234"


@pytest.mark.parametrize("cut", [1, 4, 5, 6, 20, -1])
async def test_a_cancelled_receive_loses_nothing_of_a_record_cut_anywhere(cut: int) -> None:
    async with paired() as pair:
        record = records_of(pair, b"a message")
        await pair.socket.send_all(record[:cut])
        with trio.move_on_after(1.0) as scope:
            await pair.ours.receive_some()
        assert scope.cancelled_caught
        await pair.socket.send_all(record[cut:])
        assert await pair.ours.receive_some() == b"a message"


def records_of(pair: Pair, data: bytes) -> bytes:
    """The records that hold `data`, as their side would send them, for a test to cut or to forge."""
    pair.theirs._ssl_object.write(data)
    return bytes(pair.theirs._outgoing.read())


async def test_session_tickets_after_the_handshake_are_no_data() -> None:
    ours, theirs = sockets()
    context = server_context()
    context.num_tickets = 8
    stream = TlsStream(as_byte_stream(ours), client_context(), NAME)
    server = trio.SSLStream(theirs, context, server_side=True, https_compatible=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.do_handshake)
        nursery.start_soon(server.do_handshake)
    with trio.move_on_after(1.0) as scope:
        await stream.receive_some()
    assert scope.cancelled_caught
    assert stream.send_nowait(b"ping")
    assert await server.receive_some() == b"ping"
    await server.send_all(b"pong")
    assert await stream.receive_some() == b"pong"
    await trio.aclose_forcefully(stream)
    await trio.aclose_forcefully(server)


# ---------------------------------------------------------------- ends


@pytest.mark.parametrize("how", ["close_notify", "none", "inside a record"])
async def test_the_stream_ends_with_the_peers(how: str) -> None:
    async with paired(strict=how == "close_notify") as pair, trio.open_nursery() as nursery:
        await pair.theirs.send_all(b"the last")
        match how:
            case "close_notify":
                nursery.start_soon(pair.theirs.aclose)  # which waits for our close_notify
                await wait_all_tasks_blocked()
            case "none":
                await pair.socket.aclose()
            case _:
                await pair.socket.send_all(records_of(pair, b"never whole")[:-3])
                await pair.socket.aclose()
        assert await pair.ours.receive_some() == b"the last"
        for _ in range(2):
            assert await pair.ours.receive_some() == b""
        await pair.ours.aclose()


async def test_closing_sends_close_notify_and_does_not_wait() -> None:
    async with paired(strict=True) as pair:
        with assert_no_waiting():
            await pair.ours.aclose()
        assert await pair.theirs.receive_some() == b"", "a strict peer raises where close_notify is missing"
        for use in (partial(pair.ours.send_all, b"x"), pair.ours.receive_some):
            with pytest.raises(trio.ClosedResourceError):
                await use()
        assert not pair.ours.send_nowait(b"x")
        await pair.ours.aclose()


class assert_no_waiting:  # noqa: N801  # reads as trio's own assert_no_checkpoints
    """Fails if virtual time passes inside, as it does once every task waits."""

    def __enter__(self) -> None:
        self._began = trio.current_time()

    def __exit__(self, *_: object) -> None:
        assert trio.current_time() == self._began


async def test_closing_after_a_torn_record_adds_nothing_to_it() -> None:
    async with paired() as pair:
        while pair.ours.send_nowait(LARGE[:16_000]):
            pass
        await pair.ours.aclose()
        got = 0
        while data := await pair.theirs.receive_some():
            got += len(data)
        assert got % 16_000 == 0


async def test_a_peer_that_is_gone_fails_the_next_send() -> None:
    async with paired() as pair:
        await pair.socket.aclose()
        assert not pair.ours.send_nowait(b"lost")
        with pytest.raises(trio.BrokenResourceError):
            await pair.ours.send_all(b"")


def _with_last_bit_flipped(record: bytes) -> bytes:
    return record[:-1] + bytes((record[-1] ^ 1,))


HOSTILE: dict[str, Callable[[Pair], bytes]] = {
    "no TLS": lambda _: b"HTTP/1.1 200 OK\r\n\r\n",
    "a wrong tag": lambda pair: _with_last_bit_flipped(records_of(pair, b"forged")),
    "a replayed record": lambda pair: 2 * records_of(pair, b"again"),
    "a record too long": lambda _: b"\x17\x03\x03\xff\xff" + bytes(65_535),
    "an empty record": lambda _: b"\x17\x03\x03\x00\x00",
    "an alert in the clear": lambda _: b"\x15\x03\x03\x00\x02\x02\x28",
    "a handshake in the clear": lambda _: b"\x16\x03\x03\x00\x04\x00\x00\x00\x00",
    "data in the clear": lambda _: b"\x17\x03\x03\x00\x05hello",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_record_breaks_the_stream_after_what_came_before_it(name: str) -> None:
    async with paired() as pair:
        genuine = records_of(pair, b"genuine ")
        await pair.socket.send_all(genuine + HOSTILE[name](pair))
        await wait_all_tasks_blocked()
        first = await pair.ours.receive_some()
        assert first.startswith(b"genuine ")
        assert first.removeprefix(b"genuine ") in (b"", b"again")
        for use in (pair.ours.receive_some, pair.ours.receive_some, partial(pair.ours.send_all, b"x")):
            with pytest.raises(trio.BrokenResourceError) as caught:
                await use()
            assert isinstance(caught.value.__cause__, ssl.SSLError)
        assert not pair.ours.send_nowait(b"x")


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x03\xff\xff" + bytes(65_535), b"\x16\x03\x03\x00\x01", b""],
)
async def test_a_handshake_that_is_answered_by_nonsense_fails(answer: bytes) -> None:
    ours, theirs = sockets()
    stream = TlsStream(as_byte_stream(ours), client_context(), NAME)
    async with trio.open_nursery() as nursery:

        async def answers() -> None:
            await theirs.receive_some()
            await theirs.send_all(answer)
            await theirs.send_eof()

        nursery.start_soon(answers)
        with pytest.raises(trio.BrokenResourceError) as caught:
            await stream.do_handshake()
    assert isinstance(caught.value.__cause__, ssl.SSLError)
    await trio.aclose_forcefully(stream)
    await trio.aclose_forcefully(theirs)


async def test_a_handshake_that_is_never_answered_ends_with_the_dials_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the kernel accepts, and nobody answers
        url = f"wss://127.0.0.1:{listener.getsockname()[1]}/"
        async with trio.open_nursery() as nursery:
            with pytest.raises(LinkDown, match="no answer to the handshake within 3 s"):
                await open_connection(nursery, url, (), timeout=3.0, ssl_context=client_context())
            assert not nursery.child_tasks


async def test_a_certificate_that_is_refused_is_told_to_the_peer() -> None:
    ours, theirs = sockets()
    stream = TlsStream(as_byte_stream(ours), ssl.create_default_context(), NAME)
    server = trio.SSLStream(theirs, server_context(), server_side=True)
    async with trio.open_nursery() as nursery:

        async def serve() -> None:
            with pytest.raises(trio.BrokenResourceError) as refused:
                await server.receive_some()  # after a handshake that may fail, or be over before the alert comes
            assert "unknown ca" in str(refused.value.__cause__)

        nursery.start_soon(serve)
        with pytest.raises(trio.BrokenResourceError) as caught:
            await stream.do_handshake()
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
    await trio.aclose_forcefully(stream)
    await trio.aclose_forcefully(server)


# ---------------------------------------------------------------- TLS in TLS


async def test_tls_goes_through_tls() -> None:
    outer = Pair()
    await outer.shake_hands()
    inner = TlsStream(outer.ours, client_context(), NAME)
    server = trio.SSLStream(outer.theirs, server_context(), server_side=True, https_compatible=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(inner.do_handshake)
        nursery.start_soon(server.do_handshake)
    assert inner.send_nowait(b"at once")
    assert await receive(server, 7) == b"at once"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(inner.send_all, LARGE)
        assert await receive(server, len(LARGE)) == LARGE
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.send_all, LARGE)
        assert await receive(inner, len(LARGE)) == LARGE
    await trio.aclose_forcefully(inner)
    await trio.aclose_forcefully(server)


# ---------------------------------------------------------------- OpenSSL's own server


class OpenSsl:
    """`openssl s_server`: a line that we send is printed by it; a letter typed into it is a command to it."""

    def __init__(self, process: trio.Process, port: int) -> None:
        self._process = process
        self._printed = b""
        self.port = port

    async def type(self, text: bytes) -> None:
        assert self._process.stdin is not None
        await self._process.stdin.send_all(text)

    async def prints(self, text: bytes) -> None:
        assert self._process.stdout is not None
        while text not in self._printed:
            piece = await self._process.stdout.receive_some()
            assert piece, self._printed
            self._printed += piece
        self._printed = self._printed.partition(text)[2]


@asynccontextmanager
async def openssl(folder: Path, *options: str) -> AsyncGenerator[OpenSsl, None]:
    CERTIFICATE.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(folder / "server.pem"), *options]
    async with trio.open_nursery() as nursery:
        process = await nursery.start(partial(trio.run_process, command, stdin=-1, stdout=-1, stderr=-1, check=False))
        server = OpenSsl(process, port)
        await server.prints(b"ACCEPT")
        yield server
        process.kill()


class Noticing(SocketByteStream):
    """Tells when something has come."""

    came = trio.Event()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        data = await super().receive_some(max_bytes)
        self.came.set()
        return data


async def dialed(server: OpenSsl) -> tuple[TlsStream, Noticing]:
    transport = Noticing(await trio.open_tcp_stream("127.0.0.1", server.port))
    stream = TlsStream(transport, client_context(), NAME)
    await stream.do_handshake()
    return stream, transport


# These wait for another process, which virtual time knows nothing of: no deadline of trio's, but one of pytest's.
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")


@needs_openssl
@pytest.mark.timeout(60)
@pytest.mark.parametrize("command", [b"K", b"k"], ids=["answer asked for", "no answer asked for"])
async def test_keys_may_be_updated_at_any_time(tmp_path: Path, command: bytes) -> None:
    async with openssl(tmp_path, "-tls1_3") as server:
        stream, transport = await dialed(server)

        async def says_and_hears(number: int) -> None:
            await server.type(b"line %d\n" % number)
            assert await receive(stream, 7) == b"line %d\n" % number
            assert stream.send_nowait(b"heard %d\n" % number)
            await server.prints(b"heard %d" % number)

        await says_and_hears(0)
        for number in range(1, 4):
            transport.came = trio.Event()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(stream.receive_some)
                await server.type(command + b"\n")
                await transport.came.wait()
                nursery.cancel_scope.cancel()
            await says_and_hears(number)
        await trio.aclose_forcefully(stream)


@needs_openssl
@pytest.mark.timeout(60)
async def test_renegotiation_breaks_the_stream(tmp_path: Path) -> None:
    async with openssl(tmp_path, "-tls1_2") as server:
        stream, _ = await dialed(server)
        await server.type(b"r\n")
        with pytest.raises(trio.BrokenResourceError, match="asked for TLS renegotiation"):
            await stream.receive_some()
        await trio.aclose_forcefully(stream)


# ---------------------------------------------------------------- a websocket on top


async def test_a_websocket_message_goes_out_over_tls_without_a_checkpoint() -> None:
    ours, theirs = sockets()

    async def connect() -> trio.abc.Stream:
        stream = TlsStream(as_byte_stream(ours), client_context(), NAME)
        await stream.do_handshake()
        return stream

    async with trio.open_nursery() as nursery:
        received: list[object] = []

        async def serve() -> None:
            secure = trio.SSLStream(theirs, server_context(), server_side=True, https_compatible=True)
            handshake = await accept_connection(nursery, secure, timeout=5.0)
            connection = await handshake.accept()
            received.append(await connection.receive())
            await connection.send("heard", 5.0)

        nursery.start_soon(serve)
        client = await open_connection(nursery, "wss://speech.test/", (), timeout=5.0, connect=connect)
        with assert_no_checkpoints():
            assert client.send_nowait("audio")
        assert await client.receive() == "heard"
        assert received == ["audio"]
        nursery.cancel_scope.cancel()
