"""The callers of the benchmarks: each of their sockets brings the audio of one stream in real time.

    python feeder.py        prints its port

A connection begins with two numbers, as native doubles: the moment at which it is to begin, by `time.monotonic`, and
the seconds of audio in each push. Then audio comes, 16 kHz PCM, until the connection is closed.
"""

from __future__ import annotations

import heapq
import random
import selectors
import socket
import struct
from collections.abc import Iterator
from time import monotonic

ASKED = struct.Struct("dd")
NOISE = random.Random(1)


def pieces(push: float) -> Iterator[bytes]:
    noise = [NOISE.randbytes(2 * round(16_000 * push)) for _ in range(100)]
    while True:
        yield from noise


def run() -> None:
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("127.0.0.1", 0), backlog=4_096)
    selector.register(listener, selectors.EVENT_READ)
    print(listener.getsockname()[1], flush=True)
    calls: list[tuple[float, int, float, socket.socket, Iterator[bytes]]] = []
    while True:
        for _ in selector.select(max(0.0, calls[0][0] - monotonic()) if calls else None):
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            begins, push = ASKED.unpack(sock.recv(ASKED.size, socket.MSG_WAITALL))
            heapq.heappush(calls, (begins, sock.fileno(), push, sock, pieces(push)))
        while calls and calls[0][0] <= monotonic():
            due, number, push, sock, audio = calls[0]
            try:
                sock.send(next(audio), socket.MSG_DONTWAIT)
                heapq.heapreplace(calls, (due + push, number, push, sock, audio))
            except OSError:  # the stream is over
                heapq.heappop(calls)
                sock.close()


if __name__ == "__main__":
    run()
