"""One websocket of the scripted gateway: how it listens, says what it has to say, and fails as told."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable
from typing import Literal, TypeAlias

import trio

from .._shell.connection import Connection
from ..providers.livekit import wire
from .faults import Close, CloseSession, Delay, Fault, Garble, InBandError, Outage, Restart, Send, TearFrame
from .plan import Script
from .recogniser import Wait
from .records import Passed, Visit
from .streams import Line

_BACKLOG = 4_096  # messages waiting for their time
_GOODBYE = 5.0  # seconds for a client to answer a close frame
_GARBLED: dict[str, str | bytes] = {
    "json": '{"type":"final_transcript","transcript":"ba',
    "shape": '["final_transcript", 1, 2]',
    "types": '{"type":"final_transcript","transcript":17,"start":"soon","words":{"a":1}}',
    "binary": b"\x00\xff\x00\xffnot a message",
}
_MOMENTS: dict[type, str] = {
    wire.SessionCreated: "created",
    wire.InterimTranscript: "interim",
    wire.FinalTranscript: "final",
    wire.SessionFinalized: "finalized",
    wire.OutputAlignment: "alignment",
    wire.Done: "done",
}

Outgoing: TypeAlias = wire.Said | Wait
Everywhere: TypeAlias = Callable[[Outage | Restart], Awaitable[object]]
"""Strikes the whole gateway with a fault."""


class Conversation:
    """`strike` and `say` may be called by any task; one of them must run `write`, and one `watch`.

    Every method that sends or receives raises `LinkDown` once the client is gone.
    """

    def __init__(
        self, connection: Connection, line: Line, script: Script, visit: Visit, everywhere: Everywhere
    ) -> None:
        self.script = script
        self.visit = visit
        self.deaf = False
        """Nothing that comes is heeded any more."""
        self._connection = connection
        self._line = line
        self._everywhere = everywhere
        self._delay = 0.0
        self._last_due = -math.inf
        self._last_message = trio.current_time()
        self._stirred = trio.Event()
        self._written = trio.Event()
        self._out, self._backlog = trio.open_memory_channel[tuple[float, wire.Said, trio.Event]](_BACKLOG)

    @property
    def session_id(self) -> str:
        """Ours, as the client sees it."""
        return f"{self.visit.endpoint}_{self.visit.number:04d}"

    async def next_frame(self) -> str | bytes:
        """What the client sends next."""
        while True:
            frame = await self._connection.receive()
            if not self.deaf:
                self._last_message = trio.current_time()
                return frame

    async def say(self, messages: Iterable[Outgoing]) -> None:
        """Sends messages in order; returns when those that are due now have been written."""
        due = max(self._last_due, trio.current_time() + self._delay)
        for message in messages:
            if isinstance(message, Wait):
                due += message.seconds
                continue
            self._written = trio.Event()
            await self._out.send((due, message, self._written))
            if due <= trio.current_time():
                await self._written.wait()
        self._last_due = due

    async def said_all(self) -> None:
        """Returns when all that is to be sent later has been sent too."""
        await self._written.wait()

    async def write(self) -> None:
        """Sends each message at its time, for ever."""
        async for due, message, written in self._backlog:
            await trio.sleep_until(due)
            if not self.deaf:
                await (self._write_audio(message) if isinstance(message, wire.OutputAudio) else self._write(message))
            written.set()

    async def _write(self, message: wire.Said) -> None:
        await self._connection.send(wire.encode(message), math.inf)
        self.note("gateway", message, text=message.transcript if isinstance(message, wire.Transcript) else "")
        if isinstance(message, wire.FinalTranscript):
            self.visit.finals.append(message)
        if moment := _MOMENTS.get(type(message)):
            await self.happened(moment)

    async def _write_audio(self, message: wire.OutputAudio) -> None:
        pcm = message.audio
        while pcm and not self.deaf:
            size = int(min(len(pcm) // 2, self.script.room("spoken")))
            piece, pcm = pcm[: 2 * size], pcm[2 * size :]
            part = wire.OutputAudio(audio=piece, session_id=self.session_id)
            await self._connection.send(wire.encode(part), math.inf)
            self.visit.spoken += piece
            self.note("gateway", message, size)
            await self.happened("spoken", size)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """The polite end."""
        self.deaf = True
        await self._connection.close(_GOODBYE, code, reason)

    async def happened(self, what: str, amount: int = 1) -> None:
        """Something that a plan may wait for. The faults that are due with it have struck when this returns."""
        self.script.count(what, amount)
        await self.play()

    async def play(self) -> None:
        """Strikes with whatever is due."""
        for fault in self.script.due(trio.current_time(), self._last_message):
            await self.strike(fault)
        self._stirred.set()

    async def watch(self) -> None:
        """Strikes with what is due because time passes, for ever."""
        while True:
            self._stirred = trio.Event()
            with trio.move_on_at(self.script.alarm(self._last_message)):
                await self._stirred.wait()
            await self.play()

    async def strike(self, fault: Fault) -> None:
        """Lets a fault happen, now."""
        self.visit.struck.append((trio.current_time(), fault))
        match fault:
            case Delay(seconds):
                self._delay = seconds
            case Send(frame):
                await self._connection.send(frame, math.inf)
            case Garble(kind):
                await self._connection.send(_GARBLED[kind], math.inf)
            case InBandError(code, message):
                await self._connection.send(wire.encode(wire.Error(message, code, self.session_id)), math.inf)
            case CloseSession():
                self.deaf = True
                await self._connection.send(wire.encode(wire.SessionClosed(self.session_id)), math.inf)
            case Close(code, reason, lingers):
                self._line.linger(lingers)
                await self.close(code, reason)
            case TearFrame():
                self.deaf = True
                self._line.tear()
                await self._connection.send(wire.encode(wire.SessionFinalized()), math.inf)
            case Outage() | Restart():
                await self._everywhere(fault)
            case _:
                self.deaf = await self._line.strike(fault)

    def note(self, sender: Literal["client", "gateway"], message: wire.Said, samples: int = 0, text: str = "") -> None:
        """Puts a message on record."""
        kind = str(message.__struct_config__.tag)
        self.visit.passed.append(Passed(trio.current_time(), sender, kind, samples, text))
