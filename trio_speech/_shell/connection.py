"""One websocket connection, and all that trio-websocket does not promise. Nothing else imports that library.

Laws
    1. Every wait has a deadline: dial, send, ping and close; where one passes, the stream is dropped.
    2. One task writes. A send that is cancelled or times out may have torn a frame, so it condemns the connection.
    3. Whatever ends the connection is told once, as the `Cause` in `LinkDown`; trio-websocket's own tasks run in a
       nursery of their own and never raise into the caller's.
    4. The reader must be drained without pause: pongs and close frames come through it.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar, cast

import trio
import trio_websocket as tw
from wsproto.utilities import RemoteProtocolError

from .._core.causes import Broken, Cause, Malformed, PeerClosed, Refused, Silent, Unreachable
from .._core.retry_after import retry_after_of
from .framing import client_frame, server_frame
from .heads import Heads
from .inbox import Inbox
from .signal import Signal
from .tap import Tap
from .transport import LinkDown as LinkDown  # noqa: PLC0414  # for a gateway, which knows no other part of the shell
from .transport import answer_in, host_header, open_stream, resource

Frame = str | bytes

MAX_MESSAGE_SIZE = 16 * 2**20
"""Bytes of one incoming message; a larger one ends the connection."""

_QUEUE = 64
_PATIENCE = 1.0
"""Seconds that the first send may begin unnoticed: all later ones are timed to the moment."""
_RECEIVE_BYTES = 65_536
_REASON_BYTES = 500
_ABNORMAL = 1006
_BY_US = "closed by us"
_FOUND_HERE = (1002, 1007)  # so trio-websocket tells what it finds wrong itself; to the peer it says nothing then
_GONE = (tw.ConnectionClosed, trio.ClosedResourceError, trio.BrokenResourceError)

_Product = TypeVar("_Product")


class _Life:
    """What ends a connection, and of what it ended."""

    def __init__(self, tap: Tap, scope: trio.CancelScope) -> None:
        self.tap = tap
        self.scope = scope
        self.cause: Cause | None = None
        self.parting = False
        """A goodbye is being said: who meets the end meanwhile does not cut it short."""
        self.sending_until = math.inf
        self.patience = _PATIENCE
        self._news = Signal()

    def end(self, cause: Cause) -> LinkDown:
        if self.cause is None:
            self.cause = cause
        if not self.parting:
            self.scope.cancel(reason=str(cause))
        return LinkDown(self.cause)

    async def watch_sends(self) -> None:
        """One timer for all sends: it rests no longer than a send may take, so none begun meanwhile is missed."""
        self.tap.on_end = self._news.fire
        while self.tap.ended is None or self.sending_until != math.inf:
            now = trio.current_time()
            if now >= self.sending_until:
                self.end(Silent("progress in sending", self.patience))
            await self._news.wait_until(min(self.sending_until, now + self.patience))


class Connection:
    """An open websocket; every method raises `LinkDown` once it is gone. See `open_connection`, `accept_connection`."""

    def __init__(self, socket: tw.WebSocketConnection, life: _Life, framed: Callable[[Frame], bytes]) -> None:
        self._socket = socket
        self._life = life
        self._framed = framed
        self.opened_at = trio.current_time()

    async def send(self, frame: Frame, timeout: float) -> None:  # noqa: ASYNC109  # the deadline is this room's duty
        """Writes one message within `timeout` seconds. Cancelling it, or its time-out, condemns the connection."""
        await self._write(self._framed(frame), timeout)

    def send_nowait(self, *frames: Frame) -> bool:
        """Writes what the network takes of these messages at once; says whether that is all, else `flush` is due.

        No checkpoint: whoever has a message may send it, where no other send is under way. What is not written goes
        before anything that is sent later.
        """
        if self._socket.closed is not None:
            raise self._down()
        return self._life.tap.send_nowait(b"".join(map(self._framed, frames)))

    @property
    def has_unsent(self) -> bool:
        """Whether `send_nowait` has left something."""
        return self._life.tap.has_unsent

    async def flush(self, timeout: float) -> None:  # noqa: ASYNC109
        """Writes what `send_nowait` has left, as `send` does."""
        await self._write(b"", timeout)

    async def _write(self, data: bytes, timeout: float) -> None:  # noqa: ASYNC109
        life = self._life
        life.patience = timeout
        life.sending_until = trio.current_time() + timeout
        try:
            if self._socket.closed is not None:
                raise self._down()
            await life.tap.send_all(data)
        except trio.Cancelled:
            self.abort("a send was cancelled")
            raise
        except _GONE:
            raise self._down() from None
        finally:
            life.sending_until = math.inf

    async def receive(self) -> Frame:
        """The next message. Cancelling is safe: no message is lost."""
        tap = self._life.tap
        if tap.holds:
            await trio.lowlevel.checkpoint()
        message = await tap.message()
        return await self._passed_on() if message is None else message

    def receive_nowait(self) -> Frame | None:
        """The next message, if it is there already. No checkpoint."""
        return self._life.tap.take()

    async def _passed_on(self) -> Frame:
        try:
            return await self._socket.get_message()
        except _GONE:
            raise self._down() from None

    async def ping(self, timeout: float) -> float:  # noqa: ASYNC109
        """Seconds until the pong. Without one within `timeout` seconds the connection is condemned."""
        sent = trio.current_time()
        try:
            with trio.fail_after(timeout):
                await self._socket.ping()
        except trio.TooSlowError:
            raise self._life.end(Silent("pong", timeout)) from None
        except _GONE:
            raise self._down() from None
        return trio.current_time() - sent

    async def close(self, timeout: float, code: int = 1000, reason: str | None = None) -> None:  # noqa: ASYNC109
        """Says goodbye for at most `timeout` seconds, then drops the stream. Never raises `LinkDown`."""
        life = self._life
        if life.cause is None:
            life.cause, life.parting = Broken(_BY_US), True
            with trio.move_on_after(timeout):
                await self._socket.aclose(code, reason)
            self.abort(_BY_US)

    def abort(self, why: str) -> None:
        """Drops the stream at once, without a goodbye."""
        self._life.parting = False
        self._life.end(Broken(why))

    def _down(self) -> LinkDown:
        return self._life.end(_observed(self._socket.closed, self._life.tap))


def _observed(closed: tw.CloseReason | None, tap: Tap) -> Cause:
    if closed is None or closed.code == _ABNORMAL:
        return Malformed(tap.fault) if tap.fault else Broken(tap.ended or "the websocket failed")
    if closed.code in _FOUND_HERE and not tap.closing:
        return Malformed(closed.reason or "a frame that is none")
    return PeerClosed(closed.code, closed.reason or "")


async def open_connection(
    nursery: trio.Nursery,
    url: str,
    headers: tuple[tuple[str, str], ...],
    *,
    timeout: float,  # noqa: ASYNC109
    connect: Callable[[], Awaitable[Any]] | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Connection:
    """Dials, within `timeout` seconds all told. The connection's tasks live in `nursery`, into which they never raise.

    `connect` opens the byte stream instead of the network. Raises `LinkDown`; cancelling leaves nothing behind.
    """
    opener = connect or partial(open_stream, url, ssl_context)

    async def shake(inner: trio.Nursery, life: _Life) -> Connection:
        return Connection(await _shake_hands(inner, life.tap, url, headers), life, client_frame)

    return await _within(timeout, nursery, opener, shake, lambda stream: Tap(stream, Heads(MAX_MESSAGE_SIZE), Inbox()))


async def _within(
    timeout: float,  # noqa: ASYNC109
    nursery: trio.Nursery,
    opener: Callable[[], Awaitable[Any]],
    shake: Callable[[trio.Nursery, _Life], Awaitable[_Product]],
    watched: Callable[[trio.abc.Stream], Tap],
) -> _Product:
    with trio.move_on_after(timeout):
        stream = await opener()
        return cast(_Product, await nursery.start(_host, stream, shake, watched))
    raise LinkDown(Silent("answer to the handshake", timeout))


async def _host(
    stream: trio.abc.Stream,
    shake: Callable[[trio.Nursery, _Life], Awaitable[_Product]],
    watched: Callable[[trio.abc.Stream], Tap],
    *,
    task_status: trio.TaskStatus[_Product],
) -> None:
    """Owns trio-websocket's tasks for the life of one connection."""
    with trio.CancelScope() as scope:
        life = _Life(watched(stream), scope)
        open_ = False
        try:
            async with trio.open_nursery() as nursery:
                product = await shake(nursery, life)
                open_ = True
                task_status.started(product)
                del shake, watched, task_status, product  # for hours they would hold the handshake, and its secrets
                await life.watch_sends()
        except* Exception as group:  # noqa: BLE001  # trio-websocket's own tasks: whatever they die of, the connection is gone
            cause = _cause_of(_first(group))
            if not open_:
                raise LinkDown(cause) from None
            life.end(cause)
        finally:
            await trio.aclose_forcefully(life.tap)


