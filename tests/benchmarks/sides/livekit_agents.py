"""livekit-agents, unmodified, as its users write it."""

# ruff: noqa: ASYNC110  # a look every so often disturbs what is measured less than a wake-up would

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from livekit import rtc
from livekit.agents import APIConnectOptions, inference, stt
from load import (
    ASKED_OF_FEEDER,
    FINAL_EVERY,
    KEY,
    MODEL,
    PUSH,
    RATE,
    SECRET,
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

ONCE = APIConnectOptions(max_retry=0, timeout=30.0)


def service(load: Load) -> dict[str, Any]:
    return {"base_url": load.url, "api_key": KEY, "api_secret": SECRET}


def http() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


def recognizer(load: Load, session: aiohttp.ClientSession) -> inference.STT:
    return inference.STT(model=MODEL, language="en", sample_rate=RATE, http_session=session, **service(load))


def frames(length: float = 10.0) -> list[rtc.AudioFrame]:
    return [rtc.AudioFrame(piece, RATE, 1, len(piece) // 2) for piece in chunks(PUSH, length)]


@asynccontextmanager
async def streams(load: Load) -> AsyncGenerator[list[stt.RecognizeStream]]:
    """So many open streams."""
    async with http() as session:
        recognition = recognizer(load, session)
        opened = []
        for _ in range(load.streams):
            opened.append(recognition.stream(conn_options=ONCE))
            await asyncio.sleep(0.005)
        await asyncio.sleep(1.0)
        yield opened
        await asyncio.gather(*(stream.aclose() for stream in opened))


async def measured(window: Window, *working: Any) -> Told:
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(each) for each in working]
    for moment, look in window.moments():
        await asyncio.sleep(moment - loop.time())
        look()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return window.told


async def read(stream: stt.RecognizeStream, window: Window, begun: float) -> None:
    now = asyncio.get_running_loop().time
    async for event in stream:
        if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT:
            window.heard(begun, event.alternatives[0].end_time - stream.start_time_offset, now())


# ---------------------------------------------------------------- recognition


async def clocked(load: Load) -> Told:
    """Pushes in real time, by one clock for all streams."""
    return await by_the_clock(load, Window)


async def hour(load: Load) -> Told:
    """As `clocked`, for long, measured span by span."""
    return await by_the_clock(load, Spans)


async def by_the_clock(load: Load, kind: type[Window]) -> Told:
    async with streams(load) as opened:
        window = kind(load, asyncio.get_running_loop().time())
        readers = [read(stream, window, window.begins(index)) for index, stream in enumerate(opened)]
        return await measured(window, *readers, clock(opened, frames(), window))


class Nobody:
    def push_frame(self, frame: rtc.AudioFrame) -> None:
        pass


async def ticking(load: Load) -> Told:
    """What the clock costs alone."""
    window = Window(load, asyncio.get_running_loop().time())
    return await measured(window, clock([Nobody()] * load.streams, frames(), window))


async def clock(opened: Sequence[stt.RecognizeStream | Nobody], audio: list[rtc.AudioFrame], window: Window) -> None:
    now = asyncio.get_running_loop().time
    for due, turn, indices in window.ticks():
        await asyncio.sleep(due - now())
        for index in indices:
            opened[index].push_frame(audio[turn % len(audio)])
            window.pushed(due)


async def tasks(load: Load) -> Told:
    """Pushes in real time, a task for each stream."""
    async with streams(load) as opened:
        window = Window(load, asyncio.get_running_loop().time())
        working = [read(stream, window, window.begins(index)) for index, stream in enumerate(opened)]
        working += [push(stream, frames(), window, window.begins(index)) for index, stream in enumerate(opened)]
        return await measured(window, *working)


async def fed(load: Load) -> Told:
    """Audio in real time from a socket for each stream, whose task reads it and pushes it on."""
    async with streams(load) as opened:
        window = Window(load, asyncio.get_running_loop().time())
        working = [read(stream, window, window.begins(index)) for index, stream in enumerate(opened)]
        working += [pass_on(stream, window, window.begins(index)) for index, stream in enumerate(opened)]
        return await measured(window, *working)


async def pass_on(stream: stt.RecognizeStream, window: Window, begun: float) -> None:
    caller, asking = await asyncio.open_connection("127.0.0.1", window.load.feeder)
    asking.write(ASKED_OF_FEEDER.pack(window.on_the_feeders_clock(begun), window.load.push))
    came = 0
    while audio := await caller.read(65_536):
        stream.push_frame(rtc.AudioFrame(audio, RATE, 1, len(audio) // 2))
        came = window.passed_on(begun, came, len(audio))


async def push(stream: stt.RecognizeStream | None, audio: list[rtc.AudioFrame], window: Window, begun: float) -> None:
    now = asyncio.get_running_loop().time
    due = begun
    while True:
        for frame in audio:
            await asyncio.sleep(due - now())
            if stream is not None:
                stream.push_frame(frame)
            window.pushed(due)
            due += PUSH


async def driver(load: Load) -> Told:
    """What the tasks that push cost alone."""
    window = Window(load, asyncio.get_running_loop().time())
    return await measured(window, *(push(None, frames(), window, window.begins(i)) for i in range(load.streams)))


async def unpaced(load: Load) -> Told:
    """As fast as it goes."""
    audio = frames(load.seconds)
    finals: list[stt.SpeechEvent] = []

    async def recognize(recognition: inference.STT) -> None:
        async with recognition.stream(conn_options=ONCE) as stream:
            for frame in audio:
                stream.push_frame(frame)
            stream.end_input()
            final = stt.SpeechEventType.FINAL_TRANSCRIPT
            finals.extend([event async for event in stream if event.type == final])

    async with http() as session:
        recognition = recognizer(load, session)
        await recognize(recognition)
        finals.clear()
        cpu = time.process_time()
        await asyncio.gather(*(recognize(recognition) for _ in range(load.streams)))
        cpu = time.process_time() - cpu
    return Told(cpu, load.seconds * load.streams, extra={"finals": len(finals)})


async def opened(load: Load) -> Told:
    """As fast as it goes, a second's pushes in a row, on streams that are open and have spoken."""
    audio = frames(1.0)
    finals = 0

    async def hear(stream: stt.RecognizeStream) -> None:
        nonlocal finals
        async for event in stream:
            finals += event.type == stt.SpeechEventType.FINAL_TRANSCRIPT

    async def speak(stream: stt.RecognizeStream, seconds: float) -> None:
        for _ in range(round(seconds)):
            for frame in audio:
                stream.push_frame(frame)
            await asyncio.sleep(0)

    async def all_heard(count: int) -> None:
        while finals < count:
            await asyncio.sleep(0.05)

    async with streams(load) as opened:
        hearing = [asyncio.create_task(hear(stream)) for stream in opened]
        await asyncio.gather(*(speak(stream, FINAL_EVERY) for stream in opened))
        await all_heard(load.streams)
        cpu = time.process_time()
        await asyncio.gather(*(speak(stream, load.seconds) for stream in opened))
        await all_heard(round(load.streams * (1 + load.seconds / FINAL_EVERY)))
        cpu = time.process_time() - cpu
        for task in hearing:
            task.cancel()
    return Told(cpu, load.seconds * load.streams)


async def idle(load: Load) -> Told:
    """Bytes of memory a stream."""
    async with streams(Load("", load.port, tls=load.tls)):
        pass
    before = resident()
    async with streams(load):
        await asyncio.sleep(0.5)
        return Told(extra={"stream": (resident() - before) / load.streams})


# ---------------------------------------------------------------- synthesis


async def speak(load: Load) -> Told:
    """As fast as it comes, one after the other on a pooled connection."""
    told = Told()
    async with http() as session:
        voice = inference.TTS(
            model=VOICE, voice="any", language="en", sample_rate=24_000, http_session=session, **service(load)
        )
        await one_speech(voice, load)
        cpu = time.process_time()
        for _ in range(load.streams):
            first, seconds = await one_speech(voice, load)
            told.latencies.append(first)
            told.audio += seconds
        told.cpu = time.process_time() - cpu
        await voice.aclose()
    return told


async def one_speech(voice: inference.TTS, load: Load) -> tuple[float, float]:
    """Seconds until the first audio, and of audio."""
    began, first, heard = time.perf_counter(), 0.0, 0.0
    async with voice.stream(conn_options=ONCE) as stream:
        stream.push_text(load.text)
        stream.end_input()
        async for event in stream:
            first = first or time.perf_counter() - began
            heard += event.frame.duration
    return first, heard


if __name__ == "__main__":
    load = asked()
    tell(asyncio.run(globals()[load.task](load)))
