"""A scripted Cartesia: its speech synthesis on any byte stream, with audio that carries the words that it speaks."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Literal

import trio

from trio_speech import AudioFormat
from trio_speech._core.provider.messages import Aligned, Audio
from trio_speech._shell.connection import Connection, Handshake, LinkDown, accept_connection
from trio_speech.providers._codec import Dial
from trio_speech.testing import Delivery, MemoryStream, ScriptedSynthesizer, memory_stream_pair
from trio_speech.testing.scripted.recognizer import Pause

KEY = "the-key"
TIMEOUT = 10.0
CONNECT_TIME = 0.1
"""Seconds that a dial over memory streams takes: a connection is drained for no longer than that."""
CHANGING = {"transcript", "continue", "flush", "duration"}


@dataclass
class Visit:
    """One dial, and all that the client said."""

    resource: str
    headers: dict[str, str]
    said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cancelled(self) -> list[str]:
        return [message["context_id"] for message in self.said if message.get("cancel")]

    @property
    def texts(self) -> list[str]:
        """The text of each context, in order."""
        texts: dict[str, str] = {}
        for message in self.said:
            texts[message["context_id"]] = texts.get(message["context_id"], "") + message.get("transcript", "")
        return list(texts.values())


@dataclass
class CartesiaServer:
    """Plan what it is to do in the fields; look in `visits` for what it met."""

    delivery: Delivery = field(default_factory=Delivery)
    after_cancel: Literal["chunk", "done", "nothing"] = "chunk"
    errors: deque[dict[str, Any]] = field(default_factory=deque)
    """Each is the answer to one context, instead of speech."""
    drops: deque[int] = field(default_factory=deque)
    """After so many chunks of audio, a connection is dropped; one each."""
    visits: list[Visit] = field(default_factory=list)
    synthesis: Any = field(default_factory=count)

    async def serve(self, stream: trio.abc.Stream) -> None:
        """One client, until it leaves."""
        try:
            async with trio.open_nursery() as nursery:
                handshake = await accept_connection(nursery, stream, timeout=TIMEOUT)
                visit = Visit(handshake.resource, handshake.headers)
                self.visits.append(visit)
                if await self._welcome(handshake, visit):
                    await _Line(self, visit, await handshake.accept(), nursery).converse()
        except* LinkDown:
            pass

    async def _welcome(self, handshake: Handshake, visit: Visit) -> bool:
        path, _, query = visit.resource.partition("?")
        status = 0
        if path != "/tts/websocket":
            status = 404
        elif visit.headers.get("authorization") != f"Bearer {KEY}":
            status = 401
        elif not (query.startswith("cartesia_version=20") or "cartesia-version" in visit.headers):
            status = 400
        if status:
            await handshake.reject(status, b"refused", (("X-Request-Id", "r1"),))
        return not status


class _Line:
    """One connection: contexts speak at the same time."""

    def __init__(self, server: CartesiaServer, visit: Visit, connection: Connection, nursery: trio.Nursery) -> None:
        self.server = server
        self._visit = visit
        self._connection = connection
        self._nursery = nursery
        self._contexts: dict[str, _Context] = {}
        self._writing = trio.Lock()
        self._chunks_left = server.drops.popleft() if server.drops else None

    async def converse(self) -> None:
        while True:
            message = json.loads(await self._connection.receive())
            self._visit.said.append(message)
            name = message["context_id"]
            if message.get("cancel"):
                await self._contexts[name].cancel()
            else:
                if name not in self._contexts:
                    self._contexts[name] = _Context(self, name, message)
                    self._nursery.start_soon(self._contexts[name].run)
                self._contexts[name].inputs.send_nowait(message)

    async def say(self, kind: str, context: str, **fields: Any) -> None:
        message = {"type": kind, "context_id": context, "done": kind in ("done", "error"), "status_code": 206, **fields}
        with trio.CancelScope(shield=True):  # a context that is cancelled must not tear the frame of another
            async with self._writing:
                await self._connection.send(json.dumps(message), TIMEOUT)
        if kind == "chunk" and self._chunks_left is not None:
            self._chunks_left -= 1
            if not self._chunks_left:
                self._connection.abort("dropped as planned")


class _Context:
    """Text comes in by `inputs`; it is spoken at a flush, at the end, or at once where nothing is to be buffered."""

    def __init__(self, line: _Line, name: str, first: dict[str, Any]) -> None:
        self._line = line
        self._name = name
        self._fixed = _fixed(first)
        self._voice = ScriptedSynthesizer(
            line.server.delivery,
            AudioFormat.pcm16(first["output_format"]["sample_rate"]),
            synthesis=line.server.synthesis,
        )
        self._text = ""
        self._flushes = 0
        self._scope = trio.CancelScope()
        self.inputs, self._inputs = trio.open_memory_channel[dict[str, Any]](100)

    async def run(self) -> None:
        if self._line.server.errors:
            await self._line.say("error", self._name, **self._line.server.errors.popleft())
            return
        with self._scope:
            async for message in self._inputs:
                if _fixed(message) != self._fixed:
                    await self._line.say("error", self._name, status_code=400, title="Context has changed")
                    return
                self._text += message["transcript"]
                if message.get("flush") or (self._text and self._fixed.get("max_buffer_delay_ms") == 0):
                    await self._speak_part()
                if not message.get("continue"):
                    await self._speak()
                    await self._line.say("done", self._name)
                    return

    async def cancel(self) -> None:
        self._scope.cancel(reason="cancelled by the client")
        match self._line.server.after_cancel:
            case "chunk":
                await self._line.say("chunk", self._name, **_chunk(b"\0\0"))
            case "done":
                await self._line.say("done", self._name)
            case "nothing":
                pass

    async def _speak_part(self) -> None:
        self._flushes += 1
        await self._speak(flush_id=self._flushes)
        await self._line.say("flush_done", self._name, flush_done=True, flush_id=self._flushes)

    async def _speak(self, **part: int) -> None:
        text, self._text = self._text, ""
        for uttered in self._voice.speak(text):
            match uttered:
                case Audio(pcm):
                    await self._line.say("chunk", self._name, **_chunk(pcm), **part)
                case Aligned(words) if self._fixed.get("add_timestamps"):
                    columns = zip(*((word.text, word.start, word.end) for word in words), strict=True)
                    times = dict(zip(("words", "start", "end"), map(list, columns), strict=True))
                    await self._line.say("timestamps", self._name, word_timestamps=times, **part)
                case Pause(seconds):
                    await trio.sleep(seconds)
                case _:
                    pass


def _chunk(pcm: bytes) -> dict[str, Any]:
    return {"data": b64encode(pcm).decode(), "step_time": 1.0}


def _fixed(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in CHANGING}


@dataclass(frozen=True)
class Reached:
    """A backend whose dials reach `server` over memory streams."""

    backend: Any
    server: CartesiaServer

    def recognizer(self, request: Any) -> Any:
        return self.backend.recognizer(request)

    def voice(self, request: Any) -> Any:
        return self.backend.voice(request)

    @asynccontextmanager
    async def transport(self) -> AsyncGenerator[Any]:
        async with trio.open_nursery() as nursery:

            async def connect(_: Dial) -> MemoryStream:
                await trio.sleep(CONNECT_TIME)
                ours, theirs = memory_stream_pair()
                nursery.start_soon(self.server.serve, ours)
                return theirs

            yield connect
            nursery.cancel_scope.cancel(reason="the client is closed")


@asynccontextmanager
async def listening(server: CartesiaServer) -> AsyncGenerator[str]:
    """Serves on loopback TCP; yields the base address."""
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(partial(trio.serve_listeners, server.serve, listeners))
        yield f"ws://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel(reason="the test is over")
