"""A service that floods its client with finals, and a client that does not read them: two programs for `test_memory`.

python flood.py serve KIND          prints its port, and serves until it is killed
python flood.py listen PORT         prints what the flood cost, as JSON
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path

import trio
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

import trio_speech as ts

MIB = 2**20
UNREAD_FOR = 1.5
"""Seconds in which nobody reads: time for hundreds of MiB on the loopback."""

WORD = {"word": "a", "start": 0.0, "end": 0.1}
KINDS: dict[str, Callable[[], dict[str, object]]] = {
    "15 MiB of text": lambda: {"transcript": "x" * (15 * MIB)},
    "as much text as a message may have": lambda: {"transcript": "x" * (4 * MIB - 1_000)},
    "as much text in Chinese": lambda: {"transcript": "字" * (4 * MIB // 3 - 1_000)},
    "short finals": lambda: {"transcript": "a word or two", "words": [WORD] * 3},
    "words without end": lambda: {"transcript": "a", "words": [WORD] * (4 * MIB // 50)},
    "a language without end": lambda: {"transcript": "a", "language": "x" * (3 * MIB)},
}


async def flood(connection: ServerConnection, kind: str) -> None:
    try:
        await connection.recv()
        for number in itertools.count():
            final = {
                "type": "final_transcript",
                "start": number / 1_000,
                "duration": 0.001,
                "words": [],
                **KINDS[kind](),
            }
            await connection.send(json.dumps(final, ensure_ascii=False, separators=(",", ":")))
    except ConnectionClosed:
        pass


async def serve_flood(kind: str) -> None:
    async with serve(lambda connection: flood(connection, kind), "127.0.0.1", 0, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


def peak() -> float:
    """The most memory that this program ever had, in MiB. (`resource` would count the program that started it, too.)"""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1_024


async def listen(port: int) -> None:
    backend = ts.LiveKit(f"http://127.0.0.1:{port}/v1", "key", "a secret that is long enough for its purpose")
    retry = ts.RetryPolicy(max_attempts=3, base_delay=0.001, max_delay=0.001)
    causes: list[str] = []
    report: dict[str, object] = {"causes": causes, "links": 0}
    before = peak()
    try:
        async with ts.open_client(backend, retry=retry) as client, client.transcribe() as transcript:
            await transcript.send(bytes(32_000))
            await trio.sleep(UNREAD_FOR)
            report["links"] = transcript.statistics().links
            report["unread"] = peak() - before
            with trio.move_on_after(10.0):
                async for event in transcript:
                    if isinstance(event, ts.LinkLost):
                        causes.append(event.cause)
                    if transcript.statistics().links > report["links"]:
                        break
            report["links after reading"] = transcript.statistics().links
    except ts.SpeechError as error:
        causes.append(str(error))
    report["peak"] = peak() - before
    print(json.dumps(report))


if __name__ == "__main__":
    command, argument = sys.argv[1:]
    if command == "serve":
        asyncio.run(serve_flood(argument))
    else:
        trio.run(listen, int(argument))
