"""Sockets and nothing else, the floor: ready-made frames are written, and what comes is read and dropped.

Only the first audio of a synthesis is unpacked, as whoever is to play it must: its message is waited for, whole, and
its JSON and base64 are decoded.
"""

from __future__ import annotations

import base64
import json
import os
import select
import selectors
import socket
import ssl
import struct
import time

from load import WIRE, Load, Told, Window, asked, chunks, tell

HELLO = (
    b"GET /v1/stt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def masked(payload: bytes) -> bytes:
    key = os.urandom(4)
    size = bytes((0x80 | len(payload),)) if len(payload) < 126 else struct.pack("!BH", 0x80 | 126, len(payload))
    return b"\x81" + size + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def frame(piece: bytes) -> bytes:
    return masked(b'{"type":"input_audio","audio":"' + base64.b64encode(piece) + b'"}')


def connect(load: Load) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", load.port))
    if load.tls:
        sock = ssl.create_default_context().wrap_socket(sock, server_hostname="localhost")
    sock.sendall(HELLO)
    sock.recv(65_536)
    return sock


def clocked(load: Load) -> Told:
    audio = [frame(piece) for piece in chunks(WIRE)]
    sockets = [connect(load) for _ in range(load.streams)]
    readable = selectors.DefaultSelector()
    for sock in sockets:
        readable.register(sock, selectors.EVENT_READ)
    window = Window(load, time.monotonic())
    opened = False
    for due, turn, indices in window.ticks(WIRE):
        while (left := due - time.monotonic()) > 0:
            for key, _ in readable.select(left):
                key.fileobj.recv(65_536)  # type: ignore[union-attr]
        if due >= window.opens and not opened:
            opened = True
            window.opened()
        if due >= window.closes:
            break
        for index in indices:
            sockets[index].sendall(audio[turn % len(audio)])
            window.pushed(due)
    window.closed()
    return window.told


def unpaced(load: Load) -> Told:
    audio = [frame(piece) for piece in chunks(WIRE, load.seconds)]
    sockets = [connect(load) for _ in range(load.streams)]
    cpu = time.process_time()
    for turn, piece in enumerate(audio):
        for sock in sockets:
            sock.sendall(piece)
            if turn % 20 == 0 and select.select([sock], [], [], 0)[0]:
                sock.recv(65_536)
    cpu = time.process_time() - cpu
    return Told(cpu, load.seconds * load.streams)


def first_audio(came: bytes) -> bytes | None:
    """The audio of the first message that has any, once all of it has come; messages are short of 64 KiB here."""
    at = 0
    while len(came) >= at + 4:
        size, begins = (came[at + 1], at + 2) if came[at + 1] < 126 else (int.from_bytes(came[at + 2 : at + 4]), at + 4)
        at = begins + size
        if len(came) >= at and (audio := json.loads(came[begins:at]).get("audio")):
            return base64.b64decode(audio)
    return None


def speak(load: Load) -> Told:
    told = Told()
    sock = connect(load)
    sock.sendall(masked(b'{"type":"session.create"}'))
    asked_for = masked(b'{"type":"input_transcript","transcript":"' + load.text.encode() + b'"}')
    asked_for += masked(b'{"type":"session.flush"}')
    cpu = 0.0
    for turn in range(load.streams + 1):
        if turn == 1:
            cpu = time.process_time()
        time.sleep(0.001)
        began = time.perf_counter()
        sock.sendall(asked_for)
        first, came, end = 0.0, b"", b""
        while b'"done"' not in end:
            data = sock.recv(65_536)
            end = end[-64:] + data[-64:]
            if not first:
                came += data
                if first_audio(came):
                    first = time.perf_counter() - began
        if turn:
            told.latencies.append(first)
            told.audio += load.spoken
    told.cpu = time.process_time() - cpu
    return told


if __name__ == "__main__":
    load = asked()
    tell(globals()[load.task](load))
