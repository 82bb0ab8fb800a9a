"""Storms of barge-ins: sessions that share few connections, and whose users interrupt them again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

import trio
from msgspec.structs import replace
from trio.testing import MockClock

import trio_speech as ts
from trio_speech.providers._codec import Dial
from trio_speech.testing import MemoryStream, ScriptedGateway, open_gateway

from .cells import Cell, cells_of
from .runs import reproducible
from .speech_cells import CELLS, steps_of
from .speech_runs import (
    FORMAT,
    PATIENCE,
    VOICES,
    Run,
    Said,
    begins_like,
    delivery_of,
    judge,
    settled,
    take_stock,
    texts,
)

STORMY = [cell for cell in CELLS if cell.phase not in ("idle", "before done")]
CELLS_PER_STORM = 2
DRAINED = 5.0
"""Seconds in which every generation that was abandoned is over."""


@dataclass
class Storm(Run):
    """What came of one storm; the last of what each session said was not interrupted."""

    clears: int = 0
    max_size: int = 0
    peak: int = 0
    sessions: list[list[Said]] = field(default_factory=list)


def storm(seed: int, cells: list[Cell] | None = None) -> Storm:
    """Runs one storm on virtual time."""
    random = Random(f"storm {seed}")
    result = Storm(seed, cells_of(seed, CELLS_PER_STORM, STORMY) if cells is None else cells)
    result.resume = random.choice(("word", "word", "segment"))
    result.voice = random.choice(list(VOICES))
    with reproducible(seed):
        trio.run(_meet, result, random, clock=MockClock(autojump_threshold=0))
    return result


async def _meet(result: Storm, random: Random) -> None:
    planned = [(cell, steps_of(cell, random)) for cell in result.cells]
    async with open_gateway(delivery=delivery_of(result)) as gateway:
        gateway.connect_time = random.choice((0.01, 0.05, 0.4))
        gateway.plan(*(step for _, steps in planned for step in steps))
        with trio.move_on_after(PATIENCE) as scope:
            await _interrupt_all(result, gateway, random)
        take_stock(result, gateway, planned)
        if scope.cancelled_caught:
            result.hangs = 1
        if result.peak > result.max_size:
            result.complaints.append(f"{result.peak} connections at once, of {result.max_size} at most")


async def _interrupt_all(result: Storm, gateway: ScriptedGateway, random: Random) -> None:
    result.max_size = random.randint(1, 3)
    policy = ts.PoolPolicy(max_size=result.max_size, acquire_timeout=PATIENCE)
    backend = replace(gateway.backend(), connect=_counting(gateway, result))
    async with ts.open_client(backend, pool=policy, retry=ts.RetryPolicy(deadline=None)) as client:
        async with trio.open_nursery() as nursery:
            for number in range(random.randint(1, 3)):
                nursery.start_soon(_session, result, client, Random(f"{result.seed} {number}"))
        await trio.sleep(DRAINED)
        settled(result, client.statistics())
    for said in result.sessions:
        _judge(result, said)


def _counting(gateway: ScriptedGateway, result: Storm) -> Callable[[Dial], Awaitable[MemoryStream]]:
    """Dials, and counts the streams that the client has not closed by then."""
    streams: list[MemoryStream] = []

    async def connect(dial: Dial) -> MemoryStream:
        streams.append(await gateway.connect(dial))
        result.peak = max(result.peak, sum(not stream._closed for stream in streams))
        return streams[-1]

    return connect


async def _session(result: Storm, client: ts.Client, random: Random) -> None:
    source = texts(random)
    said = [Said(next(source)) for _ in range(random.randint(2, 6))]
    result.sessions.append(said)
    result.said += said
    async with (
        client.synthesize(audio_format=FORMAT, resume=result.resume) as speech,
        trio.open_nursery() as nursery,
    ):
        now = said[:1]
        nursery.start_soon(_play, speech, now, random.choice((0.0, 0.02, 0.2)))
        for turn in said:
            now[:] = [turn]
            await speech.send(turn.text)
            speech.flush()
            if turn is not said[-1]:
                await trio.sleep(random.choice((0.0, random.uniform(0.0, 3.0))))
                speech.clear()
                result.clears += 1
        speech.end_input()
    result.drops += speech.statistics().drops
    whole = "".join(turn.text for turn in said[-1:])
    if not speech.spoken().endswith(whole):
        result.complaints.append(f"spoken() is {speech.spoken()!r}")
    said[-1].spoken = whole


async def _play(speech: ts.Speech, now: list[Said], slowness: float) -> None:
    async for chunk in speech:
        now[0].chunks.append(chunk)
        await trio.sleep(slowness)


def _judge(result: Storm, session: list[Said]) -> None:
    """What was interrupted was begun, and what was not was said whole; on the clock there is no hole."""
    *interrupted, last = session
    result.disordered += sum(not begins_like(said.tokens, said.text) for said in interrupted)
    at = 0.0
    for chunk in (chunk for said in session for chunk in said.chunks):
        if abs(chunk.start - at) > 0.5 / FORMAT.sample_rate:
            result.complaints.append(f"a chunk starts at {chunk.start} s after {at} s")
        at += len(chunk.audio) / 2 / FORMAT.sample_rate
    begun = last.chunks[0].start if last.chunks else 0.0
    last.chunks = [_earlier(chunk, begun) for chunk in last.chunks]
    judge(result, last)


def _earlier(chunk: ts.AudioChunk, seconds: float) -> ts.AudioChunk:
    words = tuple(
        ts.Word(word.text, word.start - seconds, word.end - seconds, word.confidence, word.speaker)
        for word in chunk.words
    )
    start = chunk.start - seconds
    return ts.AudioChunk(chunk.audio, start, chunk.segment, words, chunk.restart, chunk.ends_segment, chunk.torn)
