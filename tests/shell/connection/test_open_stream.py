"""Opening a byte stream from a URL, over a network in memory: proxies, TLS, and the cause of each failure."""

from __future__ import annotations

import base64
import datetime
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable

import h11
import pytest
import trio
import trustme

import trio_speech as ts
from trio_speech._core.retry.causes import Broken, Refused, Unreachable
from trio_speech._shell.connection import LinkDown
from trio_speech._shell.connection.open_stream import host_header, open_stream, resource
from trio_speech.testing import memory_stream_pair

URL = "wss://speech.test/v1/stt"
Host = Callable[[trio.abc.Stream], Awaitable[None]]
VARIABLES = [name for word in ("http", "https", "all", "no") for name in (f"{word}_proxy", f"{word.upper()}_PROXY")]


class Network:
    """Hosts that may be dialed, by address; each connection is served in a task of its own."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self.hosts: dict[tuple[str, int], Host] = {}
        self.dialed: list[tuple[str, int]] = []

    async def open_tcp_stream(self, host: str, port: int) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        self.dialed.append((host, port))
        if (host, port) not in self.hosts:
            raise ConnectionRefusedError(111, "Connection refused")
        ours, theirs = memory_stream_pair()
        self._nursery.start_soon(self.hosts[host, port], ours)
        return theirs


@pytest.fixture
async def network(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Network, None]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    async with trio.open_nursery() as nursery:
        network = Network(nursery)
        monkeypatch.setattr(trio, "open_tcp_stream", network.open_tcp_stream)
        yield network
        nursery.cancel_scope.cancel()


async def echo(stream: trio.abc.Stream) -> None:
    try:
        async for data in stream:
            await stream.send_all(b"echo " + data)
    except trio.BrokenResourceError:
        return


def secured(certificate: object, host: Host = echo) -> Host:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)  # type: ignore[attr-defined]

    async def serve(stream: trio.abc.Stream) -> None:
        await host(trio.SSLStream(stream, context, server_side=True, https_compatible=True))

    return serve


@pytest.fixture(scope="session")
def authority() -> object:
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority: object) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)  # type: ignore[attr-defined]
    return context


async def says(stream: trio.abc.Stream) -> bytes:
    async with stream:
        await stream.send_all(b"hello")
        return bytes(await stream.receive_some())


async def cause_of(url: str, context: ssl.SSLContext | None = None) -> object:
    with pytest.raises(LinkDown) as caught:
        await open_stream(url, context)
    return caught.value.cause


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("ws://speech.test", "speech.test", "/"),
        ("wss://speech.test/v1/stt?model=a%2Fb", "speech.test", "/v1/stt?model=a%2Fb"),
        ("ws://speech.test:8080/v1", "speech.test:8080", "/v1"),
        ("ws://[::1]:8080/", "[::1]:8080", "/"),
        ("ws://[::1]?x", "[::1]", "/?x"),
    ],
)
def test_host_and_resource_of_a_url(url: str, host: str, path: str) -> None:
    assert (host_header(url), resource(url)) == (host, path)


@pytest.mark.parametrize(("url", "port"), [("ws://speech.test", 80), ("ws://speech.test:81", 81)])
async def test_a_ws_url_is_plain_tcp(network: Network, url: str, port: int) -> None:
    network.hosts["speech.test", port] = echo
    assert await says(await open_stream(url, None)) == b"echo hello"


async def test_a_refused_connection_is_unreachable(network: Network) -> None:
    assert await cause_of(URL) == Unreachable("speech.test:443: Connection refused")


async def test_an_invalid_host_name_is_permanent() -> None:
    cause = await cause_of(f"wss://{'x' * 64}.test")
    assert cause == Unreachable("the name of the host, or of its proxy, is not a valid host name", permanent=True)


# ---------------------------------------------------------------- TLS


async def test_a_valid_certificate_is_accepted(network: Network, authority: object, trusting: ssl.SSLContext) -> None:
    network.hosts["speech.test", 443] = secured(authority.issue_cert("speech.test"))  # type: ignore[attr-defined]
    assert await says(await open_stream(URL, trusting)) == b"echo hello"


@pytest.mark.parametrize("fault", ["unknown authority", "wrong host", "expired"])
async def test_a_certificate_that_is_not_valid_is_permanent(
    network: Network, authority: object, trusting: ssl.SSLContext, fault: str
) -> None:
    issue = authority.issue_cert  # type: ignore[attr-defined]
    match fault:
        case "unknown authority":
            certificate = trustme.CA().issue_cert("speech.test")
        case "wrong host":
            certificate = issue("elsewhere.test")
        case _:
            certificate = issue("speech.test", not_after=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    network.hosts["speech.test", 443] = secured(certificate)
    cause = await cause_of(URL, trusting)
    assert isinstance(cause, Unreachable)
    assert cause.permanent
    assert cause.reason.startswith("the certificate of speech.test is not valid: ")


async def test_the_systems_authorities_are_the_default(network: Network, authority: object) -> None:
    network.hosts["speech.test", 443] = secured(authority.issue_cert("speech.test"))  # type: ignore[attr-defined]
    cause = await cause_of(URL)
    assert isinstance(cause, Unreachable)
    assert cause.permanent


@pytest.mark.parametrize("says_instead", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
async def test_a_host_that_does_not_speak_tls_is_dialed_again(
    network: Network, trusting: ssl.SSLContext, says_instead: bytes
) -> None:
    async def plain(stream: trio.abc.Stream) -> None:
        async with stream:
            await stream.receive_some()
            if says_instead:
                await stream.send_all(says_instead)

    network.hosts["speech.test", 443] = plain
    cause = await cause_of(URL, trusting)
    assert isinstance(cause, Unreachable)
    assert not cause.permanent


async def test_a_certificate_that_is_not_valid_ends_a_session_at_once(
    network: Network, trusting: ssl.SSLContext
) -> None:
    network.hosts["speech.test", 443] = secured(trustme.CA().issue_cert("speech.test"))
    backend = ts.LiveKit(url="https://speech.test/v1", api_key="key", api_secret="secret")
    with pytest.raises(ts.ConnectFailed, match=r"certificate of speech\.test is not valid") as caught:
        async with ts.open_client(backend, ssl_context=trusting) as client, client.transcribe() as transcript:
            await transcript.__anext__()
    assert network.dialed == [("speech.test", 443)]
    assert "secret" not in str(caught.value)


# ---------------------------------------------------------------- proxies


class Proxy:
    """Answers CONNECT with `status`, and then connects."""

    def __init__(self, network: Network, status: int = 200) -> None:
        self.network = network
        self.status = status
        self.asked: list[tuple[bytes, dict[bytes, bytes]]] = []
        self.before = b""
        network.hosts["proxy.test", 3128] = self.serve

    async def serve(self, stream: trio.abc.Stream) -> None:
        http = h11.Connection(h11.SERVER)
        while not isinstance(request := http.next_event(), h11.Request):
            http.receive_data(bytes(await stream.receive_some()))
        self.asked.append((request.target, dict(request.headers)))
        await stream.send_all(self.before + (http.send(h11.Response(status_code=self.status, headers=[])) or b""))
        if self.status != 200:
            await stream.aclose()
            return
        host, _, port = request.target.decode().rpartition(":")
        behind = await self.network.open_tcp_stream(host, int(port))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.pump, stream, behind)
            nursery.start_soon(self.pump, behind, stream)

    async def pump(self, source: trio.abc.Stream, sink: trio.abc.Stream) -> None:
        try:
            async for data in source:
                await sink.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        await trio.aclose_forcefully(sink)


@pytest.mark.parametrize(
    ("url", "variable", "target"),
    [
        ("ws://speech.test/", "HTTP_PROXY", b"speech.test:80"),
        ("ws://speech.test/", "http_proxy", b"speech.test:80"),
        ("ws://speech.test:81/", "ALL_PROXY", b"speech.test:81"),
        ("ws://[::1]:81/", "ALL_PROXY", b"[::1]:81"),
    ],
)
async def test_a_dial_goes_through_the_proxy_of_the_environment(
    network: Network, monkeypatch: pytest.MonkeyPatch, url: str, variable: str, target: bytes
) -> None:
    monkeypatch.setenv(variable, "http://proxy.test:3128")
    proxy = Proxy(network)
    host, _, port = target.decode().rpartition(":")
    network.hosts[host, int(port)] = echo
    assert await says(await open_stream(url, None)) == b"echo hello"
    assert proxy.asked == [(target, {b"host": target})]


async def test_tls_through_a_proxy_with_a_password(
    network: Network, monkeypatch: pytest.MonkeyPatch, authority: object, trusting: ssl.SSLContext
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:se%40cret@proxy.test:3128")
    proxy = Proxy(network)
    proxy.before = b"HTTP/1.1 100 Continue\r\n\r\n"
    network.hosts["speech.test", 443] = secured(authority.issue_cert("speech.test"))  # type: ignore[attr-defined]
    assert await says(await open_stream(URL, trusting)) == b"echo hello"
    ((target, headers),) = proxy.asked
    assert target == b"speech.test:443"
    assert base64.b64decode(headers[b"proxy-authorization"].removeprefix(b"Basic ")) == b"me:se@cret"


@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_the_way_to_an_https_proxy_is_tls_too(
    network: Network, monkeypatch: pytest.MonkeyPatch, authority: object, trusting: ssl.SSLContext, scheme: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", "https://proxy.test:3128")
    proxy = Proxy(network)
    issue = authority.issue_cert  # type: ignore[attr-defined]
    network.hosts["proxy.test", 3128] = secured(issue("proxy.test"), proxy.serve)
    network.hosts["speech.test", 443] = secured(issue("speech.test"))
    network.hosts["speech.test", 80] = echo
    stream = await open_stream(f"{scheme}://speech.test/", trusting)
    assert await says(stream) == b"echo hello"


async def test_a_bad_certificate_of_an_https_proxy_is_permanent_and_names_the_proxy(
    network: Network, monkeypatch: pytest.MonkeyPatch, trusting: ssl.SSLContext
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "https://proxy.test")
    network.hosts["proxy.test", 443] = secured(trustme.CA().issue_cert("proxy.test"))
    cause = await cause_of(URL, trusting)
    assert isinstance(cause, Unreachable)
    assert cause.permanent
    assert cause.reason.startswith("the certificate of proxy.test is not valid")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NO_PROXY", "speech.test"),
        ("no_proxy", "other.test,.test"),
        ("NO_PROXY", "*"),
    ],
)
async def test_no_proxy_is_obeyed(network: Network, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv(variable, value)
    network.hosts["speech.test", 80] = echo
    assert await says(await open_stream("ws://speech.test/", None)) == b"echo hello"
    assert network.dialed == [("speech.test", 80)]


async def test_a_proxy_for_another_scheme_is_not_used(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    network.hosts["speech.test", 80] = echo
    assert await says(await open_stream("ws://speech.test/", None)) == b"echo hello"


@pytest.mark.parametrize(("status", "fatal"), [(407, True), (403, True), (502, False), (503, False)])
async def test_a_refusal_of_the_proxy_is_reported_as_its_own(
    network: Network, monkeypatch: pytest.MonkeyPatch, status: int, fatal: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.test:3128")
    Proxy(network, status)
    assert await cause_of(URL) == Refused(status, "by the proxy")
    backend = ts.LiveKit(url="https://speech.test/v1", api_key="key", api_secret="hidden")
    with pytest.raises(ts.ProviderError if fatal else ts.RetriesExhausted) as caught:
        async with ts.open_client(backend, retry=ts.RetryPolicy(max_attempts=1)) as client, client.transcribe():
            await trio.sleep_forever()
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"\x15\x03\x01 nonsense\r\n\r\n"])
async def test_a_proxy_that_breaks_may_do_better_next_time(
    network: Network, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")

    async def breaks(stream: trio.abc.Stream) -> None:
        async with stream:
            await stream.receive_some()
            if answer:
                await stream.send_all(answer)

    network.hosts["proxy.test", 3128] = breaks
    assert isinstance(await cause_of(URL), Broken | Unreachable)


@pytest.mark.parametrize("proxy", ["socks5://proxy.test:1080", "http://me:secret@proxy.test:port"])
async def test_an_unusable_proxy_is_permanent(network: Network, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    cause = await cause_of(URL)
    assert isinstance(cause, Unreachable)
    assert cause.permanent
    assert "secret" not in cause.reason


async def test_a_proxy_may_lack_scheme_and_port(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.test")
    assert await cause_of(URL) == Unreachable("speech.test:443: Connection refused")
    assert network.dialed == [("proxy.test", 8080)]


# ---------------------------------------------------------------- cancelling


async def test_cancelling_closes_what_was_opened(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    async def mute(stream: trio.abc.Stream) -> None:
        try:
            while await stream.receive_some():
                pass
        except trio.BrokenResourceError:
            pass
        closed.append("closed")

    network.hosts["speech.test", 443] = network.hosts["proxy.test", 3128] = mute
    with trio.move_on_after(1.0):
        await open_stream(URL, None)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    with trio.move_on_after(1.0):
        await open_stream(URL, None)
    await trio.testing.wait_all_tasks_blocked()
    assert closed == ["closed", "closed"]
