"""A fault proxy that is asked for the service by an HTTP CONNECT (RFC 9110, section 9.3.6).

So every client that follows ``HTTPS_PROXY`` comes through it, with the service's own name and certificate.
"""

from __future__ import annotations

import trio

from .direction import ByteStream

_HEAD = 8_192
"""Bytes of a request at most."""
_PATIENCE = 10.0
"""Seconds for the request to come."""


class NoTunnel(Exception):
    """What was asked for is no tunnel, or nothing was; the client has been told."""


async def answer_connect(client: ByteStream) -> tuple[str, int]:
    """The host and the port that `client` asks for, which is told that it has them. Raises `NoTunnel`."""
    try:
        with trio.move_on_after(_PATIENCE):
            target = _target(await _head(client))
            answer = b"HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\nConnection: close\r\n\r\n"
            await client.send_all(b"HTTP/1.1 200 Connection established\r\n\r\n" if target else answer)
            if target:
                return target
            await client.send_eof()
            raise NoTunnel("it did not ask for HOST:PORT by an HTTP CONNECT")
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        raise NoTunnel("the client has left") from None
    raise NoTunnel(f"no HTTP CONNECT within {_PATIENCE:g} s")


async def _head(client: ByteStream) -> bytes:
    """What comes up to an empty line; a client waits there, so that nothing comes after it."""
    head = b""
    while len(head) < _HEAD and not head.endswith(b"\r\n\r\n"):
        data = await client.receive_some(_HEAD - len(head))
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
