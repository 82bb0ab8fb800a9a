"""Kills a process at random moments while it keeps a journal, and lets the next one go on, until all is recognized.

The stream holds speech and long silences; links break on the way, and the journal is compacted often. Each process
reports what it captured and what it read through a pipe, after the fact: what it has reported must be there when the
next one begins. ``python tests/chaos/journal_kills.py 1000`` kills as many times.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import trio
from trio.testing import MockClock

import trio_speech as ts
from trio_speech._core.recognition import journal as journal_format
from trio_speech.testing import Drop, Hear, LabeledSpeech, open_gateway, say, speech

CHUNK = 0.1
SHARE = 0.6
"""Of the time that a process takes for a whole stream, after which it is killed at the latest."""

journal_format._COMPACT_AT = 2**15  # a second of audio: compaction is to be met often


@dataclass
class Story:
    """What the processes of one stream have reported."""

    kills: int = 0
    captured: int = 0
    finals: dict[str, str] = field(default_factory=dict)
    gaps: list[list[float]] = field(default_factory=list)
    repeated: int = 0
    lost: int = 0
    done: bool = False


def stream_of(random: Random) -> LabeledSpeech:
    """About a minute: speech, and silence in between."""
    words = speech(40.0, seed=random.randrange(1_000), pause=random.choice([0.8, 3.0]))
    names = iter(word.text for word in words.words)
    parts: list[str | float] = []
    for _ in range(4):
        parts += [random.uniform(1.0, 15.0), *(name for name, _ in zip(names, range(12), strict=False))]
    return say(*parts, 1.0)


async def live(path: Path, said: LabeledSpeech, random: Random, report: int, *, begun: bool) -> None:
    """One process: goes on with the journal, or begins it, and works to the end of the stream."""

    def tell(kind: str, *values: Any) -> None:
        os.write(report, json.dumps([kind, *values]).encode() + b"\n")

    faults = [step for _ in range(3) for step in (Hear(random.uniform(0.5, 12.0)), Drop())]
    async with open_gateway() as gateway:
        gateway.plan(*faults[: 2 * random.randrange(4)])
        async with gateway.client() as client:
            opened = client.resume_journal(path) if begun else client.transcribe(None, said.audio_format, journal=path)
            async with opened as transcript, trio.open_nursery() as nursery:
                at = round(transcript.statistics().captured * said.audio_format.sample_rate)
                tell("begun", at)
                nursery.start_soon(capture, transcript, said, at, tell)
                async for event in transcript:
                    if isinstance(event, ts.FinalTranscript):
                        tell("final", event.id, event.text)
                        await trio.sleep(random.uniform(0.0, 2.0))  # the user deals with it
                    elif isinstance(event, ts.Gap):
                        tell("gap", event.start, event.end)
    tell("done")


async def capture(transcript: ts.Transcript, said: LabeledSpeech, at: int, tell: Any) -> None:
    size = said.audio_format.samples(CHUNK)
    while at < said.samples:
        chunk = said.audio[2 * at : 2 * (at + size)]
        await transcript.send(chunk)
        at += len(chunk) // 2
        tell("captured", at)
        await trio.sleep(CHUNK / 4)
    transcript.end_input()


def one_process(path: Path, said: LabeledSpeech, random: Random, killed_after: float | None) -> list[list[Any]]:
    """Forks, and kills what it forked; returns what that reported."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            # A file without anything in it was left by a process that was killed before it had begun the journal.
            begun = path.exists() and path.stat().st_size > 0
            trio.run(partial(live, path, said, random, writing, begun=begun), clock=MockClock(autojump_threshold=0))
        finally:
            os._exit(0)
    os.close(writing)
    if killed_after is not None:
        time.sleep(killed_after)
        os.kill(child, signal.SIGKILL)
    with open(reading, encoding="utf-8") as report:
        lines = report.read().splitlines()
    os.waitpid(child, 0)
    return [json.loads(line) for line in lines]


def follow(story: Story, reports: list[list[Any]], chunk: int) -> None:
    """Adds what one process reported."""
    last = list(story.finals)[-1:]
    first = True
    for kind, *values in reports:
        if kind == "begun":
            (at,) = values
            story.lost += max(0, story.captured - at)
            assert at <= story.captured + chunk, f"{at} samples are kept, and {story.captured} were captured"
        elif kind == "captured":
            story.captured = values[0]
        elif kind == "final":
            name, text = values
            if name in story.finals:
                assert first, f"{name} came again, and it was not the first event of a process"
                assert [name] == last, f"{name} came again, and it was not the last one read"
                assert story.finals[name] == text
                story.repeated += 1
            story.finals[name] = text
            first = False
        elif kind == "gap":
            story.gaps.append(values)
        elif kind == "done":
            story.done = True


def one_stream(seed: int, longest: float) -> Story:
    """Kills processes until one of them gets through; raises `AssertionError` where something was lost or doubled."""
    random, story = Random(seed), Story()
    said = stream_of(random)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal")
        while not story.done:
            # On a machine that has become busier, none might get through: later ones have more time.
            reports = one_process(path, said, random, random.uniform(0.0, longest * 1.1**story.kills))
            follow(story, reports, said.audio_format.samples(CHUNK))
            story.kills += not story.done
        size = path.stat().st_size
    words = " ".join(story.finals.values()).split()
    assert words == [word.text for word in said.words], f"seed {seed}"
    assert list(story.finals) == [f"f{number}" for number in range(1, len(story.finals) + 1)]
    assert (story.lost, story.gaps) == (0, []), f"seed {seed}: {story}"
    assert size < 1_000, f"seed {seed}: the file that is left has {size} bytes"
    return story


def time_of_a_stream() -> float:
    """Seconds that a process takes for a stream on this machine, as busy as it is."""
    random, began = Random(0), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        assert one_process(Path(folder, "journal"), stream_of(random), random, None)[-1] == ["done"]
    return time.monotonic() - began


def kill(kills: int, *, first_seed: int = 0) -> Story:
    """As many kills as that, over as many streams as it takes; returns the sums."""
    total, longest = Story(), SHARE * time_of_a_stream()
    for seed in count(first_seed):
        story = one_stream(seed, longest)
        total.kills += story.kills
        total.captured += story.captured
        total.repeated += story.repeated
        print(f"stream {seed}: {total.kills} kills so far", file=sys.stderr, flush=True)
        if total.kills >= kills:
            return total
    raise AssertionError


if __name__ == "__main__":
    result = kill(int(sys.argv[1]), first_seed=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(f"{result.kills} kills, 0 samples lost, {result.repeated} last events came again")
