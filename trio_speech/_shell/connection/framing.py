"""Encodes a message as one websocket data frame, ready to be written: RFC 6455, sections 5.2 and 5.3.

trio-websocket creates an event and calls a serializer for each message. Audio is sent some twenty times a second
on every connection, so its frames are made here in one piece. Control frames are left to trio-websocket.
"""

from __future__ import annotations

import os
import struct
from functools import lru_cache

try:
    from websockets.speedups import apply_mask
except ImportError:  # there is no wheel for this platform
    from websockets.utils import apply_mask

_TEXT, _BINARY = 0x81, 0x82  # with the bit that marks the last fragment
_MASKED = 0x80
_SHORT, _MEDIUM = 125, 65_535
_medium_header = struct.Struct("!BBH").pack
_long_header = struct.Struct("!BBQ").pack
_KEY, _KEYS = 4, 256
_fresh_keys: list[bytes] = []  # drawn in bulk: a system call for each key would cost as much as the rest of a frame
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_fresh_keys.clear)  # else parent and child would mask with the same keys


def client_frame(message: str | bytes) -> bytes:
    """Returns `message` as one frame, masked with a fresh unpredictable key."""
    key = _fresh_key()
    if isinstance(message, str):
        payload = message.encode()
        return _header(_TEXT, len(payload), _MASKED) + key + apply_mask(payload, key)
    return _header(_BINARY, len(message), _MASKED) + key + apply_mask(message, key)


def server_frame(message: str | bytes) -> bytes:
    """Returns `message` as one unmasked frame."""
    if isinstance(message, str):
        payload = message.encode()
        return _header(_TEXT, len(payload), 0) + payload
    return _header(_BINARY, len(message), 0) + message


def _fresh_key() -> bytes:
    while True:
        try:
            return _fresh_keys.pop()
        except IndexError:  # no key is left, perhaps because another thread took the last one
            keys = os.urandom(_KEY * _KEYS)
            _fresh_keys.extend([keys[at : at + _KEY] for at in range(0, len(keys), _KEY)])


@lru_cache(maxsize=64)  # audio comes in frames of few sizes
def _header(kind: int, size: int, masked: int) -> bytes:
    if size <= _SHORT:
        return bytes((kind, masked | size))
    return _medium_header(kind, masked | 126, size) if size <= _MEDIUM else _long_header(kind, masked | 127, size)