async def _shake_hands(
    nursery: trio.Nursery, tap: Tap, url: str, headers: tuple[tuple[str, str], ...]
) -> tw.WebSocketConnection:
    with trio.CancelScope() as shaking:
        tap.on_end = partial(shaking.cancel, reason="the stream ended during the handshake")
        tap.on_refusal = partial(_hurry, shaking)
        # The annotation of wrap_client_stream names socket and TLS streams only; its documentation takes any stream.
        return await tw.wrap_client_stream(
            nursery,
            cast(trio.SocketStream, tap),
            host_header(url),
            resource(url),
            extra_headers=[(name.encode(), value.encode()) for name, value in headers],
            message_queue_size=_QUEUE,
            max_message_size=MAX_MESSAGE_SIZE,
            receive_buffer_size=_RECEIVE_BYTES,
        )
    raise LinkDown(_unshaken(tap))


def _unshaken(tap: Tap) -> Cause:
    """Why there is no websocket though no answer to the handshake was read to its end."""
    refusal = answer_in(tap.opening)
    if refusal is not None:
        return _refusal(*refusal)
    return Malformed(tap.fault) if tap.fault else Unreachable(f"the handshake was not answered: {tap.ended}")


def _hurry(shaking: trio.CancelScope) -> None:
    """A refusal is known from its head: the rest, which may never end, only explains it."""
    shaking.deadline = min(shaking.deadline, trio.current_time() + _PATIENCE)


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group


