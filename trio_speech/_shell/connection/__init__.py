"""One websocket connection, and all that trio-websocket does not promise. Nothing else imports that library.

    transport     name, TCP, proxy, TLS             a byte stream
    tap           heads, inbox                      the byte stream, watched, and shared by the library and ours
    dial, accept  refusal                           the handshake, from either side
    hosting       life                              where its tasks live, and what ends them
    websocket     framing                           messages

Laws
    1. Every wait has a deadline: dial, send, ping and close; where one passes, the stream is dropped.
    2. trio-websocket's own tasks run in a nursery of their own and never raise into the caller's.
    3. What ends a connection, or kept it from opening, is told once, as the `Cause` in `LinkDown`.
"""

from .accept import Handshake, accept_connection
from .byte_stream import LinkDown
from .dial import open_connection
from .websocket import Connection

__all__ = ["Connection", "Handshake", "LinkDown", "accept_connection", "open_connection"]
