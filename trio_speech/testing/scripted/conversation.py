"""One websocket of the scripted gateway: it receives requests, sends replies at their times, and causes faults."""

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
from ...audio.formats import AudioFormat
from ..streams import BreakableStream
from ..word_signal import PCM16
from .faults import Close, CloseSession, Delay, Fault, Garble, Hang, InBandError, Outage, Restart, Send, TearFrame
from .plan import Script
from .recognizer import Pause
from .synthesizer import AlignedCharacters
from .visits import Passed, Visit
from .wires.protocol import Incoming, Mistake, Outgoing, Reply, Request, Text, Wire

_BACKLOG = 4_096
"""How many messages may wait for their time."""
_CLOSE_TIMEOUT = 5.0
"""Seconds for a client to answer a close frame."""
_GARBLED: dict[str, str | bytes] = {
    "json": '{"type":"Results","transcript":"ba',
    "shape": '["Results", 1, 2]',
    "binary": b"\x00\xff\x00\xffnot a message",
}
_MOMENTS: dict[type, str] = {
    Opened: "created",
    FinalizeAnswered: "finalized",
    Aligned: "alignment",
    AlignedCharacters: "alignment",
    Done: "done",
}

StrikeAll: TypeAlias = Callable[[Outage | Restart], Awaitable[object]]
"""Causes a fault on every connection of the gateway."""


class Conversation:
    """One websocket with a client.

    One task runs `write`, one runs `watch`, and one awaits `next`; `strike` and `say` may be called by any.

    Every method that sends or receives raises `LinkDown` once the client is gone.
    """

    def __init__(
        self,
        connection: Connection,
        wire: Wire,
        *,
        stream: BreakableStream,
        script: Script,
        visit: Visit,
        strike_all: StrikeAll,
    ) -> None:
        self.wire = wire
        self.script = script
        self.visit = visit
        self.ended = False
        """Whether the gateway has ended the session, or hangs. What the client then sends is read and ignored."""
        self._connection = connection
        self._stream = stream
        self._strike_all = strike_all
        self._delay = 0.0
        self._last_due = -math.inf
        self._last_message = trio.current_time()
        self._script_changed = trio.Event()
        self._written = trio.Event()
        self._out, self._backlog = trio.open_memory_channel[tuple[float, Reply, trio.Event, trio.Event]](_BACKLOG)
        self._dropped = trio.Event()
        self._asked = deque(wire.opens())

    async def next(self) -> Request:
        """Waits for the client's next request. Its mistakes are recorded in `visit.complaints` and answered."""
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
            with trio.move_on_after(idle.seconds if idle and not self.ended else math.inf):
                frame = await self._connection.receive()
                if self.ended:
                    continue
                self._last_message = trio.current_time()
                return frame
            if idle and not self.ended:
                self.visit.struck.append((trio.current_time(), idle.close))
                await self.close(idle.close.code, idle.close.reason)

    async def say(self, messages: Iterable[Reply | Pause]) -> None:
        """Queues messages in order, and waits until those that are due now have been written.

        A `Pause` delays the messages after it.
        """
        due = max(self._last_due, trio.current_time() + self._delay)
        for message in messages:
            if isinstance(message, Pause):
                due += message.seconds
                continue
            self._written = trio.Event()
            await self._out.send((due, message, self._written, self._dropped))
            if due <= trio.current_time():
                await self._written.wait()
        self._last_due = due

    def drop_unsent(self) -> None:
        """Drops the messages that wait for their time."""
        self._dropped.set()
        self._dropped, self._last_due = trio.Event(), -math.inf

    async def said_all(self) -> None:
        """Waits until all queued messages have been written."""
        await self._written.wait()

    async def write(self) -> None:
        """Writes each queued message at its time; runs until it is cancelled."""
        async for due, reply, written, dropped in self._backlog:
            with trio.move_on_at(due):
                await dropped.wait()
            if dropped.is_set():
                pass
            elif isinstance(reply, Audio):
                await self._write_audio(reply.pcm, self.visit.audio_format or PCM16)
            else:
                await self._write(reply)
            written.set()

    async def _write(self, reply: Reply) -> None:
        for outgoing in self.wire.encode(reply):
            if self.ended:
                return
            await self._connection.send(outgoing.frame, math.inf)
            await self._sent(outgoing)

    async def _sent(self, outgoing: Outgoing) -> None:
        transcripts = [said for said in outgoing.says if isinstance(said, RecognitionResult)]
        self._note("gateway", outgoing.kind, text=" ".join(said.text for said in transcripts))
        self.visit.told.update(type(said).__name__ for said in outgoing.says)
        self.visit.finals += [said for said in transcripts if said.kind == "final"]
        for said in outgoing.says:
            if moment := said.kind if isinstance(said, RecognitionResult) else _MOMENTS.get(type(said)):
                await self.happened(moment)

    async def _write_audio(self, audio: bytes, audio_format: AudioFormat) -> None:
        while audio and not self.ended:
            size = int(min(len(audio) // audio_format.frame_size, self.script.room("spoken")))
            upto = audio_format.frame_size * size
            piece, audio = audio[:upto], audio[upto:]
            for outgoing in self.wire.encode(Audio(piece)):
                await self._connection.send(outgoing.frame, math.inf)
                self._note("gateway", outgoing.kind, size)
            self.visit.spoken += piece
            await self.happened("spoken", size)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Ends the session and closes the websocket with a close frame."""
        self.ended = True
        await self._connection.close(_CLOSE_TIMEOUT, code, reason)

    async def happened(self, what: str, amount: int = 1) -> None:
        """Call when `amount` more of `what` happened (see `Script.count`). Causes the faults that are now due."""
        self.script.count(what, amount)
        await self.play()

    async def play(self) -> None:
        """Causes the faults that are due."""
        for fault in self.script.due(trio.current_time(), self._last_message):
            await self.strike(fault)
        self._script_changed.set()

    async def watch(self) -> None:
        """Causes faults that become due as time passes; runs until it is cancelled."""
        while True:
            self._script_changed = trio.Event()
            with trio.move_on_at(self.script.alarm(self._last_message)):
                await self._script_changed.wait()
            await self.play()

    async def strike(self, fault: Fault) -> None:
        """Causes a fault now."""
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
            case Hang():
                self.ended = True
            case CloseSession():
                self.ended = True
                await self._tell(Closed())
            case Close(code, reason, lingers):
                self._stream.linger(lingers)
                await self.close(code, reason)
            case TearFrame():
                self.ended = True
                self._stream.tear()
                await self._tell(Failure(message="the frame is torn"))  # any message: only half of it is written
            case Outage() | Restart():
                await self._strike_all(fault)
            case _:
                self.ended = await self._stream.strike(fault)

    async def _tell(self, reply: Reply) -> None:
        """Sends a reply now, ahead of the messages that wait for their time."""
        for outgoing in self.wire.encode(reply):
            await self._connection.send(outgoing.frame, math.inf)

    def _note_incoming(self, incoming: Incoming) -> None:
        samples = sum(self.visit.samples(request.pcm) for request in incoming.asks if isinstance(request, Audio))
        text = "".join(request.text for request in incoming.asks if isinstance(request, Text))
        self._note("client", incoming.kind, samples, text)

    def _note(self, sender: Literal["client", "gateway"], kind: str, samples: int = 0, text: str = "") -> None:
        self.visit.passed.append(Passed(trio.current_time(), sender, kind, samples, text))
