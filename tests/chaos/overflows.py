"""Sessions whose log is too small for the outages that they meet: the gaps must be those that the oracle works out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random

import trio
from msgspec.structs import replace
from trio.testing import MockClock

import trio_speech as ts
from trio_speech.testing import (
    LabeledSpeech,
    Manner,
    ScriptedGateway,
    assert_exactly_once,
    assert_ledger,
    open_gateway,
    speech,
)

from .cells import CELLS, Cell, cells_of, plan_of
from .oracle import Bystander, Whereabouts, merged
from .runs import reproducible

OVERFLOWING = [cell for cell in CELLS if cell.fault not in ("freeze", "delay") and cell.phase != "idle"]
PATIENCE = 900.0
CELLS_PER_RUN = 3


@dataclass
class Overflow:
    """What came of one such session; positions in samples."""

    seed: int
    limit: int = 0
    most: int = 0
    expected: list[tuple[int, int]] = field(default_factory=list)
    told: list[tuple[int, int]] = field(default_factory=list)
    hit: list[Cell] = field(default_factory=list)
    faults: int = 0
    failure: str = ""

    @property
    def good(self) -> bool:
        return not self.failure and self.told == self.expected and (self.most > self.limit or not self.told)

    def __str__(self) -> str:
        return f"overflow {self.seed}: expected {self.expected}, told {self.told}, limit {self.limit}; {self.failure}"


def hissing(said: LabeledSpeech, random: Random) -> LabeledSpeech:
    """The same speech over noise too soft to be heard, so that no two stretches of silence are alike."""
    audio = bytearray(said.audio)
    noise = random.randbytes(len(audio) // 2)
    audio[0::2] = bytes(low if high else hiss for low, high, hiss in zip(audio[0::2], audio[1::2], noise, strict=True))
    return replace(said, audio=bytes(audio))


def overflow(seed: int) -> Overflow:
    """Runs one session on virtual time."""
    result = Overflow(seed)
    with reproducible(seed):
        trio.run(_session, result, clock=MockClock(autojump_threshold=0))
    return result


async def _session(result: Overflow) -> None:
    random = Random(f"overflow {result.seed}")
    said = hissing(speech(random.uniform(14.0, 20.0), seed=result.seed), random)
    limit = random.uniform(1.5, 4.0)
    result.limit = said.audio_format.samples(limit)
    planned = list(plan_of(cells_of(result.seed, CELLS_PER_RUN, OVERFLOWING), random))
    async with open_gateway(manner=Manner(longest=random.choice((1.0, 15.0)))) as gateway:
        gateway.connect_time = random.uniform(0.001, 0.3)
        gateway.plan(*(step for _, steps in planned for step in steps))
        try:
            with trio.fail_after(PATIENCE):
                await _listen(result, gateway, said, random, limit)
        except (trio.TooSlowError, AssertionError) as failure:
            result.failure = f"{type(failure).__name__}: {failure}"
        struck = {id(fault) for visit in gateway.visits for _, fault in visit.struck}
        result.faults = sum(len(visit.struck) for visit in gateway.visits)
        result.hit = [cell for cell, steps in planned if id(steps[-1]) in struck]


async def _listen(
    result: Overflow, gateway: ScriptedGateway, said: LabeledSpeech, random: Random, limit: float
) -> None:
    where, rate = Whereabouts(said.audio), said.audio_format.sample_rate
    linked = False

    def heard() -> int | None:
        visit = gateway.visits[-1] if gateway.visits else None
        return where(visit.number, visit.audio) if visit is not None and linked and visit.audio else None

    async def played() -> AsyncIterator[bytes]:
        due = trio.current_time()
        for chunk in said.chunks([random.uniform(0.01, 0.2) for _ in range(7)]):
            due += len(chunk) / 2 / rate
            await trio.sleep_until(due)
            yield chunk
            bystander.capture(len(chunk) // 2)

    bystander = Bystander(result.limit, heard)
    events: list[ts.TranscriptEvent] = []
    policies = {
        "replay": ts.ReplayPolicy(limit=limit, overflow="drop_oldest"),
        # Without standby, the last visit is the one that the bystander is to look at.
        "liveness": ts.LivenessPolicy(send_timeout=600.0, ping_interval=1.0, ping_timeout=1.0, standby=False),
    }
    async with gateway.client(**policies) as client, client.transcribe(played(), said.audio_format) as transcript:
        linked = True
        async for event in transcript:
            events.append(event)
            if isinstance(event, ts.FinalTranscript):
                bystander.final(round(event.end * rate))
            elif isinstance(event, ts.LinkLost):
                linked = False
                bystander.link_lost()
            elif isinstance(event, ts.Resumed):
                linked = True
    result.most, result.expected = bystander.most, bystander.gaps()
    gaps = [event for event in events if isinstance(event, ts.Gap)]
    result.told = merged([(round(gap.start * rate), round(gap.end * rate)) for gap in gaps])
    assert {gap.reason for gap in gaps} <= {"overflow"}
    assert_exactly_once(events, said, gateway.visits)
    assert_ledger(transcript.statistics(), events, said.seconds)
