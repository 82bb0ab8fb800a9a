"""One client of the gateway, from its handshake on: its messages in, ours out, and how it ends."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

import trio

from ..._core.provider.messages import Unknown
from ..._shell.connection import Connection, LinkDown
from ...errors import ProtocolError, SpeechError
from ...providers._union import TaggedUnion
from ...providers.livekit import wire
from ...providers.livekit.failures import INACTIVE
from ..engines import Busy, Declined, EngineFailed

OPENING_TIMEOUT = 10.0
"""Seconds in which ``session.create`` must have come."""

IDLE_TIMEOUT = 30 * 60.0
"""Seconds without a message of the client after which its session is ended, with error 2007."""

SEND_TIMEOUT = 20.0
"""Seconds in which a client must have taken a message; one that reads more slowly is dropped."""

CLOSE_TIMEOUT = 1.0
"""Seconds for a goodbye."""

_BAD_REQUEST, _TOO_MANY, _BROKEN = 400, 429, 500
_NORMAL, _GOING_AWAY, _POLICY, _INTERNAL = 1000, 1001, 1008, 1011

M = TypeVar("M")


class Rejected(SpeechError):
    """The client is told so, with `code`, and its connection is closed."""

    def __init__(self, message: str, code: int = _BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code


class ClientConnection(Generic[M]):
    """An accepted connection that speaks one of the two unions of client messages."""

    def __init__(self, connection: Connection, union: TaggedUnion[M], prefix: str) -> None:
        self._connection = connection
        self._union = union
        self._writing = trio.Lock()
        self._goodbye = _GOING_AWAY
        self.session_id = f"{prefix}_{secrets.token_hex(6)}"

    async def hear(self, within: float = IDLE_TIMEOUT) -> M:
        """The next message that the protocol knows; others are skipped. Raises `Rejected` and `LinkDown`.

        `within` is in seconds.
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
            raise Rejected("binary frames have no place in this protocol: audio goes into input_audio, in base64")
        try:
            return self._union.decode(frame)
        except ProtocolError as error:
            raise Rejected(error.message) from None

    async def say(self, message: wire.Said) -> None:
        """Writes one message. Bounded in time, and not to be cancelled half-way: the frame would be torn.

        Raises `LinkDown`.
        """
        with trio.CancelScope(shield=True):
            async with self._writing:
                await self._connection.send(wire.encode(message), SEND_TIMEOUT)

    async def leave(self, failure: SpeechError | None) -> None:
        """Ends the connection: says the failure if there is one, and goodbye. Bounded in time, and never raises."""
        with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
            if failure is None:
                await self._connection.close(CLOSE_TIMEOUT, self._goodbye)
            else:
                with suppress(LinkDown):
                    await self.say(self._error(failure))
                code = _INTERNAL if isinstance(failure, EngineFailed) else _POLICY
                await self._connection.close(CLOSE_TIMEOUT, code, failure.message[:100])
        self._connection.abort("the conversation is over")

    async def say_closed(self) -> None:
        """Confirms ``session.close``. Raises `LinkDown`."""
        await self.say(wire.SessionClosed(session_id=self.session_id))
        self._goodbye = _NORMAL

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
    """The hertz that a message names, as a string by custom. Raises `Rejected`."""
    try:
        rate = int(value)
    except ValueError:
        rate = 0
    if rate <= 0:
        raise Rejected("sample_rate must be a number of hertz, as a string")
    return rate


def check_encoding(encoding: str) -> None:
    """Raises `Rejected` for anything but 16-bit PCM."""
    if encoding != "pcm_s16le":
        raise Rejected(f"encoding {encoding[:40]!r} is not supported: use pcm_s16le")


class Seats:
    """How many clients an engine has, against its capacity."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0

    @contextmanager
    def take(self) -> Generator[None]:
        """A seat for the block. Raises `Busy` where there is none."""
        if self._taken >= self._limit:
            raise Busy(f"all {self._limit} places are taken: try again later")
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


REFUSALS = (Busy, Declined, EngineFailed, Rejected)
"""What a client is told of."""
