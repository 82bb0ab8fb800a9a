"""Finds the HTTP proxy that the environment names for a URL, and makes the CONNECT request (RFC 9110, 9.3.6)."""

from __future__ import annotations

import base64
from urllib.parse import SplitResult, unquote, urlsplit

import h11

from ..._core.retry.causes import Broken, Unreachable
from .byte_stream import RECEIVE_BYTES, ByteStream
from .handshake_failure import refusal
from .lifetime import LinkDown
from .redaction import Redactor

_PORTS = {"http": 8080, "https": 443}
"""The supported schemes of proxies, and the default port of each."""


def proxy_for(url: SplitResult) -> SplitResult | None:
    """Returns the proxy for this host, as HTTP clients read the environment, or ``None``.

    Raises `LinkDown` if the proxy's address cannot be used.
    """
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  # slow to import; only a dial needs it

    proxies = getproxies()
    if not proxies or proxy_bypass(url.netloc.rpartition("@")[2]):
        return None
    found = proxies.get("https" if url.scheme == "wss" else "http") or proxies.get("all")
    if not found:
        return None
    try:
        proxy = urlsplit(found if "://" in found else f"http://{found}")
        _ = proxy.port
    except ValueError:
        raise LinkDown(Unreachable("the address of the proxy is not a URL", permanent=True)) from None
    if proxy.scheme not in _PORTS:
        reason = f"a proxy of scheme {proxy.scheme!r} is not supported: use http:// or https://"
        raise LinkDown(Unreachable(reason, permanent=True))
    return proxy


def address_of(proxy: SplitResult) -> tuple[str, int]:
    """Returns host and port of a proxy."""
    return proxy.hostname or "", proxy.port or _PORTS[proxy.scheme]


async def request_tunnel(stream: ByteStream, proxy: SplitResult, host: str, port: int) -> None:
    """Asks the proxy at the other end of `stream` for a connection to `host`; afterwards the stream leads there.

    Raises `LinkDown` if the proxy refuses. Cancelling leaves the stream unusable.
    """
    redactor = Redactor([unquote(proxy.password or "")])
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    http = h11.Connection(h11.CLIENT)
    request = h11.Request(method="CONNECT", target=target, headers=[("Host", target), *_credentials(proxy)])
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
                raise LinkDown(refusal(event.status_code, event.headers, b"by the proxy", redactor))
            return


def _credentials(proxy: SplitResult) -> list[tuple[str, str]]:
    if proxy.username is None:
        return []
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return [("Proxy-Authorization", f"Basic {base64.b64encode(pair).decode()}")]
