"""TLS over any byte stream, able to write without waiting: an `ssl.SSLObject` between two memory buffers.

trio's own `SSLStream` encrypts in the task that waits for the network, so that each frame would cost a task switch.
Here `send_nowait` encrypts and writes in the task that has the data, as on a plain socket.

Laws
    1. Certificates and host names are checked by the `ssl.SSLContext` as it is given; nothing is relaxed here.
    2. Records are sent in the order in which they were encrypted, those that answer the peer (key updates) included.
    3. The end of the stream below is the end of this one, with or without close_notify: many servers never send it, and
       a websocket has a close frame of its own.
    4. Renegotiation (TLS 1.2) is refused: during one nothing can be encrypted, so a write could no longer be immediate.
    5. A broken record breaks the stream for good: whatever comes later is neither decrypted nor sent.

Sources: RFC 8446, sections 4.6 (messages after the handshake), 5.1 (record types) and 6.1 (close_notify).
"""

from __future__ import annotations

import ssl
from contextlib import suppress

import trio

from ..._core.liveness.health import SendQueue
from .byte_stream import RECEIVE_BYTES, ByteStream

_HANDSHAKE = b"\x16"
"""The record type of handshake messages. TLS 1.3 shows it only before encryption begins; TLS 1.2 also later."""

_RENEGOTIATION = "the peer asked for TLS renegotiation, which is not supported"


class TlsStream(ByteStream):
    """The client's side of TLS over `transport`, which it owns. Call `do_handshake` first.

    All methods raise `trio.BrokenResourceError` for TLS errors, caused by the `ssl.SSLError`.
    """

    def __init__(self, transport: ByteStream, context: ssl.SSLContext, server_hostname: str) -> None:
        self._transport = transport
        self._received = ssl.MemoryBIO()
        self._to_send = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._to_send, server_hostname=server_hostname)
        self._is_open = False
        self._is_closed = False
        self._at_end = False
        self._failure: ssl.SSLError | None = None

    async def do_handshake(self) -> None:
        """Makes the handshake and checks the certificate. Cancelling leaves the stream unusable."""
        while not self._is_open:
            try:
                self._tls.do_handshake()
                self._is_open = True
            except ssl.SSLWantReadError:
                await self._transport.send_all(self._to_send.read())
                await self._fetch()
            except ssl.SSLError as error:
                raise self._broken(error) from error
        await self._transport.send_all(self._to_send.read())

    # ------------------------------------------------------------------ writing

    @property
    def has_unsent(self) -> bool:
        return self._transport.has_unsent

    @property
    def send_queue(self) -> SendQueue | None:
        return self._transport.send_queue

    def send_nowait(self, data: bytes) -> bool:
        try:
            self._encrypt(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):  # the next `send_all` raises it again
            return False
        return self._transport.send_nowait(self._to_send.read())

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        self._encrypt(data)
        await self._transport.send_all(self._to_send.read())

    async def wait_send_all_might_not_block(self) -> None:
        await self._transport.wait_send_all_might_not_block()

    def _encrypt(self, data: bytes | bytearray | memoryview) -> None:
        self._check_usable()
        try:
            # One call encrypts no more than one record of 16 KiB, and a frame of audio is shorter.
            written = self._tls.write(data) if data else 0
            while written < len(data):
                written += self._tls.write(memoryview(data)[written:])
        except ssl.SSLError as error:
            raise self._broken(error) from error

    # ------------------------------------------------------------------ reading

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        while True:
            data = self._decrypt(max_bytes or RECEIVE_BYTES)
            if data or self._at_end:
                return data
            await self._fetch()

    async def _fetch(self) -> None:
        data = await self._transport.receive_some(RECEIVE_BYTES)
        if data:
            self._received.write(data)
        else:
            self._received.write_eof()
            self._at_end = True

    def _decrypt(self, max_bytes: int) -> bytes:
        """Returns all that has come, up to `max_bytes` bytes; empty if no record is complete, or at the end."""
        self._check_usable()
        pieces: list[bytes] = []
        size = 0
        try:
            # Asking how much there is costs half as much as one more read, which fails, after each record.
            while size < max_bytes and (available := self._tls.pending() or self._received.pending):
                piece = self._tls.read(min(available, max_bytes - size))
                if not piece:  # close_notify: whatever follows it is to be ignored
                    self._at_end = True
                    break
                pieces.append(piece)
                size += len(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLEOFError:
            self._at_end = True
        except ssl.SSLError as error:
            # Records before the broken one are genuine, and are returned first.
            broken = self._broken(error)
            if not pieces:
                raise broken from error
        self._answer()
        return b"".join(pieces)

    def _answer(self) -> None:
        """Sends the records that OpenSSL has written by itself as an answer to the peer: alerts and key updates."""
        if self._to_send.pending:
            data = self._to_send.read()
            if data.startswith(_HANDSHAKE):
                raise self._broken(ssl.SSLError(_RENEGOTIATION))
            self._transport.send_nowait(data)

    # ------------------------------------------------------------------ the end

    def _check_usable(self) -> None:
        if self._is_closed:
            raise trio.ClosedResourceError("the TLS stream was closed here")
        if self._failure is not None:
            raise trio.BrokenResourceError(str(self._failure)) from self._failure

    def _broken(self, error: ssl.SSLError) -> trio.BrokenResourceError:
        """Keeps the first error, tells the peer by an alert, and returns the exception to raise from `error`."""
        self._failure = self._failure or error
        self._transport.send_nowait(self._to_send.read())
        return trio.BrokenResourceError(str(error))

    async def aclose(self) -> None:
        """Closes the transport, after a close_notify if the network takes it at once. Does not wait for the peer's."""
        if self._is_open and not (self._is_closed or self._failure or self.has_unsent):
            with suppress(ssl.SSLError):  # raised where the peer's close_notify has not come yet
                self._tls.unwrap()
            self._transport.send_nowait(self._to_send.read())
        self._is_closed = True
        await self._transport.aclose()
