"""trio_speech, as its users write it."""

# ruff: noqa: ASYNC110  # a look every so often disturbs what is measured less than a wake-up would

from __future__ import annotations

import math
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio
from load import KEY, MODEL, PUSH, SECRET, TEXT, VOICE, Load, Told, Window, asked, chunks, resident, tell, wish

import trio_speech as ts


def client(load: Load, **policies: ts.ReplayPolicy) -> AbstractAsyncContextManager[ts.Client]:
    return ts.open_client(ts.LiveKit(load.url, KEY, SECRET), **policies)


async def stream(opened: ts.Client, task_status: trio.TaskStatus[ts.Transcript]) -> None:
    async with opened.transcribe(model=MODEL) as transcript:
        task_status.started(transcript)
        await trio.sleep_forever()


@asynccontextmanager
async def streams(load: Load, **policies: ts.ReplayPolicy) -> AsyncGenerator[tuple[list[ts.Transcript], trio.Nursery]]:
    """So many open sessions, and a nursery around them."""
    async with client(load, **policies) as opened, trio.open_nursery() as nursery:
        transcripts = [await nursery.start(stream, opened) for _ in range(load.streams)]
        while any(transcript.statistics().links == 0 for transcript in transcripts):
            await trio.sleep(0.05)
        async with trio.open_nursery() as workers:
            yield transcripts, workers
            workers.cancel_scope.cancel()
        nursery.cancel_scope.cancel()


async def measured(window: Window) -> None:
    await trio.sleep_until(window.opens)
    window.opened()
    await trio.sleep_until(window.closes)
    window.closed()


async def read(transcript: ts.Transcript, window: Window, begun: float) -> None:
    async for event in transcript:
        if isinstance(event, ts.FinalTranscript):
            window.heard(begun, event.end, trio.current_time())


# ---------------------------------------------------------------- recognition


async def clocked(load: Load) -> Told:
    """Pushes in real time, by one clock for all streams."""
    async with streams(load) as (transcripts, nursery):
        window = Window(load, trio.current_time())
        for index, transcript in enumerate(transcripts):
            nursery.start_soon(read, transcript, window, window.begins(index))
        nursery.start_soon(clock, transcripts, chunks(PUSH), window)
        await measured(window)
    return window.told


async def clock(transcripts: list[ts.Transcript], audio: list[bytes], window: Window) -> None:
    for due, turn, indices in window.ticks():
        await trio.sleep_until(due)
        for index in indices:
            transcripts[index].send_nowait(audio[turn % len(audio)])
            window.pushed(due, trio.current_time())


async def tasks(load: Load) -> Told:
    """Pushes in real time, a task for each stream."""
    async with streams(load) as (transcripts, nursery):
        window = Window(load, trio.current_time())
        for index, transcript in enumerate(transcripts):
            nursery.start_soon(read, transcript, window, window.begins(index))
            nursery.start_soon(push, transcript, chunks(PUSH), window, window.begins(index))
        await measured(window)
    return window.told


async def push(transcript: ts.Transcript | None, audio: list[bytes], window: Window, begun: float) -> None:
    due = begun
    while True:
        for piece in audio:
            await trio.sleep_until(due)
            if transcript is not None:
                await transcript.send(piece)
            window.pushed(due, trio.current_time())
            due += PUSH


async def driver(load: Load) -> Told:
    """What the tasks that push cost alone."""
    async with trio.open_nursery() as nursery:
        window = Window(load, trio.current_time())
        for index in range(load.streams):
            nursery.start_soon(push, None, chunks(PUSH), window, window.begins(index))
        await measured(window)
        nursery.cancel_scope.cancel()
    return window.told


