"""One websocket of the scripted gateway: how it listens, says what it has to say, and fails as told."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Literal, TypeAlias

import trio

from ..._core.provider.messages import (
    Aligned,
    Audio,
    Closed,
    Done,
    Failure,
    FinalizeAnswered,
    Opened,
    RecognitionResult,
)
from ..._shell.connection import Connection
from ..streams import Line
from .faults import Close, CloseSession, Delay, Fault, Garble, InBandError, Outage, Restart, Send, TearFrame
from .plan import Script
from .recognizer import Pause
from .synthesizer import Spelling
from .visits import Passed, Visit
from .wires.protocol import Incoming, Mistake, Outgoing, Reply, Request, Text, Wire

_BACKLOG = 4_096  # messages waiting for their time
_GOODBYE = 5.0  # seconds for a client to answer a close frame
_GARBLED: dict[str, str | bytes] = {
    "json": '{"type":"Results","transcript":"ba',
    "shape": '["Results", 1, 2]',
    "binary": b"\x00\xff\x00\xffnot a message",
}
_MOMENTS: dict[type, str] = {
    Opened: "created",
    FinalizeAnswered: "finalized",
    Aligned: "alignment",
    Spelling: "alignment",
    Done: "done",
}

Everywhere: TypeAlias = Callable[[Outage | Restart], Awaitable[object]]
"""Strikes the whole gateway with a fault."""


class Conversation:
    """`strike` and `say` may be called by any task; one of them must run `write`, one `watch`, and one ask for `next`.

    Every method that sends or receives raises `LinkDown` once the client is gone.
    """

    def __init__(
        self,
        connection: Connection,
        wire: Wire,
        *,
        line: Line,
        script: Script,
        visit: Visit,
        everywhere: Everywhere,
    ) -> None:
        self.wire = wire
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
        self._out, self._backlog = trio.open_memory_channel[tuple[float, Reply, trio.Event]](_BACKLOG)
        self._asked = deque(wire.opens())

    async def next(self) -> Request:
        """What the client asks for next; what it did wrong is put on record, and told to it."""
        while True:
            while not self._asked:
                incoming = self.wire.decode(await self._next_frame())
                self._note_incoming(incoming)
                self._asked.extend(incoming.asks)
            request = self._asked.popleft()
            if not isinstance(request, Mistake):
                return request
            self.visit.complaints.append(request.complaint)
            await self.say([request])

    async def _next_frame(self) -> str | bytes:
        idle = self.wire.idle
        while True:
            with trio.move_on_after(idle.seconds if idle and not self.deaf else math.inf):
                frame = await self._connection.receive()
                if self.deaf:
                    continue
                self._last_message = trio.current_time()
                return frame
            if idle and not self.deaf:
                await self.close(idle.close.code, idle.close.reason)

    async def say(self, messages: Iterable[Reply | Pause]) -> None:
        """Sends messages in order; returns when those that are due now have been written."""
        due = max(self._last_due, trio.current_time() + self._delay)
        for message in messages:
            if isinstance(message, Pause):
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
        async for due, reply, written in self._backlog:
            await trio.sleep_until(due)
            if isinstance(reply, Audio):
                await self._write_audio(reply.pcm)
            else:
                await self._write(reply)
            written.set()

    async def _write(self, reply: Reply) -> None:
        for outgoing in self.wire.encode(reply):
            if self.deaf:
                return
            await self._connection.send(outgoing.frame, math.inf)
            await self._sent(outgoing)

    async def _sent(self, outgoing: Outgoing) -> None:
        transcripts = [said for said in outgoing.says if isinstance(said, RecognitionResult)]
        self._note("gateway", outgoing.kind, text=" ".join(said.text for said in transcripts))
        self.visit.finals += [said for said in transcripts if said.kind == "final"]
        for said in outgoing.says:
            if moment := said.kind if isinstance(said, RecognitionResult) else _MOMENTS.get(type(said)):
                await self.happened(moment)

    async def _write_audio(self, pcm: bytes) -> None:
        while pcm and not self.deaf:
            size = int(min(len(pcm) // 2, self.script.room("spoken")))
            piece, pcm = pcm[: 2 * size], pcm[2 * size :]
            for outgoing in self.wire.encode(Audio(piece)):
                await self._connection.send(outgoing.frame, math.inf)
                self._note("gateway", outgoing.kind, size)
            self.visit.spoken += piece
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
                await self._connection.send(_GARBLED.get(kind, self.wire.garbled), math.inf)
            case InBandError(code, message):
                await self._tell(Failure(message=message, code=code))
            case CloseSession():
                self.deaf = True
                await self._tell(Closed())
            case Close(code, reason, lingers):
                self._line.linger(lingers)
                await self.close(code, reason)
            case TearFrame():
                self.deaf = True
                self._line.tear()
                await self._tell(Failure(message="the frame is torn"))
            case Outage() | Restart():
                await self._everywhere(fault)
            case _:
                self.deaf = await self._line.strike(fault)

    async def _tell(self, reply: Reply) -> None:
        """Past what waits for its time."""
        for outgoing in self.wire.encode(reply):
            await self._connection.send(outgoing.frame, math.inf)

    def _note_incoming(self, incoming: Incoming) -> None:
        samples = sum(len(request.pcm) // 2 for request in incoming.asks if isinstance(request, Audio))
        text = "".join(request.text for request in incoming.asks if isinstance(request, Text))
        self._note("client", incoming.kind, samples, text)

    def _note(self, sender: Literal["client", "gateway"], kind: str, samples: int = 0, text: str = "") -> None:
        self.visit.passed.append(Passed(trio.current_time(), sender, kind, samples, text))
