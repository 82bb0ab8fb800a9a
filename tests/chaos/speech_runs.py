"""Whole syntheses against a gateway that fails as planned, one after the other on one client, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import trio
from trio.testing import MockClock

import trio_speech as ts
from trio_speech._core.synthesis.clip import clip_of
from trio_speech.testing import Delivery, ScriptedGateway, assert_spoken_once, hear, open_gateway
from trio_speech.testing.speech import pseudoword

from .cells import Cell, cells_of
from .runs import reproducible
from .speech_cells import CELLS, PAUSE, steps_of, stretched

PATIENCE = 1_800.0
"""Virtual seconds after which a run counts as hanging."""
CELLS_PER_RUN = 3
FORMAT = ts.AudioFormat.pcm16(8_000)

VOICES: dict[str, Delivery] = {
    "aligned": Delivery(),
    "aligned, restless": Delivery(variation=0.4),
    "aligned, slow": Delivery(speed=2.0, latency=0.3, variation=0.4),
    "aligned early": Delivery(aligns="before", variation=0.4),
    "spelled": Delivery(alignment="chars", variation=0.4),
    "spaced": Delivery(spaced=True, chunk=0.37, gap=0.0, variation=0.2),
    "aligned, twice done": Delivery(done="text", variation=0.4),
    "steady": Delivery(alignment=None),
    "steady, slow": Delivery(alignment=None, speed=3.0, chunk=0.07),
    "bare": Delivery(alignment=None, variation=0.4),
    "bare, twice done": Delivery(alignment=None, variation=0.4, done="text"),
}


@dataclass(frozen=True)
class Provider:
    """A provider's own backend, in place of the gateway's, and the manners in which its service speaks."""

    backend: ts.Backend
    deliveries: tuple[Delivery, ...]
    asked: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The arguments of each synthesis."""


@dataclass
class Said:
    """What came of one synthesis."""

    text: str
    chunks: list[ts.AudioChunk] = field(default_factory=list)
    spoken: str = ""
    error: ts.SpeechError | None = None

    @property
    def tokens(self) -> list[str]:
        """The words handed over, as they are heard."""
        return tokens(self.chunks)


@dataclass
class Run:
    """What came of all of them."""

    seed: int
    cells: list[Cell]
    resume: str = "word"
    voice: str = ""
    provider: Provider | None = None
    said: list[Said] = field(default_factory=list)
    hit: list[Cell] = field(default_factory=list)
    faults: int = 0
    drops: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    hangs: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.disordered or self.hangs or self.complaints)

    def __str__(self) -> str:
        figures = f"{self.lost} lost, {self.doubled} doubled, {self.disordered} out of order, {self.hangs} hangs"
        what = f"seed {self.seed}, resume={self.resume!r}, {self.voice} voice: {figures}; {self.complaints}"
        heard = [f"asked for: {said.text}\nspoken:    {' '.join(said.tokens)}" for said in self.said]
        return "\n".join([what, str([f"{cell.fault} at {cell.phase}" for cell in self.cells]), *heard])


def tokens(chunks: Sequence[ts.AudioChunk]) -> list[str]:
    return [word.token for word in hear(clip_of(chunks, FORMAT).audio)]


def run(
    seed: int,
    resume: str | None = None,
    cells: list[Cell] | None = None,
    voice: str | None = None,
    provider: Provider | None = None,
) -> Run:
    """Runs some syntheses on virtual time."""
    random = Random(f"speech {seed}")
    result = Run(seed, cells_of(seed, CELLS_PER_RUN, CELLS) if cells is None else cells)
    result.resume = resume or random.choice(("word", "word", "segment"))
    result.voice = voice or random.choice(list(VOICES))
    result.provider = provider
    with reproducible(seed):
        trio.run(_meet, result, random, clock=MockClock(autojump_threshold=0))
    return result


def texts(random: Random) -> Iterator[str]:
    """Texts without end of 2 to 4 sentences; their words are all different, but where they come twice on purpose."""
    number = 0
    while True:
        sentences: list[str] = []
        for _ in range(random.randint(2, 4)):
            length = random.randint(4, 8)
            words = [pseudoword(number + at) for at in range(length)]
            number += length
            if random.random() < 0.2:
                words[1] = words[2] = words[0]
            sentences.append(" ".join(words).capitalize() + random.choice(".?!"))
        if random.random() < 0.1:
            sentences.append(sentences[-1])
        yield " ".join(sentences)


def delivery_of(result: Run) -> Delivery:
    """The voice, in such a manner that all planned phases come about."""
    delivery = VOICES[result.voice]
    if result.provider is not None:
        delivery = result.provider.deliveries[result.seed % len(result.provider.deliveries)]
    return stretched(delivery) if any(cell.phase == "before done" for cell in result.cells) else delivery


async def _meet(result: Run, random: Random) -> None:
    planned = [(cell, steps_of(cell, random)) for cell in result.cells]
    capacity = random.choice((2_048, 65_536))
    async with open_gateway(delivery=delivery_of(result), capacity=capacity) as gateway:
        gateway.connect_time = random.choice((0.0, 0.05, 0.4))
        gateway.plan(*(step for _, steps in planned for step in steps))
        with trio.move_on_after(PATIENCE) as scope:
            await _say_all(result, gateway, random)
        take_stock(result, gateway, planned)
        if scope.cancelled_caught:
            result.hangs = 1


