"""Data frames, ready to be written: RFC 6455, sections 5.2 and 5.3.

trio-websocket makes an event, a serializer's state and three method calls of each message; audio goes out some twenty
times a second on every link, so its frames are made here, in one piece. Control frames stay with trio-websocket.
"""

from __future__ import annotations

import os
import struct
from functools import lru_cache

try:
    from websockets.speedups import apply_mask
except ImportError:  # the platform has no wheel of it
    from websockets.utils import apply_mask

_TEXT, _BINARY = 0x81, 0x82  # the last frame of its message, and its kind
_MASKED = 0x80
_SHORT, _MEDIUM = 125, 65_535
_medium_head = struct.Struct("!BBH").pack
_long_head = struct.Struct("!BBQ").pack
_KEY, _KEYS = 4, 256
_fresh_keys: list[bytes] = []  # a call of the system for each would cost as much as all else here
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_fresh_keys.clear)


def client_frame(message: str | bytes) -> bytes:
    """One whole message as one frame, masked under a fresh unpredictable key."""
    key = _fresh_key()
    if isinstance(message, str):
        payload = message.encode()
        return _head(_TEXT, len(payload), _MASKED) + key + apply_mask(payload, key)
    return _head(_BINARY, len(message), _MASKED) + key + apply_mask(message, key)


def server_frame(message: str | bytes) -> bytes:
    """One whole message as one frame, as it is."""
    if isinstance(message, str):
        payload = message.encode()
        return _head(_TEXT, len(payload), 0) + payload
    return _head(_BINARY, len(message), 0) + message


def _fresh_key() -> bytes:
    while True:
        try:
            return _fresh_keys.pop()
        except IndexError:  # or another thread was quicker
            keys = os.urandom(_KEY * _KEYS)
            _fresh_keys.extend([keys[at : at + _KEY] for at in range(0, len(keys), _KEY)])


@lru_cache(maxsize=64)  # audio comes in frames of few sizes
def _head(kind: int, size: int, masked: int) -> bytes:
    if size <= _SHORT:
        return bytes((kind, masked | size))
    return _medium_head(kind, masked | 126, size) if size <= _MEDIUM else _long_head(kind, masked | 127, size)
