"""HTTP CONNECT (RFC 9110, section 9.3.6), by which a client names the service that it wants to reach.

Clients that follow ``HTTPS_PROXY`` use it, so the TLS session is between client and service, with its own certificate.
"""

from __future__ import annotations

import trio

from .direction import ByteStream

_MAX_REQUEST_BYTES = 8_192
_REQUEST_TIMEOUT = 10.0
"""Seconds within which the request must be complete."""


class ConnectRefused(Exception):
    """The client did not send a valid CONNECT request. It has already been answered."""


async def answer_connect(client: ByteStream) -> tuple[str, int]:
    """Reads a CONNECT request, confirms it, and returns the host and the port that it names.

    Raises `ConnectRefused` if the request is something else, does not come in time, or the client leaves.
    """
    try:
        with trio.move_on_after(_REQUEST_TIMEOUT):
            target = _target(await _read_request(client))
            answer = b"HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\nConnection: close\r\n\r\n"
            await client.send_all(b"HTTP/1.1 200 Connection established\r\n\r\n" if target else answer)
            if target:
                return target
            await client.send_eof()
            raise ConnectRefused("the client did not ask for HOST:PORT by an HTTP CONNECT")
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        raise ConnectRefused("the client has left") from None
    raise ConnectRefused(f"no HTTP CONNECT within {_REQUEST_TIMEOUT:g} s")


async def _read_request(client: ByteStream) -> bytes:
    """Reads the request up to the empty line. Nothing follows it: a client waits for the answer before it sends."""
    head = b""
    while len(head) < _MAX_REQUEST_BYTES and not head.endswith(b"\r\n\r\n"):
        data = await client.receive_some(_MAX_REQUEST_BYTES - len(head))
        if not data:
            break
        head += data
    return head


def _target(head: bytes) -> tuple[str, int] | None:
    match head.partition(b"\r\n")[0].decode("latin-1").split(" "):
        case ["CONNECT", authority, "HTTP/1.1" | "HTTP/1.0"] if head.endswith(b"\r\n\r\n"):
            host, _, port = authority.rpartition(":")
            bare = host.removeprefix("[").removesuffix("]")
            sound = port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65_536
            return (bare, int(port)) if bare and sound else None
        case _:
            return None
