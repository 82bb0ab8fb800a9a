"""The service of the benchmarks: one light process, the same for all sides.

    python peer.py [silent] [speed=3] [spoken=10] [unaligned]     prints its port, then obeys lines of its input

It speaks the LiveKit inference protocol, and Cartesia's to whom asks for a speech in it. It reads
frames without unmasking their audio, so that it is never what limits the client. A recognition gets an interim
transcript for each half second of audio and a final for each two. A synthesis gets its audio as fast as the socket
takes it, or at `speed` times real time: each piece when it has been spoken, after the times of the words that begin in
it, which are left out where the voice is ``unaligned``. What it is told: ``cut`` resets all connections at once;
``figures`` is answered by what came since. Where it is ``silent``, it answers no audio: nothing acknowledges it.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import json
import selectors
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from itertools import count
from time import monotonic
from typing import Any

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
RATE_BYTES = 32_000
INTERIM, FINAL = RATE_BYTES // 2, 2 * RATE_BYTES
WORD = 0.25
CONTEXT = "THE-CONTEXT"
SILENT, ALIGNED = "silent" in sys.argv, "unaligned" not in sys.argv
ASKED_FOR = dict(manner.split("=") for manner in sys.argv if "=" in manner)
SPEED = float(ASKED_FOR.get("speed", 0.0))
SPOKEN = float(ASKED_FOR.get("spoken", 10.0))
"""Seconds of audio of each synthesis."""
WORDS = ("the", "weather", "is", "very", "nice")
PADDING = ord("=")
AUDIO = 200
"""A payload longer than this is audio."""


def unmasked(payload: bytes, key: bytes) -> bytes:
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(len(payload))


def framed(payload: bytes, opcode: int = 1) -> bytes:
    size = len(payload)
    if size <= 125:
        return bytes((0x80 | opcode, size)) + payload
    return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload


def told(kind: str, upto: int) -> bytes:
    """A transcript of what came before byte `upto`, since the last final."""
    end = upto / RATE_BYTES
    start = (upto - 1) // FINAL * FINAL / RATE_BYTES
    step = (end - start) / len(WORDS)
    words = [
        {"word": word, "start": start + step * i, "end": start + step * (i + 1), "confidence": 0.9}
        for i, word in enumerate(WORDS)
    ]
    return said(
        f"{kind}_transcript",
        session_id="s",
        transcript=" ".join(WORDS),
        language="en",
        start=start,
        duration=end - start,
        confidence=0.9,
        words=words,
    )


def said(kind: str, **fields: Any) -> bytes:
    return framed(json.dumps({"type": kind, **fields}).encode())


def by_livekit(words: list[tuple[str, float, float]], audio: str) -> Iterator[dict[str, Any]]:
    """What is said of a piece of speech: the words that begin in it, and its audio. The end, where it has neither."""
    if words:
        told = [{"word": word, "start": start, "end": end} for word, start, end in words]
        yield {"type": "output_alignment", "session_id": "s", "words": told}
    yield {"type": "output_audio", "session_id": "s", "audio": audio} if audio else {"type": "done", "session_id": "s"}


def by_cartesia(words: list[tuple[str, float, float]], audio: str) -> Iterator[dict[str, Any]]:
    """As `by_livekit`."""
    ids = {"context_id": CONTEXT, "status_code": 206, "done": not audio}
    if words:
        texts, starts, ends = zip(*words, strict=True)
        yield {"type": "timestamps", **ids, "word_timestamps": {"words": texts, "start": starts, "end": ends}}
    yield {"type": "chunk", **ids, "data": audio, "step_time": 1.0} if audio else {"type": "done", **ids}


@cache
def speech(
    told: Callable[[list[tuple[str, float, float]], str], Iterator[dict[str, Any]]],
) -> list[tuple[float, bytes]]:
    """The messages of a speech, each with the seconds of speech that come before it."""
    piece, span = (0.05, 0.25) if SPEED else (0.1, 0.5)
    audio = base64.b64encode(bytes(2 * round(24_000 * piece))).decode()
    messages: list[tuple[float, bytes]] = []
    for index in range(round(SPOKEN / piece)):
        begins = index % round(span / piece) == 0 and ALIGNED
        starts = [index * piece + WORD * i for i in range(round(span / WORD))] if begins else []
        pieces = told([("speech", start, start + WORD) for start in starts], audio)
        messages += [(index * piece, json.dumps(each).encode()) for each in pieces]
    return messages + [(SPOKEN, json.dumps(each).encode()) for each in told([], "")]


@cache
def speech_at_once() -> bytes:
    return b"".join(framed(payload) for _, payload in speech(by_livekit))


class Peer:
    """One client's connection."""

    def __init__(self, server: Server, sock: socket.socket) -> None:
        self.server = server
        self.socket = sock
        self.unread = bytearray()
        self.open = False
        self.heard = 0
        self.first_audio: float | None = None
        self.last_audio = 0.0
        self.connected = monotonic()
        self.overhead = 0
        self.unsent = b""

    def ready(self, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                self.send(b"")
            if events & selectors.EVENT_READ:
                self.receive()
        except OSError:
            self.server.drop(self)

    def receive(self) -> None:
        data = self.socket.recv(262_144)
        if not data:
            self.server.drop(self)
            return
        self.unread += data
        if not self.open:
            self.shake_hands()
        while self.open and self.take_frame():
            pass

    def shake_hands(self) -> None:
        head, found, rest = bytes(self.unread).partition(b"\r\n\r\n")
        if not found:
            return
        lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
        key = {name.strip().lower(): value.strip() for name, _, value in lines}[b"sec-websocket-key"]
        accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
        self.unread = bytearray(rest)
        self.open = True
        self.server.dialing -= 1
        self.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def take_frame(self) -> bool:
        """Takes one frame out of what came, if all of it is there."""
        unread = self.unread
        if len(unread) < 6:
            return False
        size, at = unread[1] & 0x7F, 2
        if size == 126:
            size, at = (unread[2] << 8) | unread[3], 4
        elif size == 127:
            (size,), at = struct.unpack_from("!Q", unread, 2), 10
        if len(unread) < at + 4 + size:
            return False
        opcode = unread[0] & 0x0F
        if opcode == 1 and size > AUDIO and self.overhead:
            tail = (unread[at + 4 + i] ^ unread[at + i % 4] for i in (size - 3, size - 4))
            self.hear((size - self.overhead) * 3 // 4 - sum(character == PADDING for character in tail))
        else:
            self.take(opcode, unmasked(bytes(unread[at + 4 : at + 4 + size]), bytes(unread[at : at + 4])))
        del unread[: at + 4 + size]
        return True

    def take(self, opcode: int, payload: bytes) -> None:
        if opcode == 9:
            self.send(framed(payload, 10))
        elif opcode == 8:
            self.send(framed(payload[:2], 8))
            self.server.drop(self)
        elif opcode == 1:
            self.obey(json.loads(payload))

    def obey(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "session.create"}:
                self.send(said("session.created", session_id="s"))
            case {"type": "input_audio", "audio": audio}:
                self.overhead = len(json.dumps(message, separators=(",", ":"))) - len(audio)
                self.hear(len(audio) * 3 // 4 - audio.count("="))
            case {"type": "session.finalize"}:
                if self.heard % FINAL:
                    self.send(told("final", self.heard))
                self.send(said("session.finalized"))
            case {"type": "session.flush"}:
                self.speak(speech(by_livekit)) if SPEED else self.send(speech_at_once())
            case {"context_id": context, "continue": False}:
                name = CONTEXT.encode(), context.encode()
                self.speak([(at, payload.replace(*name)) for at, payload in speech(by_cartesia)])
            case {"type": "session.close"}:
                self.send(said("session.closed"))

    def speak(self, messages: list[tuple[float, bytes]]) -> None:
        if not SPEED:
            self.send(b"".join(framed(payload) for _, payload in messages))
            return
        now = monotonic()
        for at, payload in messages:
            self.server.later(now + at / SPEED, self, framed(payload))

    def hear(self, size: int) -> None:
        self.last_audio = monotonic()
        if self.first_audio is None:
            self.first_audio = self.last_audio
        before = self.heard
        self.heard += size
        for upto in () if SILENT else range((before // INTERIM + 1) * INTERIM, self.heard + 1, INTERIM):
            self.send(told("interim" if upto % FINAL else "final", upto))

    def send(self, data: bytes) -> None:
        waiting, self.unsent = bool(self.unsent), self.unsent + data
        with suppress(BlockingIOError):
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
        if waiting != bool(self.unsent):
            self.server.watch(self)


class Server:
    """All connections, and what is told of them."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.peers: set[Peer] = set()
        self.gone: list[Peer] = []
        self.cut_at = 0.0
        self.dialing = self.most_dialing = 0
        self.timers: list[tuple[float, int, Peer, bytes]] = []
        self.order = count()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4_096)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(sys.stdin.buffer, selectors.EVENT_READ)

    def run(self) -> None:
        print(self.listener.getsockname()[1], flush=True)
        while True:
            for key, events in self.selector.select(self.timers[0][0] - monotonic() if self.timers else None):
                if key.data is not None:
                    key.data.ready(events)
                elif key.fileobj is self.listener:
                    self.accept()
                elif not self.obey(sys.stdin.buffer.readline().strip()):
                    return
            while self.timers and self.timers[0][0] <= monotonic():
                _, _, peer, data = heapq.heappop(self.timers)
                if peer in self.peers:
                    peer.send(data)

    def later(self, when: float, peer: Peer, data: bytes) -> None:
        heapq.heappush(self.timers, (when, next(self.order), peer, data))

    def accept(self) -> None:
        sock, _ = self.listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = self.peer(sock)
        self.peers.add(peer)
        self.dialing += 1
        self.most_dialing = max(self.dialing, self.most_dialing)
        self.selector.register(peer.socket, selectors.EVENT_READ, peer)

    def peer(self, sock: socket.socket) -> Peer:
        return Peer(self, sock)

    def watch(self, peer: Peer) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.unsent else 0)
        self.selector.modify(peer.socket, events, peer)

    def drop(self, peer: Peer) -> None:
        if peer in self.peers:
            self.peers.remove(peer)
            self.dialing -= not peer.open
            self.gone.append(peer)
            self.selector.unregister(peer.socket)
            peer.socket.close()

    def obey(self, command: bytes) -> bool:
        if command == b"cut":
            self.cut()
        elif command == b"figures":
            print(json.dumps(self.figures()), flush=True)
        return bool(command)

    def cut(self) -> None:
        """A reset, of all at once."""
        self.most_dialing = self.dialing
        self.cut_at = monotonic()
        for peer in list(self.peers):
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.drop(peer)
        self.gone.clear()

    def figures(self) -> dict[str, Any]:
        """Of each connection since the cut, in seconds after it: when it came, its first audio and its last."""
        rows = [
            (peer.connected - self.cut_at, peer.first_audio - self.cut_at, peer.last_audio - self.cut_at)
            for peer in (*self.gone, *self.peers)
            if peer.first_audio is not None
        ]
        self.gone.clear()
        return {"connections": rows, "dialing": self.most_dialing}


if __name__ == "__main__":
    Server().run()
