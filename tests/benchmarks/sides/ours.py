"""trio_speech, as its users write it."""

# ruff: noqa: ASYNC110  # a look every so often disturbs what is measured less than a wake-up would

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import trio
from load import (
    ASKED_OF_FEEDER,
    FINAL_EVERY,
    KEY,
    MODEL,
    PUSH,
    SECRET,
    SOMEBODY,
    SPEAKS,
    VOICE,
    Load,
    Spans,
    Told,
    Window,
    asked,
    chunks,
    resident,
    tell,
)

import trio_speech as ts

MOST_AHEAD = 20.0
IN_A_ROW = 40


def client(load: Load, **policies: ts.ReplayPolicy) -> AbstractAsyncContextManager[ts.Client]:
    cartesia = ts.Cartesia(KEY, url=load.url.removesuffix("/v1"))
    return ts.open_client(cartesia if load.cartesia else ts.LiveKit(load.url, KEY, SECRET), **policies)


async def stream(opened: ts.Client, transcripts: list[ts.Transcript]) -> None:
    async with opened.transcribe(model=MODEL) as transcript:
        transcripts.append(transcript)
        await trio.sleep_forever()


@asynccontextmanager
async def streams(load: Load, **policies: ts.ReplayPolicy) -> AsyncGenerator[tuple[list[ts.Transcript], trio.Nursery]]:
    """So many open sessions, and a nursery around them."""
    async with client(load, **policies) as opened, trio.open_nursery() as nursery:
        transcripts: list[ts.Transcript] = []
        for _ in range(load.streams):
            nursery.start_soon(stream, opened, transcripts)
        while sum(transcript.statistics().links for transcript in transcripts) < load.streams:
            await trio.sleep(0.05)
        async with trio.open_nursery() as workers:
            yield transcripts, workers
            workers.cancel_scope.cancel()
        nursery.cancel_scope.cancel()


async def measured(window: Window) -> None:
    for moment, look in window.moments():
        await trio.sleep_until(moment)
        look()


async def read(transcript: ts.Transcript, window: Window, begun: float) -> None:
    async for event in transcript:
        if isinstance(event, ts.FinalTranscript):
            window.heard(begun, event.end, trio.current_time())


# ---------------------------------------------------------------- recognition


async def clocked(load: Load) -> Told:
    """Pushes in real time, by one clock for all streams."""
    return await by_the_clock(load, Window)


async def hour(load: Load) -> Told:
    """As `clocked`, for long, measured span by span."""
    return await by_the_clock(load, Spans)


async def by_the_clock(load: Load, kind: type[Window]) -> Told:
    async with streams(load, replay=ts.ReplayPolicy(frame_length=load.frame)) as (transcripts, nursery):
        window = kind(load, trio.current_time())
        for index, transcript in enumerate(transcripts):
            nursery.start_soon(read, transcript, window, window.begins(index))
        nursery.start_soon(clock, transcripts, chunks(load.push), window)
        await measured(window)
    return window.told


class Pushed(Protocol):
    """A transcript, or what stands for one."""

    def send_nowait(self, audio: bytes) -> None: ...


class Nobody:
    def send_nowait(self, audio: bytes) -> None:
        pass


async def ticking(load: Load) -> Told:
    """What the clock costs alone."""
    async with trio.open_nursery() as nursery:
        window = Window(load, trio.current_time())
        nursery.start_soon(clock, [Nobody()] * load.streams, chunks(load.push), window)
        await measured(window)
        nursery.cancel_scope.cancel()
    return window.told


async def clock(transcripts: Sequence[Pushed], audio: list[bytes], window: Window, length: float | None = None) -> None:
    for due, turn, indices in window.ticks(length):
        await trio.sleep_until(due)
        for index in indices:
            transcripts[index].send_nowait(audio[turn % len(audio)])
            window.pushed(due)


async def tasks(load: Load) -> Told:
    """Pushes in real time, a task for each stream."""
    async with streams(load) as (transcripts, nursery):
        window = Window(load, trio.current_time())
        for index, transcript in enumerate(transcripts):
            nursery.start_soon(read, transcript, window, window.begins(index))
            nursery.start_soon(push, transcript, chunks(PUSH), window, window.begins(index))
        await measured(window)
    return window.told


async def fed(load: Load) -> Told:
    """Audio in real time from a socket for each stream, whose task reads it and sends it on."""
    async with streams(load) as (transcripts, nursery):
        window = Window(load, trio.current_time())
        for index, transcript in enumerate(transcripts):
            nursery.start_soon(read, transcript, window, window.begins(index))
            nursery.start_soon(pass_on, transcript, window, window.begins(index))
        await measured(window)
    return window.told


