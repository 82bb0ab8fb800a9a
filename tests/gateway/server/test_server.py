from __future__ import annotations

import socket
import time
from functools import partial
from typing import Any

import jwt
import pytest
import trio

from trio_speech._core.retry.causes import PeerClosed, Refused
from trio_speech._shell.connection import LinkDown
from trio_speech.errors import ConfigurationError
from trio_speech.gateway import Gateway, open_gateway, open_local_gateway, serve
from trio_speech.gateway.builtin import chosen_engine as local
from trio_speech.gateway.server.auth import Authenticator, Unauthorized
from trio_speech.providers.livekit.auth import access_token

SECRET = "s" * 40


def token(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    now = int(time.time())
    claims = {"inference": {"perform": True}, "sub": "agent", "iss": "key", "nbf": now, "exp": now + 600} | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, secret if algorithm != "none" else "", algorithm=algorithm)


class TestAuthenticator:
    def test_a_token_of_ours_or_of_the_official_library_is_accepted(self) -> None:
        Authenticator({"other": "x" * 40, "key": SECRET}).check(f"Bearer {token()}")
        Authenticator({"key": SECRET}).check(f"bearer {access_token('key', SECRET, now=time.time())}")

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "Basic abc",
            "Bearer",
            "Bearer nonsense",
            f"Bearer {token(secret='t' * 40)}",
            f"Bearer {token(algorithm='none')}",
            f"Bearer {token(iss='stranger')}",
            f"Bearer {token(iss=None)}",
            f"Bearer {token(exp=time.time() - 100)}",
            f"Bearer {token(exp=None)}",
            f"Bearer {token(nbf=time.time() + 1000)}",
            f"Bearer {token(inference=None)}",
            f"Bearer {token(inference={'perform': False})}",
            f"Bearer {token(inference='perform')}",
            f"Bearer {token()[:-4]}AAAA",
        ],
    )
    def test_a_header_without_a_good_token_is_unauthorized(self, header: str | None) -> None:
        with pytest.raises(Unauthorized) as refused:
            Authenticator({"key": SECRET}).check(header)
        assert SECRET not in str(refused.value)

    def test_a_token_that_expired_within_the_last_minute_is_accepted(self) -> None:
        Authenticator({"key": SECRET}).check(f"Bearer {token(exp=time.time() - 30)}")


async def refusal(dial: Any, resource: str, *headers: tuple[str, str]) -> Refused:
    with pytest.raises(LinkDown) as refused:
        async with dial(resource, *headers):
            raise AssertionError
    cause = refused.value.cause
    assert isinstance(cause, Refused)
    return cause


async def test_an_unknown_path_is_refused_with_404(dial: Any, autojump_clock: Any) -> None:
    for resource in ("/", "/v1", "/v1/llm", "/v1/v1/stt", "/sttx"):
        assert (await refusal(dial, resource)).status == 404


async def test_keys_are_asked_for_at_the_handshake(
    recognizer: Any, voice: Any, nursery: trio.Nursery, dial_on: Any, autojump_clock: Any
) -> None:
    gateway = Gateway(recognizer, voice, keys={"key": SECRET})

    async def connect() -> trio.abc.Stream:
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(gateway.serve_stream, theirs)
        return ours

    async def refused(*headers: tuple[str, str]) -> int:
        with pytest.raises(LinkDown) as error:
            async with dial_on(connect, "/v1/stt", *headers):
                raise AssertionError
        assert isinstance(error.value.cause, Refused)
        return error.value.cause.status

    assert await refused() == 401
    assert await refused(("Authorization", "Bearer x")) == 401
    async with dial_on(connect, "/v1/stt", ("Authorization", f"Bearer {token()}")) as wire:
        await wire.send("session.create")
        assert await wire.receive() == {"type": "session.created"}


async def test_beyond_its_capacity_a_handshake_is_refused_until_someone_leaves(dial: Any, autojump_clock: Any) -> None:
    async with dial("/v1/stt"), dial("/v1/stt"), dial("/v1/tts"):
        async with dial("/v1/stt"):
            cause = await refusal(dial, "/v1/stt")
            assert (cause.status, cause.retry_after) == (429, 1.0)
        await trio.testing.wait_all_tasks_blocked()
        async with dial("/v1/stt"):
            pass


