"""The connection to one client after its handshake: reads and writes messages, and closes the connection."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

import trio

from ..._core.provider.messages import Unknown
from ..._shell.connection import Connection, LinkDown
from ...errors import ProtocolError, SpeechError
from ...providers._json import TaggedUnion
from ...providers.livekit import wire
from ...providers.livekit.failures import INACTIVE
from ..engines import Busy, Declined, EngineFailed

OPENING_TIMEOUT = 10.0
"""Seconds a client has to send ``session.create``."""

IDLE_TIMEOUT = 30 * 60.0
"""Seconds without any message from the client after which its session ends with error 2007."""

SEND_TIMEOUT = 20.0
"""Seconds for writing one message. A client that does not read it in that time is dropped."""

CLOSE_TIMEOUT = 1.0
"""Seconds for the closing handshake."""

_BAD_REQUEST, _TOO_MANY, _BROKEN = 400, 429, 500
_NORMAL, _GOING_AWAY, _POLICY, _INTERNAL = 1000, 1001, 1008, 1011

M = TypeVar("M")


class Rejected(SpeechError):
    """The client broke the protocol: it is sent an error with `code`, and its connection is closed."""

    def __init__(self, message: str, code: int = _BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code


class ClientConnection(Generic[M]):
    """An accepted connection. `union` decodes the client's messages: those of ``/v1/stt`` or those of ``/v1/tts``."""

    def __init__(self, connection: Connection, union: TaggedUnion[M], prefix: str) -> None:
        self._connection = connection
        self._union = union
        self._writing = trio.Lock()
        self._close_code = _GOING_AWAY
        self.session_id = f"{prefix}_{secrets.token_hex(6)}"

    async def receive(self, within: float = IDLE_TIMEOUT) -> M:
        """Returns the next message of a known type, and skips others. Safe to cancel.

        Raises `Rejected` when the message is malformed or none comes for `within` seconds, and `LinkDown`.
        """
        while True:
            with trio.move_on_after(within):
                message = self._decode(await self._connection.receive())
                if not isinstance(message, Unknown):
                    return message
                continue
            raise Rejected("session closed due to agent inactivity", INACTIVE)

    def _decode(self, frame: str | bytes) -> M | Unknown:
        if isinstance(frame, bytes):
            raise Rejected("binary frames are not part of this protocol: send audio in input_audio messages, in base64")
        try:
            return self._union.decode(frame)
        except ProtocolError as error:
            raise Rejected(error.message) from None

    async def send(self, message: wire.Said) -> None:
        """Writes one message, within `SEND_TIMEOUT` seconds. Raises `LinkDown`.

        Cancelling takes effect afterwards: half a frame would make the connection useless.
        """
        with trio.CancelScope(shield=True):
            async with self._writing:
                await self._connection.send(wire.encode(message), SEND_TIMEOUT)

    async def finish(self, failure: SpeechError | None) -> None:
        """Sends `failure`, if any, as an error message, and closes. Takes up to `CLOSE_TIMEOUT` s; raises nothing."""
        with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
            if failure is None:
                await self._connection.close(CLOSE_TIMEOUT, self._close_code)
            else:
                with suppress(LinkDown):
                    await self.send(self._error(failure))
                code = _INTERNAL if isinstance(failure, EngineFailed) else _POLICY
                await self._connection.close(CLOSE_TIMEOUT, code, failure.message[:100])
        self._connection.abort("the session has ended")

    async def confirm_close(self) -> None:
        """Answers ``session.close``. Raises `LinkDown`."""
        await self.send(wire.SessionClosed(session_id=self.session_id))
        self._close_code = _NORMAL

    def _error(self, failure: SpeechError) -> wire.Error:
        return wire.Error(message=failure.message, code=_code(failure), session_id=self.session_id)


def _code(failure: SpeechError) -> int:
    match failure:
        case Rejected(code=code):
            return code
        case Busy():
            return _TOO_MANY
        case EngineFailed():
            return _BROKEN
        case _:
            return _BAD_REQUEST


def sample_rate(value: str | int) -> int:
    """Returns the sample rate in hertz; the protocol writes it as a string. Raises `Rejected`."""
    try:
        rate = int(value)
    except ValueError:
        rate = 0
    if rate <= 0:
        raise Rejected("sample_rate must be a number of hertz, as a string")
    return rate


class SessionLimit:
    """Counts the clients of one engine, up to its capacity."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._admitted = 0

    @contextmanager
    def admit(self) -> Generator[None]:
        """Counts one client for the length of the block. Raises `Busy` at the limit."""
        if self._admitted >= self._limit:
            raise Busy(f"all {self._limit} sessions are in use: try again later")
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1


REFUSALS = (Busy, Declined, EngineFailed, Rejected)
"""Errors that are sent to the client before its connection is closed."""