async def unpaced(load: Load) -> Told:
    """As fast as it goes, each stream from a source."""
    audio = chunks(PUSH, load.seconds)

    async def source() -> AsyncIterator[bytes]:
        for piece in audio:
            yield piece

    finals: list[ts.FinalTranscript] = []

    async def recognize(opened: ts.Client) -> None:
        finals.extend((await opened.recognize(source(), model=MODEL)).finals)

    async with client(load) as opened:
        await recognize(opened)
        finals.clear()
        cpu = time.process_time()
        async with trio.open_nursery() as nursery:
            for _ in range(load.streams):
                nursery.start_soon(recognize, opened)
        cpu = time.process_time() - cpu
    return Told(cpu, load.seconds * load.streams, extra={"finals": len(finals)})


async def idle(load: Load) -> Told:
    """Bytes of memory a stream, and for each byte of audio that nothing acknowledges."""
    async with client(load) as opened, opened.transcribe(model=MODEL):
        await trio.sleep(0.5)
    before = resident()
    async with streams(load) as (transcripts, _):
        await trio.sleep(0.5)
        each = (resident() - before) / load.streams
        before = resident()
        pieces = chunks(PUSH, load.seconds)
        for piece in pieces:
            for transcript in transcripts:
                transcript.send_nowait(bytes(bytearray(piece)))
            await trio.sleep(0.005)
        while any(transcript.statistics().backlog for transcript in transcripts):
            await trio.sleep(0.05)
        audio = load.streams * len(pieces) * len(pieces[0])
        held = (resident() - before) / audio
    return Told(extra={"stream": each, "audio": held})


# ---------------------------------------------------------------- recovery


async def resets(load: Load) -> Told:
    """Again and again: `seconds` of audio that nothing acknowledges, a reset, and all of it once more, unpaced."""
    audio = b"".join(chunks(PUSH, load.seconds))
    async with client(load, replay=ts.ReplayPolicy(speed=math.inf)) as opened:
        for _ in range(load.streams):
            async with opened.transcribe(model=MODEL) as transcript:
                await all_sent(transcript, audio, links=1)
                wish("cut")
                await all_sent(transcript, b"", links=2)
            await trio.sleep(0.02)
            wish("figures")
            await trio.to_thread.run_sync(sys.stdin.readline)
    return Told()


async def all_sent(transcript: ts.Transcript, audio: bytes, links: int) -> None:
    for at in range(0, len(audio), 6_400):
        await transcript.send(audio[at : at + 6_400])
    while (figures := transcript.statistics()).backlog or figures.links < links:
        await trio.sleep(0.01)


async def herd(load: Load) -> Told:
    """All sessions are cut at the same instant while one clock goes on pushing."""
    async with streams(load) as (transcripts, nursery):
        window = Window(load, trio.current_time())
        nursery.start_soon(clock, transcripts, chunks(PUSH), window)
        await trio.sleep_until(window.opens)
        window.opened()
        wish("cut")
        while any((figures := each.statistics()).links < 2 or figures.backlog > 0.1 for each in transcripts):
            await trio.sleep(0.05)
        window.closed()
        wish("figures")
        await trio.to_thread.run_sync(sys.stdin.readline)
    return window.told


# ---------------------------------------------------------------- synthesis


async def speak(load: Load) -> Told:
    """As fast as it comes, one after the other on a pooled connection."""
    told = Told()
    async with client(load) as opened:
        await one_speech(opened)
        cpu = time.process_time()
        for _ in range(load.streams):
            first, seconds = await one_speech(opened)
            told.latencies.append(first)
            told.audio += seconds
        told.cpu = time.process_time() - cpu
    return told


async def one_speech(opened: ts.Client) -> tuple[float, float]:
    """Seconds until the first audio, and of audio."""
    began, first, heard = time.perf_counter(), 0.0, 0
    async with opened.synthesize(TEXT, model=VOICE, voice="any") as speech:
        async for chunk in speech:
            first = first or time.perf_counter() - began
            heard += len(chunk.audio)
    return first, heard / 48_000


if __name__ == "__main__":
    load = asked()
    tell(trio.run(globals()[load.task], load))
