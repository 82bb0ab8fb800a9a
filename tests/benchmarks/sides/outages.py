"""trio_speech when its connections are reset."""

# ruff: noqa: ASYNC110  # a look every so often disturbs what is measured less than a wake-up would

from __future__ import annotations

import math
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio
from load import MODEL, PUSH, Load, Told, Window, asked, chunks, tell, wish
from ours import client, clock, read, streams

import trio_speech as ts

HERD_PUSH = 0.1
BEFORE_THE_CUT = 3.0


async def resets(load: Load) -> Told:
    """Again and again: `seconds` of audio that nothing acknowledges, a reset, and all of it once more, unpaced."""
    audio = b"".join(chunks(PUSH, load.seconds))
    for _ in range(load.streams):
        # A client for each: links that fail within a second of others are redialed with jitter, by the policy.
        async with (
            client(load, replay=ts.ReplayPolicy(speed=math.inf)) as opened,
            opened.transcribe(model=MODEL) as transcript,
        ):
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
        window, took, busy = Window(load, trio.current_time()), list[float](), list[float]()
        for index, transcript in enumerate(transcripts):
            nursery.start_soon(read, transcript, window, window.begins(index))
        timed = [Timed(transcript, took) for transcript in transcripts]
        nursery.start_soon(clock, timed, chunks(HERD_PUSH), window, HERD_PUSH)
        await trio.sleep_until(window.opens)
        async with busyness(busy):
            await trio.sleep(BEFORE_THE_CUT)
        before, window.told.lateness = window.told.lateness, []
        took.clear()
        wish("cut")
        async with busyness(busy):
            while not all((figures := each.statistics()).links > 1 and figures.backlog < 0.2 for each in transcripts):
                await trio.sleep(0.2)
        window.told.extra = {"took": took, "before": before, "busy": busy}
        wish("figures")
        await trio.to_thread.run_sync(sys.stdin.readline)
    return window.told


class Timed:
    """A transcript whose pushes are timed."""

    def __init__(self, transcript: ts.Transcript, took: list[float]) -> None:
        self._transcript = transcript
        self._took = took

    def send_nowait(self, audio: bytes) -> None:
        began = time.perf_counter()
        self._transcript.send_nowait(audio)
        self._took.append(time.perf_counter() - began)


@asynccontextmanager
async def busyness(shares: list[float]) -> AsyncGenerator[None]:
    """Which share of a core the block took."""
    cpu, began = time.process_time(), time.perf_counter()
    yield
    shares.append((time.process_time() - cpu) / (time.perf_counter() - began))


if __name__ == "__main__":
    load = asked()
    tell(trio.run(globals()[load.task], load))