def _cause_of(error: BaseException) -> Cause:
    if isinstance(error, LinkDown):
        return error.cause
    if isinstance(error, tw.ConnectionRejected):
        return _refusal(error.status_code, error.headers, error.body or b"")
    return Unreachable(f"the websocket failed: {_found(error)}"[:_REASON_BYTES])


def _found(error: BaseException) -> BaseException:
    """What is wrong with the answer to a handshake: trio-websocket fails in its turn, at saying so to the server."""
    told: BaseException | None = error
    while told is not None and not isinstance(told, RemoteProtocolError):
        told = told.__context__
    return told or error


def _refusal(status: int, fields: Iterable[tuple[bytes, bytes]], body: bytes) -> Refused:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in fields}
    reason = body[:_REASON_BYTES].decode("utf-8", "replace")
    retry_after = retry_after_of(headers.get("retry-after"), datetime.now(UTC))
    request_id = next((value for name, value in headers.items() if name.endswith("request-id")), None)
    return Refused(status, reason, retry_after, request_id)


# ---------------------------------------------------------------- the other side: what a gateway accepts


class Handshake:
    """A client's request to open a websocket: answer it with `accept` or `reject`, once."""

    def __init__(self, request: tw.WebSocketRequest, life: _Life, timeout: float) -> None:
        self._request = request
        self._life = life
        self._timeout = timeout
        self.resource = request.path
        """Path and query."""
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers}

    async def accept(self) -> Connection:
        """Answers 101. Raises `LinkDown` where the client has left, or does not take the answer."""
        try:
            with trio.move_on_after(self._timeout):
                return Connection(await self._request.accept(), self._life, server_frame)
        except _GONE:
            pass
        raise self._life.end(Broken("the client left during the handshake"))

    async def reject(self, status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Answers with another HTTP status, and drops the stream."""
        extra = [(name.encode(), value.encode()) for name, value in headers]
        with suppress(*_GONE), trio.move_on_after(self._timeout):
            await self._request.reject(status, extra_headers=extra, body=body)
        self._life.end(Broken("the handshake was refused"))


async def accept_connection(
    nursery: trio.Nursery,
    stream: trio.abc.Stream,
    *,
    timeout: float,  # noqa: ASYNC109
    max_message_size: int = MAX_MESSAGE_SIZE,
) -> Handshake:
    """Serves one client on `stream`, whose request must come within `timeout` seconds, and who must take the answer
    within as many.

    The connection's tasks live in `nursery`, into which they never raise, and the stream is dropped with them. Raises
    `LinkDown`.
    """

    async def shake(inner: trio.Nursery, life: _Life) -> Handshake:
        with trio.CancelScope() as shaking:
            life.tap.on_end = partial(shaking.cancel, reason="the stream ended during the handshake")
            request = await tw.wrap_server_stream(
                inner,
                life.tap,
                message_queue_size=_QUEUE,
                max_message_size=max_message_size,
                receive_buffer_size=_RECEIVE_BYTES,
            )
            return Handshake(request, life, timeout)
        raise LinkDown(Broken("the client left before its handshake"))

    async def opened() -> trio.abc.Stream:
        return stream

    return await _within(timeout, nursery, opened, shake, lambda stream: Tap(stream, Heads(max_message_size)))
