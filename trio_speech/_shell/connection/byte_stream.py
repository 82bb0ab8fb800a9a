"""Opens the byte stream that a URL names: name lookup, TCP, proxy, TLS. Failures are raised as `LinkDown`."""

from __future__ import annotations

import base64
import ssl
from urllib.parse import SplitResult, unquote, urlsplit

import h11
import trio

from ..._core.retry.causes import Broken, Cause, Refused, Unreachable

RECEIVE_BYTES = 65_536
"""How much one read takes at most."""
_PROXY_PORT = 8080
_UNTRUSTED = range(18, 22)
"""OpenSSL's error codes for a certificate whose authority is unknown (x509_vfy.h)."""
_ADVICE = "; if an authority of your own signed it, give open_client() an ssl_context that trusts it"


class LinkDown(Exception):
    """A connection is gone, or could not be made. Internal: sessions turn `cause` into a retry or a public error."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(str(cause))
        self.cause = cause


async def open_stream(url: str, ssl_context: ssl.SSLContext | None) -> trio.abc.Stream:
    """Opens TCP for ``ws`` and TLS for ``wss``, through the proxy that the environment names for this host, if any.

    `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are read at every dial, as HTTP clients read them. Without
    `ssl_context`, the system's authorities are trusted. Raises `LinkDown`. Cancelling closes what was opened so far.
    """
    parts = urlsplit(url)
    host, port = _address(parts)
    try:
        proxy = _proxy_for(parts)
        stream: trio.abc.Stream
        if proxy is None:
            stream = await trio.open_tcp_stream(host, port)
        else:
            stream = await _through_proxy(proxy, host, port)
        if parts.scheme == "wss":
            stream = await _tls(stream, host, ssl_context)
    except trio.BrokenResourceError as error:
        raise LinkDown(_broken_dial(host, error)) from None
    except h11.RemoteProtocolError:
        raise LinkDown(Unreachable("the proxy does not answer in HTTP")) from None
    except UnicodeError:
        raise LinkDown(
            Unreachable("the name of the host, or of its proxy, is not a valid host name", permanent=True)
        ) from None
    except OSError as error:
        raise LinkDown(Unreachable(f"{host}:{port}: {error.strerror or error}")) from None
    return stream


def host_header(url: str) -> str:
    """The ``Host`` header for a URL, with the port if the URL has one."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
    return host if parts.port is None else f"{host}:{parts.port}"


def resource(url: str) -> str:
    """The path and query of a URL, as a request line has them."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _address(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80)


def _proxy_for(parts: SplitResult) -> SplitResult | None:
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  # slow to import; only a dial needs it

    proxies = getproxies()
    address = parts.netloc.rpartition("@")[2]
    if not proxies or proxy_bypass(address):
        return None
    found = proxies.get("https" if parts.scheme == "wss" else "http") or proxies.get("all")
    if not found:
        return None
    try:
        proxy = urlsplit(found if "://" in found else f"http://{found}")
        _ = proxy.port
    except ValueError:
        raise LinkDown(Unreachable("the address of the proxy is not a URL", permanent=True)) from None
    return proxy


async def _tls(stream: trio.abc.Stream, host: str, context: ssl.SSLContext | None) -> trio.abc.Stream:
    secure = trio.SSLStream(
        stream, context or ssl.create_default_context(), server_hostname=host, https_compatible=True
    )
    try:
        await secure.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return secure


def _broken_dial(host: str, error: trio.BrokenResourceError) -> Cause:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        advice = _ADVICE if cause.verify_code in _UNTRUSTED else ""
        reason = f"the certificate of {host} is not valid: {cause.verify_message}{advice}"
        return Unreachable(reason, permanent=True)
    return Unreachable(f"the connection to {host} broke during set-up: {cause or error}")


async def _through_proxy(proxy: SplitResult, host: str, port: int) -> trio.abc.Stream:
    if proxy.scheme != "http":
        reason = f"a proxy of scheme {proxy.scheme!r} is not supported: use http://"
        raise LinkDown(Unreachable(reason, permanent=True))
    stream = await trio.open_tcp_stream(proxy.hostname or "", proxy.port or _PROXY_PORT)
    try:
        await _tunnel(stream, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", _credentials(proxy))
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream


def _credentials(proxy: SplitResult) -> list[tuple[str, str]]:
    if proxy.username is None:
        return []
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return [("Proxy-Authorization", f"Basic {base64.b64encode(pair).decode()}")]


async def _tunnel(stream: trio.abc.Stream, target: str, credentials: list[tuple[str, str]]) -> None:
    http = h11.Connection(h11.CLIENT)
    request = h11.Request(method="CONNECT", target=target, headers=[("Host", target), *credentials])
    await stream.send_all(http.send(request) or b"")
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            data = await stream.receive_some(RECEIVE_BYTES)
            if not data:
                raise LinkDown(Broken("the proxy closed the connection"))
            http.receive_data(bytes(data))
        elif isinstance(event, h11.Response):
            if not 200 <= event.status_code < 300:
                raise LinkDown(Refused(event.status_code, "by the proxy"))
            return
