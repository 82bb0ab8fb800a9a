"""Sessions with services that are truthful and untidy, drawn from the grammar of manners, and what they must come to.

Besides words, two things are held: how long a session takes, and how often audio is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
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
    assert_ledger,
    assert_speech_alternates,
    assert_unique_ids,
    hear,
    open_gateway,
    picture,
    random_manner,
    say,
    speech,
)

from .cells import Cell, cells_of
from .runs import reproducible

TABLE = [
    Cell(fault, phase)
    for fault in ("reset", "end of stream", "close frame", "session closed", "black hole", "freeze", "outage")
    for phase in ("create", "mid-word", "mid-frame", "after final", "drain", "close")
]
PATIENCE = 10.0
"""Seconds within which a service answers, from when it can have heard at half of its pace what is not settled."""
UTTERANCE = 5.0
"""Seconds of an utterance: so much is not settled where finals settle what they cover; else all may be."""
DIAL = 1.0
"""Seconds for another dial, and for the wait before it."""
REPLAY = 1.25
"""Times real time: the pace at which audio is heard again."""
OUTAGE = {"black hole": 12.0, "freeze": 5.0, "outage": 30.0}
"""Seconds that a fault may cost, besides a dial."""
SLACK = 5.0
AGAIN = 6.0
"""Seconds of audio that one standby in vain, and one hearing again for doubt, may cost in a short session."""


@dataclass(frozen=True)
class Untidy:
    """A family: how its manners are drawn, and on which wire they are heard."""

    draw: Callable[[Random], Manner] = random_manner
    deepgram: bool = False
    faults: int = 1


def _as(**changes: object) -> Callable[[Random], Manner]:
    return lambda random: replace(random_manner(random), **changes)


FAMILIES: Mapping[str, Untidy] = {
    "untidy": Untidy(),
    "untidy, without a fault": Untidy(faults=0),
    "untidy, Deepgram's wire": Untidy(deepgram=True),
    "untidy, without word times": Untidy(
        _as(word_times=False, freedoms=("late onset", "onset of nothing", "blank final"))
    ),
    "untidy, billed spans": Untidy(_as(spans="billed", freedoms=("late onset", "retraction", "ghost"), ordered=True)),
}


@dataclass
class Outcome:
    """What came of one session."""

    seed: int
    cells: list[Cell]
    manner: Manner | None = None
    gateway: ScriptedGateway | None = None
    speech: LabeledSpeech | None = None
    events: list[object] = field(default_factory=list)
    hit: list[Cell] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    sums: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        drawn = picture(self.speech, self.events, self.gateway.visits) if self.speech and self.gateway else ""
        return f"seed {self.seed}: {self.wrong}\n{self.manner}\n{self.cells}\n{drawn}"


def session(seed: int, family: Untidy) -> Outcome:
    """Runs one session on virtual time."""
    random = Random(f"untidy {seed}")
    table = [cell for cell in TABLE if not (family.deepgram and cell.fault == "session closed")]  # it also hangs up
    cells = cells_of(seed, family.faults, table) if family.faults else []
    outcome = Outcome(seed, cells)
    with reproducible(seed):
        trio.run(_session, outcome, family, random, clock=MockClock(autojump_threshold=0))
    return outcome


async def _session(outcome: Outcome, family: Untidy, random: Random) -> None:
    audio_format = ts.AudioFormat.pcm16(8_000)
    said = outcome.speech = speech(random.uniform(6.0, 14.0), seed=outcome.seed, audio_format=audio_format)
    manner = outcome.manner = family.draw(random)
    async with open_gateway(manner=manner) as gateway:
        outcome.gateway = gateway
        planned = [(cell, cell.steps(random)) for cell in outcome.cells]
        gateway.plan(*(step for _, steps in planned for step in steps))
        backend = gateway.in_place_of(ts.Deepgram("key")) if family.deepgram else gateway.backend()
        with trio.move_on_after(900.0) as scope:
            try:
                async with ts.open_client(backend) as client, client.transcribe(said, audio_format) as transcript:
                    async for event in transcript:
                        outcome.events.append(event)
                _judge(outcome, transcript.statistics(), manner)
            except ts.SpeechError as failure:
                outcome.wrong.append(f"it failed: {failure}")
        struck = {id(fault) for visit in gateway.visits for _, fault in visit.struck}
        outcome.hit = [cell for cell, steps in planned if id(steps[-1]) in struck]
        _judge_time(outcome, trio.current_time(), hangs=scope.cancelled_caught)


def _judge(outcome: Outcome, statistics: ts.TranscriptStatistics, manner: Manner) -> None:
    said, events, gateway = outcome.speech, outcome.events, outcome.gateway
    assert said
    assert gateway
    told = Counter(word for each in events if isinstance(each, ts.FinalTranscript) for word in each.text.split())
    spoken = Counter(word.text for word in said.words)
    lost, doubled = spoken - told, told - spoken
    gaps = sum(isinstance(event, ts.Gap) for event in events)
    if lost:
        outcome.wrong.append(f"lost: {' '.join(lost)}")
    if doubled and manner.profile().exact_times and manner.word_times:
        outcome.wrong.append(f"doubled: {' '.join(doubled)}")
    if gaps:
        outcome.wrong.append(f"{gaps} gaps")
    outcome.sums.update(lost=lost.total(), doubled=doubled.total(), gaps=gaps)
    heard = Counter(word.text for visit in gateway.visits for word in hear(visit.audio) if word.whole)
    most, links = max(heard.values(), default=0), len(gateway.visits) - 1
    if most > 2 + links:
        outcome.wrong.append(f"a word was sent {most} times, over {links} links that were lost")
    for law in (
        lambda: assert_unique_ids(events),
        lambda: assert_ledger(statistics, events, said.seconds),
        lambda: assert_speech_alternates(events),
    ):
        try:
            law()
        except AssertionError as error:
            outcome.wrong.append(str(error).splitlines()[0])


def _judge_time(outcome: Outcome, seconds: float, *, hangs: bool) -> None:
    assert outcome.speech
    assert outcome.gateway
    outages = sum(OUTAGE.get(cell.fault, 0.0) for cell in outcome.hit) + DIAL * (len(outcome.gateway.visits) - 1)
    again = max(0.0, outcome.gateway.heard - outcome.speech.seconds) / REPLAY
    assert outcome.manner
    unsettled = UTTERANCE if outcome.manner.spans == "utterance" else outcome.speech.seconds
    bound = outcome.speech.seconds + again + outages + 2 * (PATIENCE + unsettled) + SLACK
    outcome.sums.update(hangs=hangs)
    if hangs or seconds > bound:
        outcome.wrong.append(f"it took {seconds:.1f} s, not {bound:.1f}")


def sound(noise: bytes, *, deepgram: bool) -> Outcome:
    """A session that hears a few words, then a long sound that is none, then a few words more."""
    outcome = Outcome(0, [])
    with reproducible(0):
        trio.run(_sound, outcome, noise, deepgram, clock=MockClock(autojump_threshold=0))
    return outcome


async def _sound(outcome: Outcome, noise: bytes, deepgram: bool) -> None:
    audio_format = ts.AudioFormat.pcm16(8_000)
    before, after = (say(1.0, words, 1.0, audio_format=audio_format) for words in ("hold the line", "here we are"))
    said = outcome.speech = before + LabeledSpeech(noise, audio_format, ()) + after
    manner = outcome.manner = Manner()
    async with open_gateway(manner=manner) as gateway:
        outcome.gateway = gateway
        backend = gateway.in_place_of(ts.Deepgram("key")) if deepgram else gateway.backend()
        with trio.move_on_after(said.seconds + 60.0) as scope:
            async with ts.open_client(backend) as client, client.transcribe(said, audio_format) as transcript:
                async for event in transcript:
                    outcome.events.append(event)
            _judge(outcome, transcript.statistics(), manner)
        _judge_time(outcome, trio.current_time(), hangs=scope.cancelled_caught)
        again = gateway.heard - said.seconds
        if again > max(AGAIN, 0.05 * said.seconds):
            outcome.wrong.append(f"{again:.1f} s of the audio were sent again")
