"""A bare trio-websocket loop: sends the same frames, reads and drops what comes, and does nothing else."""

from __future__ import annotations

import base64
import time

import trio
import trio_websocket as tw
from load import WIRE, Load, Told, Window, asked, chunks, tell


def message(piece: bytes) -> str:
    return f'{{"type":"input_audio","audio":"{base64.b64encode(piece).decode()}"}}'


async def connect(load: Load, nursery: trio.Nursery) -> tw.WebSocketConnection:
    return await tw.connect_websocket_url(nursery, f"{load.websocket}/v1/stt", message_queue_size=64)


async def read(socket: tw.WebSocketConnection) -> None:
    while True:
        await socket.get_message()


async def clocked(load: Load) -> Told:
    """By one clock for all streams, once for each frame."""
    async with trio.open_nursery() as nursery:
        sockets = [await connect(load, nursery) for _ in range(load.streams)]
        window = Window(load, trio.current_time())
        for socket in sockets:
            nursery.start_soon(read, socket)
        nursery.start_soon(clock, sockets, chunks(WIRE), window)
        await trio.sleep_until(window.opens)
        window.opened()
        await trio.sleep_until(window.closes)
        window.closed()
        nursery.cancel_scope.cancel()
    return window.told


async def clock(sockets: list[tw.WebSocketConnection], audio: list[bytes], window: Window) -> None:
    for due, turn, indices in window.ticks(WIRE):
        await trio.sleep_until(due)
        for index in indices:
            await sockets[index].send_message(message(audio[turn % len(audio)]))
            window.pushed(due)


async def dials(load: Load) -> Told:
    """Seconds that each takes until the websocket is open, with the pauses of a session that is reset now and then."""
    told = Told()
    for _ in range(load.streams):
        async with trio.open_nursery() as nursery:
            began = time.perf_counter()
            socket = await connect(load, nursery)
            told.latencies.append(time.perf_counter() - began)
            await socket.aclose()
        await trio.sleep(0.02)
    return told


async def unpaced(load: Load) -> Told:
    audio = chunks(WIRE, load.seconds)

    async def stream(nursery: trio.Nursery) -> None:
        socket = await connect(load, nursery)
        nursery.start_soon(read, socket)
        for piece in audio:
            await socket.send_message(message(piece))

    async with trio.open_nursery() as nursery:
        cpu = time.process_time()
        async with trio.open_nursery() as streams:
            for _ in range(load.streams):
                streams.start_soon(stream, nursery)
        cpu = time.process_time() - cpu
        nursery.cancel_scope.cancel()
    return Told(cpu, load.seconds * load.streams)


if __name__ == "__main__":
    load = asked()
    tell(trio.run(globals()[load.task], load))
