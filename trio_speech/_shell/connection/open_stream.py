"""Opens the byte stream for a URL: name lookup, TCP, proxy, TLS. Failures are raised as `LinkDown`."""

from __future__ import annotations

import ssl
from urllib.parse import SplitResult, urlsplit

import h11
import trio

from ..._core.retry.causes import Cause, Unreachable
from .byte_stream import ByteStream, as_byte_stream
from .lifetime import LinkDown
from .proxy import address_of, proxy_for, request_tunnel
from .tls_stream import TlsStream

_UNTRUSTED = range(18, 22)
"""OpenSSL's error codes for a certificate whose authority is unknown (x509_vfy.h)."""
_ADVICE = "; if an authority of your own signed it, give open_client() an ssl_context that trusts it"


async def open_stream(url: str, ssl_context: ssl.SSLContext | None) -> ByteStream:
    """Opens TCP for ``ws`` and TLS for ``wss``, through the proxy that the environment names for this host, if any.

    `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are read at every dial, as HTTP clients read them. Without
    `ssl_context`, the system's authorities are trusted, for the service and for an ``https`` proxy alike. Raises
    `LinkDown`. Cancelling closes what was opened so far.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80)
    try:
        proxy = proxy_for(parts)
        stream = await (_tcp(host, port) if proxy is None else _through_proxy(proxy, host, port, ssl_context))
        return await _tls(stream, host, ssl_context) if parts.scheme == "wss" else stream
    except trio.BrokenResourceError as error:
        raise LinkDown(_broken_dial(host, error)) from None
    except h11.RemoteProtocolError:
        raise LinkDown(Unreachable("the proxy does not answer in HTTP")) from None
    except UnicodeError:
        reason = "the name of the host, or of its proxy, is not a valid host name"
        raise LinkDown(Unreachable(reason, permanent=True)) from None
    except OSError as error:
        raise LinkDown(Unreachable(f"{host}:{port}: {error.strerror or error}")) from None


def host_header(url: str) -> str:
    """Returns the ``Host`` header for a URL, with the port if the URL has one."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
    return host if parts.port is None else f"{host}:{parts.port}"


def resource(url: str) -> str:
    """Returns the path and query of a URL, as a request line has them."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


async def _tcp(host: str, port: int) -> ByteStream:
    return as_byte_stream(await trio.open_tcp_stream(host, port))


async def _tls(transport: ByteStream, host: str, context: ssl.SSLContext | None) -> ByteStream:
    try:
        stream = TlsStream(transport, context or ssl.create_default_context(), host)
        await stream.do_handshake()
    except BaseException as error:
        await trio.aclose_forcefully(transport)
        if isinstance(error, trio.BrokenResourceError):
            raise LinkDown(_broken_dial(host, error)) from None
        raise
    return stream


def _broken_dial(host: str, error: trio.BrokenResourceError) -> Cause:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        advice = _ADVICE if cause.verify_code in _UNTRUSTED else ""
        reason = f"the certificate of {host} is not valid: {cause.verify_message}{advice}"
        return Unreachable(reason, permanent=True)
    return Unreachable(f"the connection to {host} broke during set-up: {cause or error}")


async def _through_proxy(proxy: SplitResult, host: str, port: int, context: ssl.SSLContext | None) -> ByteStream:
    address = address_of(proxy)
    stream = await _tcp(*address)
    try:
        if proxy.scheme == "https":
            stream = await _tls(stream, address[0], context)
        await request_tunnel(stream, proxy, host, port)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream
