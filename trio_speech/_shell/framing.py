"""Data frames, ready to be written: RFC 6455, sections 5.2 and 5.3.

trio-websocket makes an event, a serialiser's state and three method calls of each message; audio goes out some twenty
times a second on every link, so its frames are made here, in one piece. Control frames stay with trio-websocket.
"""

from __future__ import annotations

import os
import struct

try:
    from websockets.speedups import apply_mask
except ImportError:  # the platform has no wheel of it
    from websockets.utils import apply_mask

_TEXT, _BINARY = 0x81, 0x82  # the last frame of its message, and its kind
_MASKED = 0x80
_SHORT, _MEDIUM = 125, 65_535


def client_frame(message: str | bytes) -> bytes:
    """One whole message as one masked frame, under a fresh unpredictable key."""
    return masked_frame(message, os.urandom(4))


def masked_frame(message: str | bytes, key: bytes) -> bytes:
    """One whole message as one frame, masked with the four bytes of `key`."""
    if isinstance(message, str):
        kind, payload = _TEXT, message.encode()
    else:
        kind, payload = _BINARY, message
    return _head(kind, len(payload), _MASKED) + key + apply_mask(payload, key)


def server_frame(message: str | bytes) -> bytes:
    """One whole message as one frame, as it is."""
    if isinstance(message, str):
        kind, payload = _TEXT, message.encode()
    else:
        kind, payload = _BINARY, message
    return _head(kind, len(payload), 0) + payload


def _head(kind: int, size: int, masked: int) -> bytes:
    if size <= _SHORT:
        return bytes((kind, masked | size))
    if size <= _MEDIUM:
        return struct.pack("!BBH", kind, masked | 126, size)
    return struct.pack("!BBQ", kind, masked | 127, size)
