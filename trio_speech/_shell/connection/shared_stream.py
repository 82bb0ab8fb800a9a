"""Shares one byte stream between trio-websocket, which handles control frames, and `Connection`, which handles data.

Laws
    1. Frames of both are written one at a time, in the order in which they were given.
    2. One task at a time reads from the network. While a task is in `receive_message`, that task reads, so that it gets
       messages without a task switch; it keeps other bytes for trio-websocket. Otherwise trio-websocket's reader reads.
    3. The bytes held are bounded: nothing more is read while bytes for trio-websocket wait, nor while `_MAX_MESSAGES`
       messages, or `_MAX_WAITING` characters of them, wait to be taken. After our close frame everything is read, to
       find the peer's close frame, and messages are dropped.
    4. How reading ended is kept, so that both readers learn of it, whichever of them noticed it.
"""

from __future__ import annotations

import trio

from ..._core.liveness.health import SendQueue
from ..concurrency.wakeup import Wakeup
from .byte_stream import RECEIVE_BYTES, ByteStream
from .frame_limits import FrameLimits
from .frame_reader import FrameReader
from .lifetime import Lifetime
from .opening import Opening

_MAX_MESSAGES, _MAX_WAITING = 64, 2**20
_CLOSE = b"\x88"  # RFC 6455, section 5.2: the last fragment, with opcode 8; an HTTP request begins with a letter


