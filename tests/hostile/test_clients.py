"""A gateway among clients that break every rule: refused, bounded, and the others never notice."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import jwt
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from trio_speech.gateway import Gateway
from trio_speech.gateway.server.auth import Authenticator, Unauthorized
from trio_speech.testing import MemoryStream, memory_stream_pair

from ..gateway.conftest import CountingRecognizer, SpellingVoice, dial_on
from .wild import BINARY, CLOSE, MORE, PING, PONG, frame

SECRET = "s" * 64
KEY = base64.b64encode(b"0123456789abcdef")
CREATE = b'{"type":"session.create"}'


def masked(payload: str | bytes = b"", opcode: int = 1, **head: Any) -> bytes:
    return frame(payload, opcode, masked=True, **head)


def request(target: str = "/v1/stt", *headers: str, version: str = "13") -> bytes:
    lines = (
        f"GET {target} HTTP/1.1",
        "Host: gateway.test",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {KEY.decode()}",
        f"Sec-WebSocket-Version: {version}",
        *headers,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class House:
    """A gateway with engines that are known, and streams to it."""

    def __init__(self, nursery: trio.Nursery, keys: dict[str, str] | None = None) -> None:
        self.recognizer, self.voice = CountingRecognizer(), SpellingVoice()
        self.gateway = Gateway(self.recognizer, self.voice, keys=keys)
        self.nursery = nursery
        self.served = 0

    async def connect(self, dial: object = None, *, capacity: int = 65_536) -> MemoryStream:
        ours, theirs = memory_stream_pair(capacity)
        self.nursery.start_soon(self._serve, theirs)
        await trio.lowlevel.checkpoint()
        return ours

    async def _serve(self, stream: MemoryStream) -> None:
        self.served += 1
        await self.gateway.serve_stream(stream)
        self.served -= 1

    async def assert_serves_others(self) -> None:
        async with dial_on(self.connect, "/v1/stt") as wire:
            await wire.send("session.create")
            await wire.send("input_audio", audio=base64.b64encode(bytes(200)).decode())
            await wire.send("session.finalize")
            said = await wire.receive_until("session.finalized")
            assert said[-2]["transcript"] == "100 samples"
            await wire.send("session.close")
            assert await wire.receive() == {"type": "session.closed"}


@pytest.fixture
def house(nursery: trio.Nursery) -> House:
    return House(nursery)


async def rest_of(stream: MemoryStream, within: float) -> bytes:
    """What still comes until the gateway ends the connection, which it must within so many seconds."""
    said = b""
    try:
        with trio.fail_after(within):
            while data := await stream.receive_some():
                said += data
    except trio.BrokenResourceError:
        pass
    return said


async def opened(house: House, target: str = "/v1/stt") -> MemoryStream:
    stream = await house.connect()
    await stream.send_all(request(target))
    said = b""
    while b"\r\n\r\n" not in said:
        said += await stream.receive_some()
    assert said.startswith(b"HTTP/1.1 101")
    return stream


# ---------------------------------------------------------------- handshakes

BAD_REQUESTS = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00",
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an endless line": b"GET /" + b"x" * 200_000,
    "endless headers": request()[:-2] + b"X-Padding: x\r\n" * 20_000,
    "no upgrade": b"GET /v1/stt HTTP/1.1\r\nHost: x\r\n\r\n",
    "an old version": request(version="8"),
    "no version": request(version=""),
    "a method of its own": request().replace(b"GET", b"POST"),
    "no key": request().replace(b"Sec-WebSocket-Key", b"X-Key"),
    "no host": request().replace(b"Host", b"X-Host"),
    "a host that is none": request().replace(b"gateway.test", b"\xff.test"),
    "two hosts": request("/v1/stt", "Host: other.test"),
    "a target that is no address": request("//[x"),
    "a target of nothing": request("?"),
    "a target with everything": request("http://[::1/v1/stt"),
    "a query without sense": request("/v1/none?&&=%ff%zz;;model"),
    "a path that climbs": request("/v1/../../etc/passwd"),
    "a target as long as a book": request("/" + "x" * 10_000),
    "tokens beyond ASCII": request("/v1/stt", "Connection: \xff"),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_a_bad_request_is_refused(house: House, nursery: trio.Nursery, name: str) -> None:
    stream = await house.connect()
    with trio.move_on_after(15.0), suppress(trio.BrokenResourceError):
        await stream.send_all(BAD_REQUESTS[name])
    await house.assert_serves_others()
    await rest_of(stream, 15.0)
    await house.assert_serves_others()
    await trio.sleep(1.0)
    assert house.served == 0
    assert trio.current_time() < 3.0, "its place at the door is free again at once"


HALF = {
    "nothing": b"",
    "half a line": request()[:40],
    "headers without an end": request()[:-2],
    "a body behind it": request()[:-2] + b"Content-Length: 100\r\n\r\n" + b"x" * 100,
    "chunks behind it": request()[:-2] + b"Transfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 100,
}


@pytest.mark.parametrize("greeting", HALF.values(), ids=HALF)
async def test_half_a_handshake_is_dropped_after_ten_seconds(house: House, greeting: bytes) -> None:
    stream = await house.connect()
    if greeting:
        await stream.send_all(greeting)
    await house.assert_serves_others()
    await rest_of(stream, 12.0)
    await house.assert_serves_others()


async def test_a_handshake_byte_by_byte_is_dropped_after_ten_seconds(house: House) -> None:
    stream = await house.connect()

    async def trickle() -> None:
        for byte in request():
            await stream.send_all(bytes([byte]))
            await trio.sleep(0.5)

    with suppress(trio.BrokenResourceError):
        await trickle()
    assert trio.current_time() < 11.0
    await house.assert_serves_others()


@pytest.mark.parametrize("target", ["/v1/stt", "/v1/none"])
async def test_a_client_that_does_not_take_the_answer_is_dropped(house: House, target: str) -> None:
    stream = await house.connect(capacity=16)
    await stream.send_all(request(target))
    await house.assert_serves_others()
    await trio.sleep(21.0)
    assert house.served == 0
    await house.assert_serves_others()


async def test_unfinished_handshakes_are_bounded_and_leave_room_for_good_clients(house: House) -> None:
    crowd = [await house.connect() for _ in range(200)]
    await trio.testing.wait_all_tasks_blocked()
    assert house.served < 80
    await trio.sleep(10.5)
    assert house.served == 0
    await house.assert_serves_others()
    for stream in crowd:
        await stream.aclose()


# ---------------------------------------------------------------- who may come in


def token(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    now = int(time.time())
    claims = {"inference": {"perform": True}, "iss": "key", "nbf": now, "exp": now + 600, **changes}
    return jwt.encode(claims, secret if algorithm != "none" else "", algorithm=algorithm)


STRANGERS = {
    "nothing": (),
    "another scheme": ("Authorization: Basic abc",),
    "no token": ("Authorization: Bearer",),
    "nonsense": ("Authorization: Bearer \xff\xfe.x.y",),
    "an expired token": (f"Authorization: Bearer {token(exp=int(time.time()) - 100)}",),
    "another's secret": (f"Authorization: Bearer {token('t' * 64)}",),
    "no algorithm": (f"Authorization: Bearer {token(algorithm='none')}",),
    "another algorithm": (f"Authorization: Bearer {token(algorithm='HS512')}",),
    "a signature cut short": (f"Authorization: Bearer {token()[:-5]}",),
    "no grant": (f"Authorization: Bearer {token(inference=None)}",),
    "a good one and a bad one": (f"Authorization: Bearer {token()}", "Authorization: Bearer x"),
}


@pytest.mark.parametrize("name", STRANGERS)
async def test_a_client_without_credentials_is_refused_at_the_handshake(nursery: trio.Nursery, name: str) -> None:
    house = House(nursery, {"key": SECRET})
    stream = await house.connect()
    await stream.send_all(request("/v1/stt", *STRANGERS[name]))
    said = await rest_of(stream, 1.0)
    assert said.startswith(b"HTTP/1.1 401")
    assert SECRET.encode() not in said
    assert house.recognizer.opened == []
    await trio.testing.wait_all_tasks_blocked()
    assert house.served == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
HEADER = st.fixed_dictionaries(
    {}, optional={"alg": st.sampled_from(["HS256", "none"]) | JSON, "typ": JSON, "crit": JSON}
)
CLAIMS = st.fixed_dictionaries(
    {}, optional={"iss": st.just("key") | JSON, "exp": JSON, "nbf": JSON, "aud": JSON, "inference": JSON}
)


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@given(st.text(max_size=40) | st.builds("{}.{}.{}".format, HEADER.map(encoded), CLAIMS.map(encoded), st.text("Aa0_-")))
def test_no_forged_token_is_accepted_or_breaks_the_server(forged: str) -> None:
    with pytest.raises(Unauthorized):
        Authenticator({"key": SECRET}).check(f"Bearer {forged}")


@pytest.mark.parametrize("depth", [900, 3_000, 12_000])
@pytest.mark.parametrize("part", [0, 1])
def test_a_deeply_nested_token_is_refused(part: int, depth: int) -> None:
    parts = [encoded({"alg": "HS256"}), encoded({"iss": "key"}), "AAAA"]
    parts[part] = base64.urlsafe_b64encode(b"[" * depth + b"]" * depth).decode().rstrip("=")
    with pytest.raises(Unauthorized):
        Authenticator({"key": SECRET}).check(f"Bearer {'.'.join(parts)}")


# ---------------------------------------------------------------- sessions


Attack = Callable[[MemoryStream], Awaitable[None]]


def sends(*pieces: bytes) -> Attack:
    async def attack(stream: MemoryStream) -> None:
        for piece in pieces:
            await stream.send_all(piece)

    return attack


def audio(pcm: str) -> bytes:
    return masked(b'{"type":"input_audio","audio":"%s"}' % pcm.encode())


BAD_SESSIONS: dict[str, tuple[str, Attack, str]] = {
    "half of a message": ("/v1/stt", sends(masked('{"type":"session.cr')), "malformed message"),
    "no object": ("/v1/stt", sends(masked("[]")), "malformed message"),
    "wrong fields": ("/v1/stt", sends(masked('{"type":"session.create","settings":7}')), "malformed message"),
    "no number": ("/v1/stt", sends(masked('{"type":"session.create","settings":{"sample_rate":NaN}}')), "malformed"),
    "a rate of nothing": ("/v1/stt", sends(masked('{"type":"session.create","settings":{"sample_rate":0}}')), "hertz"),
    "a rate below": ("/v1/tts", sends(masked('{"type":"session.create","sample_rate":"-1"}')), "hertz"),
    "a rate in letters": ("/v1/tts", sends(masked('{"type":"session.create","sample_rate":"fast"}')), "hertz"),
    "a rate beyond number": (
        "/v1/tts",
        sends(masked('{"type":"session.create","sample_rate":"%s"}' % ("9" * 9_999))),
        "hertz",
    ),
    "an unknown encoding": (
        "/v1/tts",
        sends(masked('{"type":"session.create","encoding":"\\u0000x"}')),
        "not supported",
    ),
    "a text before a session": ("/v1/tts", sends(masked('{"type":"input_transcript"}')), "must come first"),
    "two sessions": ("/v1/stt", sends(masked(CREATE) * 2), "came twice"),
    "binary": ("/v1/stt", sends(masked(b"\x00\xff", BINARY)), "binary frames"),
    "audio that is no base64": ("/v1/stt", sends(masked(CREATE), audio("?")), "malformed message"),
    "half a sample": ("/v1/stt", sends(masked(CREATE), audio("AAAA")), "whole number"),
    "a bottomless message": (
        "/v1/stt",
        sends(masked('{"type":"session.create","settings":' + "[" * 50_000)),
        "malformed",
    ),
    "half a character": ("/v1/tts", sends(masked('{"type":"session.create","voice":"\\ud800"}')), "malformed message"),
    "a book": (
        "/v1/tts",
        sends(masked(CREATE), masked('{"type":"input_transcript","transcript":"%s"}' % ("x" * 20_001))),
        "too many",
    ),
    "silence": ("/v1/stt", sends(), "inactivity"),
    "noise instead of a session": ("/v1/stt", sends(masked('{"type":"noise"}') * 5_000), "inactivity"),
}


@pytest.mark.parametrize("name", BAD_SESSIONS)
async def test_a_client_that_breaks_the_protocol_gets_an_error_and_is_closed(house: House, name: str) -> None:
    target, attack, told = BAD_SESSIONS[name]
    stream = await opened(house, target)
    await attack(stream)
    await house.assert_serves_others()
    said = await rest_of(stream, 12.0)
    errors = [text for text in said.split(b"\x81") if b'"type":"error"' in text]
    assert len(errors) == 1
    assert told in errors[0].decode(errors="replace")
    await house.assert_serves_others()
    await trio.sleep(1.0)
    assert house.served == 0
    assert house.recognizer.open_now == 0


BAD_FRAMES = {
    "unmasked": frame(CREATE),
    "a gigabyte announced": masked(b"x", announced=2**30),
    "a byte too many announced": masked(b"x", announced=2**20 + 1),
    "pieces without end": masked(fin=False) + masked(opcode=MORE, fin=False) * 5_000,
    "a reserved opcode": masked("x", 3),
    "reserved bits": masked("x", reserved=4),
    "a long ping": masked(b"x" * 126, PING),
    "continues what never began": masked("x", MORE),
    "invalid UTF-8": masked(b"\xff"),
    "a close code out of range": masked(b"\xff\xff", CLOSE),
    "a close of one byte": masked(b"\x03", CLOSE),
    "a polite close": masked(b"\x03\xe8", CLOSE),
    "a close without a code": masked(b"", CLOSE),
    "a head and then nothing": masked(b"x", announced=100),
    "pongs to no ping": masked(b"x", PONG) * 5_000,
}
LINGERING = {"a head and then nothing", "pongs to no ping"}


@pytest.mark.parametrize("target", ["/v1/stt", "/v1/tts"])
@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_a_client_that_breaks_websocket_framing_is_dropped(house: House, name: str, target: str) -> None:
    stream = await opened(house, target)
    with suppress(trio.BrokenResourceError):
        await stream.send_all(masked(CREATE) + BAD_FRAMES[name])
    await house.assert_serves_others()
    if name in LINGERING:
        await stream.aclose()
    else:
        await rest_of(stream, 2.0)
    await trio.sleep(1.0)
    assert house.served == 0
    assert house.recognizer.open_now == 0
    await house.assert_serves_others()


async def test_an_endless_frame_is_dropped_as_soon_as_silence_is(house: House) -> None:
    stream = await opened(house)
    await stream.send_all(masked(CREATE) + masked(b"x", announced=1_000))

    async def trickle() -> None:
        while True:
            await stream.send_all(b"x")
            await trio.sleep(60.0)

    with suppress(trio.BrokenResourceError):
        with trio.fail_after(40 * 60.0):
            await trickle()
    assert house.recognizer.open_now == 0


async def test_a_client_that_does_not_read_is_dropped_while_others_are_served(house: House) -> None:
    stream = await opened(house, "/v1/tts")
    text = b"word " * 3_000
    await stream.send_all(masked(CREATE) + masked(b'{"type":"input_transcript","transcript":"%s"}' % text))
    for _ in range(5):
        await trio.sleep(10.0)
        await house.assert_serves_others()
    await trio.sleep(600.0)
    assert house.served == 0
    assert len(await rest_of(stream, 1.0)) < 200_000


async def test_a_client_that_pings_and_reads_no_pongs_is_bounded(house: House) -> None:
    stream = await opened(house)
    with trio.move_on_after(5.0):
        while True:
            await stream.send_all(masked(b"?" * 100, PING) * 100)
    await house.assert_serves_others()
    await stream.aclose()
    await trio.sleep(1.0)
    assert house.served == 0


async def test_clients_beyond_the_capacity_are_refused_and_sessions_go_on(house: House) -> None:
    within = [await opened(house) for _ in range(2)]
    await house.assert_serves_others()
    third = await opened(house)
    for _ in range(100):
        stream = await house.connect()
        await stream.send_all(request())
        assert (await rest_of(stream, 1.0)).startswith(b"HTTP/1.1 429")
    await third.aclose()
    await trio.sleep(1.0)
    await house.assert_serves_others()
    for stream in within:
        await stream.send_all(masked(CREATE))
        with trio.fail_after(1.0):
            assert b"session.created" in await stream.receive_some()