def take_stock(result: Run, gateway: ScriptedGateway, planned: list[tuple[Cell, tuple[Any, ...]]]) -> None:
    """Which faults struck, and what the gateway has to say against the client."""
    struck = {id(fault) for visit in gateway.visits for _, fault in visit.struck}
    result.faults = sum(len(visit.struck) for visit in gateway.visits)
    result.hit = [cell for cell, steps in planned if id(steps[-1]) in struck]
    result.complaints += [complaint for visit in gateway.visits for complaint in visit.complaints]


async def _say_all(result: Run, gateway: ScriptedGateway, random: Random) -> None:
    idles = sum(cell.phase == "idle" for cell in result.cells)
    source = texts(random)
    pool = ts.PoolPolicy(max_size=random.choice((1, 2, 8)), min_idle=random.choice((0, 0, 1)))
    backend = gateway.in_place_of(result.provider.backend) if result.provider else gateway.backend()
    async with ts.open_client(backend, pool=pool) as client:
        for _ in range(1 + idles + random.randint(0, 1)):
            said = Said(next(source))
            result.said.append(said)
            await _say(result, client, said, random)
            JUDGES.get(result.resume, judge)(result, said)
            await trio.sleep(PAUSE)
        settled(result, client.statistics())


async def _say(result: Run, client: ts.Client, said: Said, random: Random) -> None:
    source = random.choice((said.text, as_tokens(said.text, 0.0), as_tokens(said.text, 0.02)))
    slowness = random.choice((0.0, 0.0, 0.02, 0.3))
    asked = result.provider.asked if result.provider else {}
    speech: ts.Speech | None = None
    try:
        async with client.synthesize(source, audio_format=FORMAT, resume=result.resume, **asked) as speech:
            async for chunk in speech:
                said.chunks.append(chunk)
                await trio.sleep(random.uniform(0.0, slowness))
    except ts.SpeechError as error:
        said.error = error
    if speech is not None:
        said.spoken = speech.spoken()
        result.drops += speech.statistics().drops
        figure(result, said, speech)


def figure(result: Run, said: Said, speech: ts.Speech) -> None:
    """The statistics say what came."""
    handed_over = sum(len(chunk.audio) for chunk in said.chunks) / 2 / FORMAT.sample_rate
    if abs(speech.statistics().handed_over - handed_over) > 1e-9:
        result.complaints.append(f"{speech.statistics()} of {handed_over} s")


def settled(result: Run, pool: Any) -> None:
    """Nobody has a connection, and nobody waits for one."""
    if pool.leased or pool.waiting or pool.draining:
        result.complaints.append(f"left behind: {pool}")


async def as_tokens(text: str, pause: float) -> AsyncIterator[str]:
    """As a language model yields it."""
    for at in range(0, len(text), 5):
        await trio.sleep(pause)
        yield text[at : at + 5]


# ---------------------------------------------------------------- verdicts


def judge(result: Run, said: Said) -> None:
    """``"word"`` and ``"segment"``: each word once, whole, in order."""
    asked, heard = Counter(said.text.split()), Counter(said.tokens)
    result.lost += (asked - heard).total()
    result.doubled += (heard - asked).total()
    result.disordered += asked == heard and said.tokens != said.text.split()
    if said.error is not None:
        result.complaints.append(repr(said.error))
        return
    try:
        assert_spoken_once(said.chunks, said.text, FORMAT.sample_rate)
    except AssertionError as error:
        result.complaints.append(str(error).splitlines()[0])
    if said.spoken != said.text:
        result.complaints.append(f"spoken() is {said.spoken!r}")


def judge_restart(result: Run, said: Said) -> None:
    """``"restart"``: after the last beginning all of it, before each other one a part."""
    if said.error is not None:
        result.complaints.append(repr(said.error))
        return
    begins = [0, *(at for at, chunk in enumerate(said.chunks) if chunk.restart), len(said.chunks)]
    *parts, whole = [said.chunks[begin:end] for begin, end in pairwise(begins)]
    result.lost += tokens(whole) != said.text.split()
    if not all(begins_like(tokens(part), said.text) for part in parts):
        result.disordered += 1
    if said.spoken != said.text:
        result.complaints.append(f"spoken() is {said.spoken!r}")


def judge_never(result: Run, said: Said) -> None:
    """``"never"``: all of it, or an error and the beginning of it, of which `spoken` claims no more than was heard."""
    if said.error is None:
        judge(result, said)
        return
    if not isinstance(said.error, ts.LinkError):
        result.complaints.append(repr(said.error))
    result.disordered += not begins_like(said.tokens, said.text)
    claimed = said.spoken.split()
    if said.tokens[: len(claimed)] != claimed:
        result.complaints.append(f"spoken() is {said.spoken!r} of {said.tokens}")


JUDGES = {"restart": judge_restart, "never": judge_never}


def begins_like(heard: list[str], text: str) -> bool:
    """`heard` is the beginning of `text`; its last word may be cut."""
    if heard and heard[-1].endswith("-") and not heard[-1].startswith("-"):
        *whole, cut = heard
        words = text.split()
        return words[: len(whole)] == whole and len(words) > len(whole) and words[len(whole)].startswith(cut[:-1])
    return text.split()[: len(heard)] == heard