class SharedStream(trio.abc.Stream):
    """The stream that trio-websocket is given. Data frames can be sent and received on it without trio-websocket.

    It reports its end to `lifetime` (trio-websocket does not notice it during a handshake), and fails when a frame's
    header breaks `limits`. Without a `reader` all frames are left to trio-websocket.
    """

    def __init__(self, stream: ByteStream, limits: FrameLimits, reader: FrameReader | None, lifetime: Lifetime) -> None:
        self._stream = stream
        self._write_turn = trio.StrictFIFOLock()
        self._opening = Opening()
        self._limits = limits
        self._reader = reader
        self._lifetime = lifetime
        self._for_library: bytes | bytearray = b""
        self._receivers = 0
        self._is_reading = False
        self._at_eof = False
        self._failure: Exception | None = None
        self._library_may_look = Wakeup()
        self._receivers_may_look = Wakeup()
        self.ended: str | None = None
        """How the stream ended, in words; ``None`` while it lasts."""
        self.fault: str | None = None
        """Which limit the peer broke, in words; ``None`` if none."""
        self.received_at = trio.current_time()
        """When anything was last received, on trio's clock."""
        self.close_sent = False
        """True once a close frame was written, whether ours or the answer to the peer's."""

    @property
    def opening(self) -> bytes:
        """The HTTP head so far, and the body of a refusal. Empty after a handshake that succeeded."""
        return bytes(self._opening.received)

    # ------------------------------------------------------------------ writing

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Waits for its turn, then writes what `send_nowait` left, then `data`."""
        try:
            self._write_turn.acquire_nowait()
        except trio.WouldBlock:
            await self._write_turn.acquire()
        if data[:1] == _CLOSE:
            self.close_sent = True
        if not self._receivers:
            self._library_may_look.fire()  # an answer may follow what was sent, and nobody else is reading
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._end(str(error.__cause__ or error) or "the stream is closed")
            raise
        finally:
            self._write_turn.release()

    @property
    def has_unsent(self) -> bool:
        """True if `send_nowait` left something for the next `send_all`."""
        return self._stream.has_unsent

    @property
    def send_queue(self) -> SendQueue | None:
        """See `ByteStream.send_queue`."""
        return self._stream.send_queue

    def send_nowait(self, data: bytes) -> bool:
        """Writes as much of `data` as the network takes at once, and keeps the rest for the next `send_all`.

        Returns True if everything was written. No checkpoint.
        """
        return self._stream.send_nowait(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    # ------------------------------------------------------------------ reading

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Returns the next bytes for trio-websocket, whose reader calls this; empty at the end of the stream."""
        while not self._for_library:
            somebody_receives = self._receivers and not self.is_left_to_library
            if self._is_reading or somebody_receives or (self._is_full and not self.close_sent):
                await self._library_may_look.wait()
            elif not await self._read(max_bytes):
                return b""
        data, self._for_library = self._for_library, b""
        self._receivers_may_look.fire()
        return data

    async def receive_message(self) -> str | bytes | None:
        """Returns the next message, or ``None`` if the caller must get the next one from trio-websocket.

        Cancelling loses no message. Call it again promptly: no pings or close frames are read between calls.
        """
        self._receivers += 1
        try:
            while not self.has_message:
                if self.is_left_to_library:
                    return None
                if self._is_reading or self._for_library:
                    await self._receivers_may_look.wait()
                else:
                    await self._read(RECEIVE_BYTES)
        except Exception:  # noqa: BLE001  # a user's stream may raise anything; trio-websocket's reader is told of it
            return None
        except BaseException:
            self._library_may_look.fire()
            raise
        finally:
            self._receivers -= 1
        return self.take_message()

    def take_message(self) -> str | bytes | None:
        """Returns the oldest message that has come and was not taken, or ``None``."""
        if self._reader is None or not self._reader.messages:
            return None
        if self._is_full:
            self._library_may_look.fire()
        return self._reader.messages.popleft()

    @property
    def has_message(self) -> bool:
        """True if a message has come and was not taken."""
        return self._reader is not None and bool(self._reader.messages)

    @property
    def is_left_to_library(self) -> bool:
        """True if trio-websocket reads all further messages."""
        return self._reader is None or self._reader.is_done or self.ended is not None

    @property
    def _is_full(self) -> bool:
        if self._reader is None:
            return False
        messages = self._reader.messages
        return len(messages) >= _MAX_MESSAGES or sum(map(len, messages)) >= _MAX_WAITING

    async def _read(self, max_bytes: int | None) -> bool:
        """Reads from the network once, and sorts what came. Returns False at the end of the stream."""
        if self._failure is not None:
            raise self._failure
        if self._at_eof:
            return False
        self._is_reading = True
        try:
            data = await self._stream.receive_some(max_bytes or RECEIVE_BYTES)
            if data:
                self.received_at = trio.current_time()
                self._sort(data)
        except Exception as error:
            self._failure = error
            self._end(str(error.__cause__ or error) or "the stream is closed")
            raise
        finally:
            self._is_reading = False
            self._receivers_may_look.fire()
            if self.is_left_to_library:
                self._library_may_look.fire()
        if not data:
            self._at_eof = True
            self._end("the peer ended the stream without a close frame")
        return bool(data)

    def _sort(self, data: bytes | bytearray) -> None:
        """Splits `data` between trio-websocket and the receivers.

        Raises `trio.BrokenResourceError` if it breaks a limit.
        """
        opening, frames = (b"", data) if self._opening.is_over else self._opening.take(data)
        if self._opening.refused:
            self._lifetime.handshake_refused()
        rest = frames
        if self._reader is not None:
            rest = self._reader.extract(frames)
            if self.close_sent and not self._receivers:
                self._reader.messages.clear()
        self.fault = self._opening.fault or (self._limits.check(rest) if rest else None)
        if self.fault is not None:
            raise trio.BrokenResourceError(self.fault)
        self._for_library = opening + rest if opening else rest
        if self._for_library:
            self._library_may_look.fire()

    # ------------------------------------------------------------------ the end

    async def aclose(self) -> None:
        """Closes the stream. trio-websocket calls this after a bad request, and would wait for the next one."""
        self._end("the stream was closed here")
        await self._stream.aclose()

    def _end(self, how: str) -> None:
        if self.ended is None:
            self.ended = how
            self._lifetime.stream_ended()
            self._library_may_look.fire()
            self._receivers_may_look.fire()