async def pass_on(transcript: ts.Transcript, window: Window, begun: float) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", window.load.feeder) as caller:
        await caller.send_all(ASKED_OF_FEEDER.pack(window.on_the_feeders_clock(begun), window.load.push))
        came = 0
        async for audio in caller:
            await transcript.send(audio)
            came = window.passed_on(begun, came, len(audio))


async def push(transcript: ts.Transcript | None, audio: list[bytes], window: Window, begun: float) -> None:
    due = begun
    while True:
        for piece in audio:
            await trio.sleep_until(due)
            if transcript is not None:
                await transcript.send(piece)
            window.pushed(due)
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
    """As fast as it goes, by the way that `load` names."""
    audio = chunks(PUSH, load.seconds)
    finals: list[ts.FinalTranscript] = []

    async def source() -> AsyncIterator[bytes]:
        for piece in audio:
            yield piece

    async def send(transcript: ts.Transcript) -> None:
        for index, piece in enumerate(audio):
            if load.by == "send":
                await transcript.send(piece)
            else:
                transcript.send_nowait(piece)
                if index % IN_A_ROW == 0:  # as whoever calls it must, that others have their turn
                    await trio.lowlevel.checkpoint()
        transcript.end_input()

    async def recognize(opened: ts.Client) -> None:
        if load.by == "source":
            finals.extend((await opened.recognize(source(), model=MODEL)).finals)
            return
        async with opened.transcribe(model=MODEL) as transcript, trio.open_nursery() as nursery:
            nursery.start_soon(send, transcript)
            finals.extend([event async for event in transcript if isinstance(event, ts.FinalTranscript)])

    async with client(load) as opened:
        await recognize(opened)
        finals.clear()
        cpu = time.process_time()
        async with trio.open_nursery() as nursery:
            for _ in range(load.streams):
                nursery.start_soon(recognize, opened)
        cpu = time.process_time() - cpu
    return Told(cpu, load.seconds * load.streams, extra={"finals": len(finals)})


async def opened(load: Load) -> Told:
    """As fast as it goes, a second's pushes in a row, on streams that are open and have spoken."""
    pieces = chunks(PUSH, 1.0)

    async def speak(transcript: ts.Transcript, seconds: float) -> None:
        for _ in range(round(seconds)):
            for piece in pieces:
                transcript.send_nowait(piece)
            await trio.lowlevel.checkpoint()
            while transcript.statistics().unsettled > MOST_AHEAD:
                await trio.sleep(0.01)

    async def hear(transcript: ts.Transcript) -> None:
        async for _ in transcript:
            pass

    async with streams(load) as (transcripts, nursery):
        async with trio.open_nursery() as speaking:
            for transcript in transcripts:
                nursery.start_soon(hear, transcript)
                speaking.start_soon(speak, transcript, FINAL_EVERY)
        await trio.sleep(1.0)
        cpu = time.process_time()
        async with trio.open_nursery() as speaking:
            for transcript in transcripts:
                speaking.start_soon(speak, transcript, load.seconds)
        for transcript in transcripts:
            while transcript.statistics().unsettled:
                await trio.sleep(0.05)
        cpu = time.process_time() - cpu
    return Told(cpu, load.seconds * load.streams)


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


# ---------------------------------------------------------------- synthesis


async def speak(load: Load) -> Told:
    """As fast as it comes, one after the other on a pooled connection."""
    told = Told()
    async with client(load) as opened:
        await one_speech(opened, load)
        cpu = time.process_time()
        for _ in range(load.streams):
            first, seconds = await one_speech(opened, load)
            told.latencies.append(first)
            told.audio += seconds
        told.cpu = time.process_time() - cpu
    return told


async def one_speech(opened: ts.Client, load: Load) -> tuple[float, float]:
    """Seconds until the first audio, and of audio."""
    began, first, heard = time.perf_counter(), 0.0, 0
    model, voice = (SPEAKS, SOMEBODY) if load.cartesia else (VOICE, "any")
    async with opened.synthesize(load.text, model=model, voice=voice) as speech:
        async for chunk in speech:
            first = first or time.perf_counter() - began
            heard += len(chunk.audio)
    return first, heard / 48_000


if __name__ == "__main__":
    load = asked()
    tell(trio.run(globals()[load.task], load))
