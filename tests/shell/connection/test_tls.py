"""Which certificates a client trusts: whole sessions with a service behind TLS, over a network in memory."""

from __future__ import annotations

import datetime
import linecache
import ssl
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme

import trio_speech as ts
from trio_speech._shell.network.plaintext_warning import is_readable
from trio_speech.providers._codec import Dial
from trio_speech.testing import (
    Drop,
    Hear,
    MemoryStream,
    ScriptedGateway,
    assert_exactly_once,
    memory_stream_pair,
    speech,
)
from trio_speech.testing.fault_proxy import open_proxy
from trio_speech.testing.fault_proxy.plan import End, Garbage, HalfOpen, PlannedConnection, ProxyPlan, Reset

KEY, SECRET = "key", "very-secret-secret-of-32-characters"
WSS = ts.LiveKit("https://speech.test/v1", KEY, SECRET)
SAID = speech(4.0)
NOW, YEAR = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=365)


def context_of(certificate: Any) -> ssl.SSLContext:
    """A server's."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server whose certificate vouches for itself."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "own.pem"))
    authority.private_key_pem.write_to_path(str(folder / "own.key"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "own.pem", folder / "own.key")
    return context


class Hosts:
    """Who answers at which port of ``speech.test``; the gateway is behind each."""

    def __init__(self, nursery: trio.Nursery, gateway: ScriptedGateway) -> None:
        self.secured: dict[tuple[str, int], ssl.SSLContext | None] = {}
        self.dialed: list[tuple[str, int]] = []
        self._nursery = nursery
        self._gateway = gateway

    async def open_tcp_stream(self, host: str, port: int) -> MemoryStream:
        await trio.lowlevel.checkpoint()
        self.dialed.append((host, port))
        context = self.secured[host, port]
        if context is None:
            return await self._gateway.connect(Dial(f"ws://{host}"))
        ours, theirs = memory_stream_pair()
        self._nursery.start_soon(self._serve, trio.SSLStream(ours, context, server_side=True, https_compatible=True))
        return theirs

    async def _serve(self, secure: trio.abc.Stream) -> None:
        try:
            await secure.do_handshake()  # type: ignore[attr-defined]
        except trio.BrokenResourceError:
            return
        behind = await self._gateway.connect(Dial("ws://behind"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pump, secure, behind)
            nursery.start_soon(pump, behind, secure)


async def pump(source: trio.abc.Stream, sink: trio.abc.Stream) -> None:
    try:
        async for data in source:
            await sink.send_all(data)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    for end in (source, sink):
        await trio.aclose_forcefully(end)


@pytest.fixture
async def hosts(monkeypatch: pytest.MonkeyPatch, gateway: ScriptedGateway) -> AsyncGenerator[Hosts, None]:
    for name in ("http", "https", "all"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)
    async with trio.open_nursery() as nursery:
        hosts = Hosts(nursery, gateway)
        monkeypatch.setattr(trio, "open_tcp_stream", hosts.open_tcp_stream)
        yield hosts
        nursery.cancel_scope.cancel()


@pytest.fixture(scope="session")
def authority() -> Any:
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority: Any) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def hear(client: ts.Client) -> None:
    await client.recognize(SAID)


async def speak(client: ts.Client) -> None:
    await client.render("Good morning.")


async def warm(client: ts.Client) -> None:
    await client.prewarm()


BAD: dict[str, tuple[str, Callable[[Any, Path], ssl.SSLContext]]] = {
    "self-signed": ("self-signed certificate", lambda _, folder: self_signed(folder)),
    "unknown authority": (
        "unable to get local issuer certificate",
        lambda *_: context_of(trustme.CA().issue_cert("speech.test")),
    ),
    "wrong host": (
        "Hostname mismatch, certificate is not valid for 'speech.test'",
        lambda authority, _: context_of(authority.issue_cert("elsewhere.test")),
    ),
    "expired": ("certificate has expired", lambda authority, _: expired(authority)),
    "not valid yet": (
        "certificate is not yet valid",
        lambda authority, _: context_of(
            authority.issue_cert("speech.test", not_before=NOW + YEAR, not_after=NOW + 2 * YEAR)
        ),
    ),
}


UNTRUSTED = {BAD["self-signed"][0], BAD["unknown authority"][0]}


def expired(authority: Any) -> ssl.SSLContext:
    return context_of(authority.issue_cert("speech.test", not_before=NOW - 2 * YEAR, not_after=NOW - YEAR))


@pytest.fixture(params=BAD)
def reason(request: pytest.FixtureRequest, hosts: Hosts, authority: Any, tmp_path: Path) -> str:
    """Why what ``speech.test`` shows is not to be trusted."""
    why, server = BAD[request.param]
    hosts.secured["speech.test", 443] = server(authority, tmp_path)
    return why


@pytest.mark.parametrize("use", [hear, speak, warm])
async def test_a_bad_certificate_is_refused_with_its_reason_at_the_first_dial(
    hosts: Hosts, trusting: ssl.SSLContext, reason: str, use: Callable[[ts.Client], Awaitable[None]]
) -> None:
    with pytest.raises(ts.ConnectFailed) as caught:
        async with ts.open_client(WSS, ssl_context=trusting) as client:
            await use(client)
    assert f"the certificate of speech.test is not valid: {reason}" in str(caught.value)
    assert "wss://speech.test" in str(caught.value)
    assert ("ssl_context" in str(caught.value)) is (reason in UNTRUSTED)
    assert SECRET not in repr(caught.value)
    assert hosts.dialed == [("speech.test", 443)]
    assert trio.current_time() < 1.0


async def test_a_private_authority_by_a_context_of_one_s_own(
    hosts: Hosts, gateway: ScriptedGateway, authority: Any, trusting: ssl.SSLContext
) -> None:
    hosts.secured["speech.test", 443] = context_of(authority.issue_cert("speech.test"))
    gateway.plan(Hear(1.0), Drop())
    async with ts.open_client(WSS, ssl_context=trusting) as client:
        async with client.transcribe(SAID, SAID.audio_format) as transcript:
            events = [event async for event in transcript]
        clip = await client.render("Good morning.")
    assert_exactly_once(events, SAID, gateway.visits)
    assert len(hosts.dialed) == 3
    assert clip.duration > 0.5


async def test_a_private_authority_by_the_environment(
    hosts: Hosts, authority: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts.secured["speech.test", 443] = context_of(authority.issue_cert("speech.test"))
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    async with ts.open_client(WSS) as client:
        assert (await client.recognize(SAID)).text == SAID.text


async def test_without_a_context_the_system_s_authorities_are_asked_and_read_once(
    hosts: Hosts, authority: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ssl.SSLContext] = []
    create = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        made.append(create())
        return made[-1]

    hosts.secured["speech.test", 443] = context_of(authority.issue_cert("speech.test"))
    monkeypatch.setattr(ssl, "create_default_context", counted)
    async with ts.open_client(WSS) as client:
        for _ in range(3):
            with pytest.raises(ts.ConnectFailed, match="unable to get local issuer certificate"):
                await client.recognize(SAID)
    assert len(hosts.dialed) == 3
    assert [(context.verify_mode, context.check_hostname) for context in made] == [(ssl.CERT_REQUIRED, True)]


async def test_a_context_that_checks_nothing_is_used_as_given(hosts: Hosts) -> None:
    hosts.secured["speech.test", 443] = context_of(trustme.CA().issue_cert("elsewhere.test"))
    careless = ssl.create_default_context()
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    async with ts.open_client(WSS, ssl_context=careless) as client:
        assert (await client.recognize(SAID)).text == SAID.text


async def test_a_bad_certificate_of_one_service_leads_to_the_next(
    hosts: Hosts, authority: Any, trusting: ssl.SSLContext
) -> None:
    hosts.secured["speech.test", 443] = context_of(authority.issue_cert("elsewhere.test"))
    hosts.secured["other.test", 443] = context_of(authority.issue_cert("other.test"))
    other = ts.LiveKit("https://other.test/v1", KEY, SECRET)
    async with ts.open_client([WSS, other], ssl_context=trusting) as client:
        assert (await client.recognize(SAID)).text == SAID.text
    assert hosts.dialed == [("speech.test", 443), ("other.test", 443)]


async def test_a_certificate_that_turns_bad_leaves_the_audio_with_the_user(
    hosts: Hosts, gateway: ScriptedGateway, authority: Any, trusting: ssl.SSLContext
) -> None:
    hosts.secured["speech.test", 443] = context_of(authority.issue_cert("speech.test"))
    gateway.plan(Hear(1.0), Drop())
    left: list[tuple[float, bytes]] = []

    async def listen() -> None:
        async with ts.open_client(WSS, ssl_context=trusting) as client, client.transcribe(SAID) as transcript:
            try:
                async for event in transcript:
                    if isinstance(event, ts.SpeechStarted):
                        hosts.secured["speech.test", 443] = expired(authority)
            finally:
                left.append(transcript.unacknowledged())

    with pytest.raises(ts.ConnectFailed, match="certificate has expired") as caught:
        await listen()
    assert len(hosts.dialed) == 2
    ((start, audio),) = left
    assert start == 0.0
    assert len(audio) >= 2 * 16_000
    assert SECRET not in str(caught.value)


async def test_a_handshake_that_breaks_may_do_better_next_time(
    hosts: Hosts, gateway: ScriptedGateway, authority: Any, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts.secured["speech.test", 443] = context_of(authority.issue_cert("speech.test"))
    faults = (Garbage(), Garbage(down=700), Reset(down=1), End(up=100), HalfOpen(up=300))
    plan = ProxyPlan(connection=tuple(PlannedConnection(step=(fault,)) for fault in faults))
    async with open_proxy(partial(hosts.open_tcp_stream, "speech.test", 443), plan) as proxy:

        async def dial(host: str, port: int) -> MemoryStream:
            return await proxy.connect()

        monkeypatch.setattr(trio, "open_tcp_stream", dial)
        async with ts.open_client(WSS, ssl_context=trusting) as client:
            assert (await client.recognize(SAID)).text == SAID.text
        assert proxy.connections == len(faults) + 1


async def test_warm_spares_are_not_dialed_again_and_again(
    hosts: Hosts, authority: Any, trusting: ssl.SSLContext
) -> None:
    hosts.secured["speech.test", 443] = expired(authority)
    async with ts.open_client(WSS, ssl_context=trusting, pool=ts.PoolPolicy(min_idle=2)) as client:
        for _ in range(2):
            with pytest.raises(ts.ConnectFailed):
                await client.render("Good morning.")
        await trio.sleep(600.0)
    assert len(hosts.dialed) == 2


async def test_nobody_returns_to_a_service_whose_certificate_was_bad(
    hosts: Hosts, gateway: ScriptedGateway, authority: Any, trusting: ssl.SSLContext
) -> None:
    hosts.secured["speech.test", 443] = expired(authority)
    hosts.secured["other.test", 443] = context_of(authority.issue_cert("other.test"))
    other = ts.LiveKit("https://other.test/v1", KEY, SECRET)
    async with (
        ts.open_client([WSS, other], ssl_context=trusting, retry=ts.RetryPolicy(return_after=5.0)) as client,
        client.transcribe(speech(30.0)) as transcript,
    ):
        async for _ in transcript:
            pass
    assert hosts.dialed == [("speech.test", 443), ("other.test", 443)]


# ---------------------------------------------------------------- plaintext


@pytest.mark.parametrize("url", ["http://speech.test/v1", "ws://192.0.2.1:80/v1", "ws://[2001:db8::1]:80/v1"])
async def test_credentials_in_the_clear_are_warned_of_once(hosts: Hosts, gateway: ScriptedGateway, url: str) -> None:
    for host in ("speech.test", "192.0.2.1", "2001:db8::1"):
        hosts.secured[host, 80] = None
    gateway.plan(Hear(1.0), Drop())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with ts.open_client(ts.LiveKit(url, KEY, SECRET)) as client:
            for _ in range(2):
                assert (await client.recognize(SAID)).text == SAID.text
    assert len(hosts.dialed) == 3
    (warning,) = caught
    assert warning.category is ts.PlaintextCredentialsWarning
    assert warning.filename == __file__
    assert "ts.open_client" in linecache.getline(__file__, warning.lineno)
    assert "unencrypted" in str(warning.message)
    assert SECRET not in str(warning.message)


async def test_nothing_is_dialed_where_the_warning_is_an_error(hosts: Hosts) -> None:
    with pytest.raises(ts.PlaintextCredentialsWarning):
        async with ts.open_client(ts.LiveKit("http://speech.test/v1", KEY, SECRET)) as client:
            await client.recognize(SAID)
    assert hosts.dialed == []


@pytest.mark.parametrize("url", ["http://localhost", "ws://127.0.0.1", "ws://[::1]", "http://a.localhost"])
async def test_no_warning_for_services_on_this_machine(hosts: Hosts, url: str) -> None:
    hosts.secured = {(host, 80): None for host in ("localhost", "127.0.0.1", "::1", "a.localhost")}
    async with ts.open_client(ts.LiveKit(f"{url}/v1", KEY, SECRET)) as client:
        assert (await client.recognize(SAID)).text == SAID.text


@pytest.mark.parametrize(
    ("dial", "readable"),
    [
        (Dial("ws://speech.test", (("authorization", "Bearer x"),)), True),
        (Dial("ws://localhost.test", (("Authorization", "Bearer x"),)), True),
        (Dial("ws://speech.test", (("User-Agent", "x"),)), False),
        (Dial("wss://speech.test", (("Authorization", "Bearer x"),)), False),
        (Dial("ws://127.8.9.1:1", (("Authorization", "Bearer x"),)), False),
    ],
)
def test_credentials_are_readable_over_plain_ws_to_other_machines(dial: Dial, readable: bool) -> None:
    assert is_readable(dial) is readable
