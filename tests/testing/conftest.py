"""The fixture ``call``: a plain client of the gateway's wire, with no resilience at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeVar

import pytest
import trio

from trio_speech._core.retry.causes import Cause
from trio_speech._shell.connection import Connection, LinkDown, open_connection
from trio_speech.providers._codec import Dial
from trio_speech.providers.livekit import wire
from trio_speech.testing.scripted.gateway import ScriptedGateway
from trio_speech.testing.speech import Source

TIMEOUT = 10.0

Kind = TypeVar("Kind")
Call = Callable[..., AbstractAsyncContextManager["Caller"]]


class Caller:
    """Keeps all that came, with its time, and what the connection ended of."""

    def __init__(self, connection: Connection, union: Any) -> None:
        self.connection = connection
        self.came: list[tuple[float, Any]] = []
        self.cause: Cause | None = None
        self.down = trio.Event()
        self._done = trio.Event()
        self._union = union

    async def listen(self) -> None:
        try:
            while True:
                frame = await self.connection.receive()
                message = self._union.decode(frame)
                self.came.append((trio.current_time(), message))
                if isinstance(message, wire.Done):
                    self._done.set()
        except LinkDown as down:
            self.cause = down.cause
            self.down.set()
            self._done.set()

    async def say(self, *messages: wire.Said) -> None:
        for message in messages:
            await self.connection.send(wire.encode(message), TIMEOUT)

    async def play(self, source: Source) -> None:
        """Sends audio until it ends or the connection does."""
        try:
            async for chunk in source:
                await self.say(wire.InputAudio(chunk))
        except LinkDown:
            await self.down.wait()

    async def done_or_down(self) -> None:
        """Until the first `Done`, or the end."""
        await self._done.wait()

    async def take_leave(self) -> None:
        await self.say(wire.SessionFinalize(), wire.SessionClose())
        await self.down.wait()

    def all(self, kind: type[Kind]) -> list[Kind]:
        return [message for _, message in self.came if isinstance(message, kind)]

    @property
    def kinds(self) -> list[str]:
        """The kinds of message that came, in order, interims left out."""
        kinds = (type(message).__name__ for _, message in self.came)
        return [kind for kind in kinds if kind != "InterimTranscript"]

    @property
    def text(self) -> str:
        return " ".join(final.transcript for final in self.all(wire.FinalTranscript))

    @property
    def audio(self) -> bytes:
        return b"".join(message.pcm for message in self.all(wire.OutputAudio))


@asynccontextmanager
async def call(
    gateway: ScriptedGateway, endpoint: str = "stt", create: wire.Said | None = None, *, base: str | None = None
) -> AsyncGenerator[Caller, None]:
    """Dials, over TCP where a `base` is given, and creates a session; raises `LinkDown` where the dial fails."""
    union = wire.tts_from_server if endpoint == "tts" else wire.stt_from_server
    first = create or (wire.TtsCreate() if endpoint == "tts" else wire.SttCreate())
    async with opened(gateway, endpoint, base) as connection, trio.open_nursery() as nursery:
        caller = Caller(connection, union)
        nursery.start_soon(caller.listen)
        with suppress(LinkDown):
            await caller.say(first)
        yield caller
        nursery.cancel_scope.cancel(reason="the call is over")


@asynccontextmanager
async def opened(gateway: ScriptedGateway, endpoint: str, base: str | None) -> AsyncGenerator[Connection, None]:
    url = f"{(base or 'ws://gateway.test/v1').replace('http', 'ws')}/{endpoint}?model=scripted"

    async def connect() -> Any:
        return await gateway.connect(Dial(url))

    failure: LinkDown | None = None
    async with trio.open_nursery() as nursery:
        try:
            connection = await open_connection(
                nursery, url, (("X-Test", "1"),), timeout=TIMEOUT, connect=None if base else connect
            )
            yield connection
        except LinkDown as down:
            failure = down
        nursery.cancel_scope.cancel(reason="the connection is left")
    if failure is not None:
        raise failure


@pytest.fixture(name="call")
def call_fixture() -> Call:
    """Dials a gateway: ``async with call(gateway) as caller``."""
    return call
