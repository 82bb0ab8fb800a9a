"""A server without manners, byte by byte, and the frames that it says what it likes in."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec
import trio

import trio_speech as ts
from trio_speech.providers._codec import Dial
from trio_speech.testing import MemoryStream, ScriptedGateway, memory_stream_pair
from trio_speech.testing.scripted.backend import StandIn

TEXT, BINARY, CLOSE, PING, PONG, MORE = 1, 2, 8, 9, 10, 0
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


def frame(
    payload: str | bytes = b"",
    opcode: int = TEXT,
    *,
    fin: bool = True,
    reserved: int = 0,
    announced: int | None = None,
    masked: bool = False,
) -> bytes:
    """One frame, as wrong as it is asked for; `announced` is the length that its head tells."""
    data = payload.encode() if isinstance(payload, str) else payload
    length = len(data) if announced is None else announced
    first, mask = (fin << 7) | (reserved << 4) | opcode, masked << 7
    if length < 126:
        head = bytes((first, mask | length))
    elif length < 65_536:
        head = struct.pack("!BBH", first, mask | 126, length)
    else:
        head = struct.pack("!BBQ", first, mask | 127, length)
    return head + (bytes(4) if masked else b"") + data


def _size(buffer: bytearray) -> int:
    """Of the masked frame that `buffer` begins with, or more than it holds."""
    short = buffer[1] & 127
    longer = {126: 2, 127: 8}.get(short, 0)
    length = int.from_bytes(buffer[2 : 2 + longer], "big") if longer else short
    return 2 + longer + 4 + length


def _payload(masked: bytearray) -> bytes:
    key_at = 2 + {126: 2, 127: 8}.get(masked[1] & 127, 0)
    key = masked[key_at : key_at + 4]
    return bytes(byte ^ key[at % 4] for at, byte in enumerate(masked[key_at + 4 :]))


class Peer:
    """The server's end of one connection."""

    def __init__(self, stream: MemoryStream) -> None:
        self.stream = stream
        self.request = b""
        self.said = 0
        """Bytes that the client took."""
        self._turn = trio.Lock()
        self._context = ""
        self._asked = trio.Event()

    async def read_request(self) -> None:
        while b"\r\n\r\n" not in self.request:
            data = await self.stream.receive_some()
            if not data:
                raise trio.BrokenResourceError
            self.request += data

    def accept_token(self) -> bytes:
        key = self.request.lower().split(b"sec-websocket-key: ")[1].split(b"\r\n")[0]
        start = self.request.lower().index(key)
        return base64.b64encode(hashlib.sha1(self.request[start : start + len(key)] + _GUID).digest())

    async def open(self, *headers: bytes, accept: bytes | None = None) -> None:
        """Takes the request, and shakes hands."""
        await self.read_request()
        token = self.accept_token() if accept is None else accept
        lines = [
            b"HTTP/1.1 101 Switching Protocols",
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"Sec-WebSocket-Accept: " + token,
            *headers,
        ]
        await self.say(b"\r\n".join(lines) + b"\r\n\r\n")

    async def say(self, *pieces: bytes) -> None:
        async with self._turn:
            for piece in pieces:
                await self.stream.send_all(piece)
                self.said += len(piece)

    async def context(self) -> str:
        """Waits for a text to speak; the name of the context that it is for, where the protocol has contexts."""
        await self._asked.wait()
        return self._context

    def _heard(self, text: bytes) -> None:
        asked = msgspec.json.decode(text)
        if "transcript" in asked:
            self._context = asked.get("context_id", "")
            self._asked.set()

    async def listen(self) -> None:
        """Until the client has left; its pings are answered, so that nothing is amiss with the line."""
        buffer = bytearray()
        while data := await self.stream.receive_some():
            buffer += data
            while len(buffer) >= 2 and len(buffer) >= (size := _size(buffer)):
                if buffer[0] & 15 == TEXT:
                    self._heard(_payload(buffer[:size]))
                elif buffer[0] & 15 == PING:
                    await self.say(frame(_payload(buffer[:size]), PONG))
                del buffer[:size]


Behavior = Callable[[Peer], Awaitable[None]]


class Wild:
    """Serves each dial with the next behavior; the last one for ever, where `for_ever` is set."""

    def __init__(self, gateway: ScriptedGateway, nursery: trio.Nursery) -> None:
        self.behaviors: deque[Behavior] = deque()
        self.for_ever = False
        self.peers: list[Peer] = []
        self.dials: list[Dial] = []
        self._gateway = gateway
        self._nursery = nursery

    def behave(self, *behaviors: Behavior, for_ever: bool = False) -> None:
        self.behaviors.extend(behaviors)
        self.for_ever = for_ever

    def in_place_of(self, backend: ts.LiveKit | ts.Deepgram | ts.Cartesia) -> StandIn:
        return StandIn(self.connect, backend)

    async def connect(self, dial: Dial) -> MemoryStream:
        self.dials.append(dial)
        if not self.behaviors:
            return await self._gateway.connect(dial)
        await trio.lowlevel.checkpoint()
        behavior = self.behaviors[0] if self.for_ever else self.behaviors.popleft()
        ours, theirs = memory_stream_pair()
        peer = Peer(theirs)
        self.peers.append(peer)
        self._nursery.start_soon(self._serve, peer, behavior)
        return ours

    async def _serve(self, peer: Peer, behavior: Behavior) -> None:
        try:
            await behavior(peer)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            await trio.aclose_forcefully(peer.stream)

    @property
    def left(self) -> bool:
        """Whether the client holds no connection any more."""
        return all(peer.stream._closed for peer in self.peers)


def says(*pieces: bytes) -> Behavior:
    """Opens, says all of that at once, and then listens."""

    async def behavior(peer: Peer) -> None:
        await peer.open()
        await peer.say(*pieces)
        await peer.listen()

    return behavior


def answers(*pieces: bytes, then: str = "listen") -> Behavior:
    """Answers the request with that instead of a handshake, and then listens, or leaves."""

    async def behavior(peer: Peer) -> None:
        await peer.read_request()
        await peer.say(*pieces)
        if then == "listen":
            await peer.listen()

    return behavior
