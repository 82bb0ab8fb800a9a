"""One websocket connection. Nothing outside this package imports trio-websocket, wsproto or h11.

    file                            what it does
    ─────────────────────────────   ───────────────────────────────────────────────────────────────────────
    open_stream                     opens the byte stream: name lookup, TCP, proxy, TLS
    byte_stream, tls_stream         streams that also write without waiting: TCP, any other, TLS
    shared_stream                   one stream for two users: trio-websocket (control frames) and this package (data)
    opening                         the HTTP head before the first frame, and the body of a refusal
    frame_limits, frame_reader      limits the size of incoming messages; reads the data frames
    dial, accept                    the opening handshake, as client and as server
    handshake_failure               why a handshake failed
    redaction                       makes text that the peer sent safe to show
    background_tasks, lifetime      the tasks of a connection, and what ends them
    health_watch, send_queue        whether the peer is still there; the bytes that the kernel has not delivered yet
    websocket, framing              messages, pings and the closing handshake of an open connection

Laws
    1. Every wait has a deadline: dial, send, ping and close. When one passes, the stream is dropped.
    2. trio-websocket's own tasks run in a nursery of their own and never raise into the caller's.
    3. The first reason why a connection failed is kept, and every method raises it as the `Cause` in `LinkDown`.
    4. Text that the peer sent is redacted before it becomes part of a `Cause`.
"""

from .accept import Handshake, accept_connection
from .dial import open_connection
from .health_watch import HealthWatch
from .lifetime import LinkDown
from .redaction import Redactor
from .websocket import Connection

__all__ = ["Connection", "Handshake", "HealthWatch", "LinkDown", "Redactor", "accept_connection", "open_connection"]
