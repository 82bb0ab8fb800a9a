"""How soon the built-in engines answer, and how little they hold up the program: paced as live audio is.

    python tests/benchmarks/gateway_latency.py [SESSIONS ...]

Prints for each number of sessions at once: seconds from the end of speech to its final, and how late timers of the
same event loop were. A part of the latency is the 0.27 s of silence by which the end of speech is known.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Sequence
from random import Random
from time import perf_counter
from typing import NamedTuple

import trio

from trio_speech.gateway import (
    Final,
    Finalized,
    LocalVoice,
    RecognitionOptions,
    Recognizer,
    SynthesisOptions,
    open_recognizer,
    open_voice,
)

RATE = 16_000
CHUNK = 0.05
_STARTS_WITHIN = 3.0  # seconds
TEXTS = ("The weather is very nice today.", "I would like to order a large pizza.", "It will rain tomorrow afternoon.")


class Spoken(NamedTuple):
    """The audio, how many seconds of it there are before it falls silent, and the seconds it took: to begin, to end."""

    pcm: bytes
    length: float
    first: float
    whole: float


async def spoken(voice: LocalVoice, text: str) -> Spoken:
    began, first, pcm, length = perf_counter(), 0.0, b"", 0.0
    async with voice.synthesize(text, SynthesisOptions(sample_rate=RATE)) as speech:
        async for piece in speech:
            first = first or perf_counter() - began
            pcm += piece.pcm
            length = max([length, *(word.end / RATE for word in piece.words)])
    return Spoken(pcm, length, first, perf_counter() - began)


async def live(recognizer: Recognizer, speeches: Sequence[Spoken], latencies: list[float], after: float) -> None:
    await trio.sleep(after)
    async with recognizer.open(RecognitionOptions(sample_rate=RATE)) as session, trio.open_nursery() as nursery:
        ends: list[float] = []
        heard = 0

        async def speak() -> None:
            due = trio.current_time()
            for speech in speeches:
                ends.append(due + speech.length)
                audio = speech.pcm + bytes(2 * RATE)
                for start in range(0, len(audio), int(2 * RATE * CHUNK)):
                    await session.feed(audio[start : start + int(2 * RATE * CHUNK)])
                    due += CHUNK
                    await trio.sleep_until(due)
            await session.finalize()

        nursery.start_soon(speak)
        while not isinstance(result := await session.receive(), Finalized):
            if isinstance(result, Final) and result.text:
                latencies.append(trio.current_time() - ends[heard])
                heard += 1


async def watch(lags: list[float]) -> None:
    while True:
        due = trio.current_time() + 0.01
        await trio.sleep_until(due)
        lags.append(trio.current_time() - due)


def told(name: str, values: Sequence[float]) -> str:
    return f"{name} median {statistics.median(values) * 1000:.1f} ms, most {max(values) * 1000:.1f} ms"


async def main(counts: Sequence[int]) -> None:
    async with open_voice() as voice, open_recognizer(sessions=max(counts), warm=max(counts)) as recognizer:
        cold = (await spoken(voice, TEXTS[0])).first
        speeches = [await spoken(voice, text) for text in TEXTS]
        print(f"voice, first audio: cold {cold * 1000:.0f} ms, {told('warm', [speech.first for speech in speeches])}")
        seconds = sum(len(speech.pcm) for speech in speeches) / 2 / RATE
        print(f"voice: {seconds / sum(speech.whole for speech in speeches):.0f} times faster than real time")
        for count in counts:
            began = perf_counter()
            async with recognizer.open(RecognitionOptions(sample_rate=RATE)):
                opened = perf_counter() - began
            lags: list[float] = []
            latencies: list[float] = []
            starts = Random(count)  # people do not speak in chorus
            processor = time.process_time()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(watch, lags)
                async with trio.open_nursery() as sessions:
                    for _ in range(count):
                        sessions.start_soon(live, recognizer, speeches, latencies, starts.uniform(0, _STARTS_WITHIN))
                nursery.cancel_scope.cancel()
            load = (time.process_time() - processor) / count / (seconds + len(speeches))
            print(
                f"{count} sessions: opened in {opened * 1000:.0f} ms; {told('finals', latencies)}; {told('loop', lags)}"
                f"; processor {load:.3f} s a second of audio; memory {_megabytes():.0f} MB"
            )


def _megabytes() -> float:
    """The most that this process has had: without the voice's processes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    trio.run(main, [int(count) for count in sys.argv[1:]] or [1, 2, 4])