async def test_leaving_says_that_the_gateway_is_going_away(
    recognizer: Any, voice: Any, dial_on: Any, autojump_clock: Any, nursery: trio.Nursery
) -> None:
    opened, told = trio.Event(), trio.Event()

    async def client(connect: Any) -> None:
        async with dial_on(connect, "/v1/stt") as wire:
            await wire.send("session.create")
            await wire.receive()
            opened.set()
            with pytest.raises(LinkDown) as ended:
                await wire.receive()
            assert ended.value.cause == PeerClosed(1001, "")
            told.set()

    async with open_local_gateway(recognizer=recognizer, voice=voice) as connect:
        nursery.start_soon(client, connect)
        await opened.wait()
        began = trio.current_time()
    assert trio.current_time() - began < 2
    assert recognizer.open_now == 0
    await told.wait()


async def test_leaving_is_bounded_when_a_client_says_nothing(recognizer: Any, voice: Any, autojump_clock: Any) -> None:
    async with open_local_gateway(recognizer=recognizer, voice=voice) as connect:
        stream = await connect()
        await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
    assert trio.current_time() - began <= 2
    await stream.aclose()


@pytest.mark.parametrize(
    "greeting", [b"", b"hello\r\n\r\n", b"GET /v1/stt HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01" * 99]
)
async def test_a_stream_that_is_no_websocket_is_closed(
    recognizer: Any, voice: Any, autojump_clock: Any, greeting: bytes
) -> None:
    async with open_local_gateway(recognizer=recognizer, voice=voice) as connect, await connect() as stream:
        if greeting:
            await stream.send_all(greeting)
        with trio.fail_after(30):
            while await stream.receive_some():
                pass


async def test_a_failure_in_the_block_leaves_it_bare(recognizer: Any, voice: Any) -> None:
    with pytest.raises(KeyError):
        async with open_local_gateway(recognizer=recognizer, voice=voice) as connect, await connect():
            raise KeyError


async def test_it_serves_over_tcp(recognizer: Any, voice: Any, dial_on: Any, nursery: trio.Nursery) -> None:
    port = await nursery.start(lambda task_status: serve(recognizer=recognizer, voice=voice, task_status=task_status))
    async with dial_on(partial(trio.open_tcp_stream, "127.0.0.1", port), "/v1/tts") as wire:
        await wire.send("session.create")
        assert await wire.receive() == {"type": "session.created"}
    with pytest.raises(ConfigurationError, match=f"port {port}"):
        await serve(port=port, recognizer=recognizer, voice=voice)
    nursery.cancel_scope.cancel()


async def test_accepted_sockets_have_keepalive(
    recognizer: Any, voice: Any, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks: list[int] = []
    served = trio.Event()

    async def look(self: Gateway, stream: trio.SocketStream) -> None:
        asks.append(stream.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        served.set()

    monkeypatch.setattr(Gateway, "serve_stream", look)
    port = await nursery.start(lambda task_status: serve(recognizer=recognizer, voice=voice, task_status=task_status))
    async with await trio.open_tcp_stream("127.0.0.1", port):
        with trio.fail_after(5):
            await served.wait()
    assert asks[0]
    nursery.cancel_scope.cancel()


async def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, recognizer: Any, voice: Any) -> None:
    monkeypatch.setattr(local, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"moonshine_voice.*pip install 'trio-speech\[local\]'"):
        async with open_gateway(voice=voice):
            raise AssertionError
    with pytest.raises(ConfigurationError, match=r"pip install 'trio-speech\[local-pocketsphinx\]'"):
        async with open_gateway(recognizer="pocketsphinx", voice=voice):
            raise AssertionError
    with pytest.raises(ConfigurationError, match=r"voice hibari needs hibari: pip install 'trio-speech\[local\]'"):
        async with open_gateway(recognizer=recognizer):
            raise AssertionError
    async with open_gateway(recognizer=recognizer, voice=voice):
        pass


async def test_an_engine_that_does_not_exist_is_refused_with_those_that_do(recognizer: Any, voice: Any) -> None:
    with pytest.raises(ConfigurationError, match="no built-in recognizer 'parrot': there is moonshine and"):
        async with open_gateway(recognizer="parrot", voice=voice):
            raise AssertionError
    with pytest.raises(ConfigurationError, match="no built-in voice 'alice': there is hibari and espeak"):
        async with open_gateway(recognizer=recognizer, voice="alice"):
            raise AssertionError


async def test_the_best_engine_that_is_installed_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "find_spec", lambda name: None if name == "moonshine_voice" else object())
    assert (local.check_recognizer(None), local.check_voice(None)) == ("pocketsphinx", "hibari")
