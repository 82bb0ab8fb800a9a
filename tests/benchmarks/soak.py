"""Sessions in real time against the embedded gateway, with random drops: words lost or doubled, latency, memory.

    python tests/benchmarks/soak.py [--sessions 8] [--minutes 20] [--seed 1]

Every session has a client of its own; all share one recognizer. What a session has to hear is what the recognizer makes
of the same audio without a client, a network and a drop, final by final.
"""

from __future__ import annotations

import argparse
import math
import resource
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple

import trio

import trio_speech as ts
from trio_speech.cli.cuttable import CuttableBackend
from trio_speech.gateway import (
    Final,
    Finalized,
    RecognitionOptions,
    Recognizer,
    RecognizerSession,
    Voice,
    open_recognizer,
    open_voice,
)

RATE = 16_000
FORMAT = ts.AudioFormat.pcm16(RATE)
CHUNK_SECONDS = 0.05
PAUSE_SECONDS = 1.2
DROP_SECONDS = (4.0, 20.0)  # from one drop to the next


class Outcome(NamedTuple):
    expected: list[str]
    heard: list[str]
    drops: int
    gaps: int
    lags: list[float]


def sentences_of(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


async def spoken(voice: Voice, sentences: Sequence[str]) -> list[bytes]:
    """Each sentence, with a pause after it."""
    pause = bytes(FORMAT.samples(PAUSE_SECONDS) * FORMAT.frame_size)
    async with ts.open_client(ts.Local(recognizer="pocketsphinx", voice=voice)) as client:
        return [(await client.render(f"{each}.", audio_format=FORMAT)).audio + pause for each in sentences]


async def expected(recognizer: Recognizer, audio: bytes) -> list[str]:
    """The finals without a client, as fast as it goes."""
    finals: list[str] = []

    async def feed(session: RecognizerSession) -> None:
        await session.feed(audio)
        await session.finalize()

    async with recognizer.open(RecognitionOptions(sample_rate=RATE)) as session, trio.open_nursery() as nursery:
        nursery.start_soon(feed, session)
        while not isinstance(result := await session.receive(), Finalized):
            if isinstance(result, Final) and result.text:
                finals.append(result.text)
    return finals


async def run(local: ts.Local, audio: bytes, wanted: list[str], draw: Random, outcomes: list[Outcome]) -> None:
    backend = CuttableBackend(local)
    heard, lags, drops, gaps = list[str](), list[float](), 0, 0
    began = trio.current_time()

    async def microphone() -> AsyncIterator[bytes]:
        nonlocal drops
        step, drop_at = FORMAT.samples(CHUNK_SECONDS) * FORMAT.frame_size, draw.uniform(*DROP_SECONDS)
        for number, start in enumerate(range(0, len(audio), step), 1):
            yield audio[start : start + step]
            await trio.sleep_until(began + number * CHUNK_SECONDS)
            if number * CHUNK_SECONDS > drop_at:
                backend.cut()
                drops += 1
                drop_at += draw.uniform(*DROP_SECONDS)

    async with ts.open_client(backend) as client, client.transcribe(microphone(), FORMAT) as transcript:
        async for event in transcript:
            if isinstance(event, ts.FinalTranscript) and event.text:
                heard.append(event.text)
                lags.append(trio.current_time() - began - event.end)
            elif isinstance(event, ts.Gap):
                gaps += 1
    outcomes.append(Outcome(wanted, heard, drops, gaps, lags))


def memory() -> float:
    """Of this process now, in MB; the voice has processes of its own. Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def report(outcomes: Sequence[Outcome], before: float) -> bool:
    wrong = [outcome for outcome in outcomes if outcome.heard != outcome.expected]
    for outcome in wrong:
        at = next((n for n, (a, b) in enumerate(zip(outcome.expected, outcome.heard, strict=False)) if a != b), -1)
        print("expected", outcome.expected[at - 1 : at + 3], "\nheard   ", outcome.heard[at - 1 : at + 3])
    lags = sorted(lag for outcome in outcomes for lag in outcome.lags)
    print(f"sessions             {len(outcomes)}, {len(wrong)} with a final lost, doubled or changed")
    print(f"finals, drops, gaps  {len(lags)}, {sum(o.drops for o in outcomes)}, {sum(o.gaps for o in outcomes)}")
    late = lags[int(0.99 * len(lags))]
    print(f"lag behind their end median {median(lags):.2f} s, p99 {late:.2f} s, most {lags[-1]:.2f} s")
    print(f"memory               {before:.0f} MB before, {memory():.0f} MB after")
    return bool(wrong)


async def main(arguments: argparse.Namespace) -> None:
    outcomes: list[Outcome] = []
    async with open_recognizer(sessions=2 * arguments.sessions) as recognizer, open_voice() as voice:
        sentences = await spoken(voice, sentences_of(Path(__file__).with_name("sentences.txt")))
        seconds = sum(map(len, sentences)) / len(sentences) / 2 / RATE
        count = math.ceil(60 * arguments.minutes / seconds)
        seeds = [arguments.seed + number for number in range(arguments.sessions)]
        streams = [b"".join(Random(seed).choices(sentences, k=count)) for seed in seeds]
        wanted = [await expected(recognizer, stream) for stream in streams]
        before = memory()
        local = ts.Local(recognizer=recognizer, voice=voice)
        async with trio.open_nursery() as nursery:
            for number, (stream, finals) in enumerate(zip(streams, wanted, strict=True)):
                nursery.start_soon(run, local, stream, finals, Random(-number), outcomes)
    raise SystemExit(report(outcomes, before))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    trio.run(main, parser.parse_args())
