"""One whole session against a gateway that fails as planned, and the verdict on it."""

from __future__ import annotations

import random as random_module
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest.mock import patch

import trio
from msgspec.structs import replace
from trio.testing import MockClock

import trio_speech as ts
from trio_speech.testing import (
    Drift,
    Drop,
    Hear,
    LabeledSpeech,
    Manner,
    ScriptedGateway,
    Visit,
    assert_exactly_once,
    assert_in_stream_order,
    assert_ledger,
    assert_speech_alternates,
    assert_times_within,
    assert_turns_end_once,
    assert_unique_ids,
    open_gateway,
    picture,
    speech,
)

from .cells import MUTE, Cell, cells_of, plan_of

PATIENCE = 900.0
"""Virtual seconds after which a session counts as hanging."""
CELLS_PER_RUN = 4

EXACT = (
    Manner(),
    Manner(held=0.7),
    Manner(twice=True),
    Manner(longest=2.5),
    Manner(endpointing=None),
    Manner(finalized="before", trailing=0.3),
    Manner(finalized="never"),
    Manner(onsets=False, interim=None),
    Manner(onsets=False, interim=None, endpointing=None),
    Manner(preflight=0.15),
)
DRIFTING = (Manner(drift=Drift(0.02)), Manner(drift=Drift(0.08)))
FAR = (Manner(drift=Drift(0.3)), Manner(drift=Drift(0.5)))
"""Times that are off by more than the length of many a word: what cannot be decided is delivered, and marked."""
UNTIMED = (Manner(word_times=False),)
BILLED = (Manner(spans="billed"), Manner(spans="billed", finalized="before", trailing=0.3))


@dataclass(frozen=True)
class Family:
    """Services of one kind."""

    manners: tuple[Manner, ...]
    session_cap: tuple[float, float] | None = None
    """From and to how many seconds a connection may last, which the client knows."""
    spare: bool = False
    """There is a second service to turn to."""
    backend: Callable[[ScriptedGateway], ts.Backend] | None = None
    """A provider's own backend, in place of the gateway's."""
    model: str | None = None
    rates: tuple[int, ...] = (8_000, 8_000, 16_000, 11_025)
    moves: bool = False
    """The language is changed now and then, which moves the session to a fresh connection."""
    mute: bool = True
    """The source is mute now and then, and in mid-word too; else it never stops."""


EXACTLY = Family(EXACT)
FAMILIES = {
    "exact times": EXACTLY,
    "drifting": Family(DRIFTING),
    "without word times": Family(UNTIMED),
    "billed spans": Family(BILLED),
    "planned rollover": Family(EXACT, session_cap=(3.0, 9.0)),
    "two backends": Family(EXACT, spare=True),
}
DRIFTING_FAR = Family(FAR)


@dataclass
class Run:
    """What came of one session."""

    seed: int
    cells: list[Cell]
    gateways: list[ScriptedGateway] = field(default_factory=list)
    speech: LabeledSpeech | None = None
    events: list[Any] = field(default_factory=list)
    hit: list[Cell] = field(default_factory=list)
    faults: int = 0
    lost: int = 0
    doubled: int = 0
    gaps: int = 0
    hangs: int = 0
    failure: ts.SpeechError | None = None
    complaints: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def visits(self) -> list[Visit]:
        """The dials to all services."""
        return sorted((visit for gateway in self.gateways for visit in gateway.visits), key=lambda visit: visit.dialed)

    def doubled_unmarked(self) -> list[str]:
        """Words that came twice, though no final says that it touches a seam."""
        finals = [event for event in self.events if isinstance(event, ts.FinalTranscript)]
        told = Counter(word for final in finals for word in final.text.split())
        marked = {word for final in finals if final.seam for word in final.text.split()}
        return [word for word, times in told.items() if times > 1 and word not in marked]

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.hangs or self.failure or self.complaints)

    def __str__(self) -> str:
        what = f"seed {self.seed}: {self.lost} lost, {self.doubled} doubled, {self.hangs} hangs"
        what += f"; {self.failure}; {self.complaints}"
        drawn = picture(self.speech, self.events, self.visits) if self.speech else ""
        return f"{what}\n{[f'{cell.fault} at {cell.phase}' for cell in self.cells]}\n{drawn}"


def run(seed: int, family: Family = EXACTLY, cells: list[Cell] | None = None) -> Run:
    """Runs one session on virtual time."""
    result = Run(seed, cells_of(seed, CELLS_PER_RUN) if cells is None else cells)
    with reproducible(seed):
        trio.run(_session, result, family, clock=MockClock(autojump_threshold=0))
    return result


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """The same jitter, and the same order of tasks: trio's scheduler throws dice that can be loaded in private only."""
    state = random_module.getstate()
    random_module.seed(seed)
    trio._core._run._r.seed(seed)
    try:
        with patch.object(trio._core._run, "_ALLOW_DETERMINISTIC_SCHEDULING", True):
            yield
    finally:
        random_module.setstate(state)


async def _session(result: Run, family: Family) -> None:
    random = Random(f"run {result.seed}")
    audio_format = ts.AudioFormat.pcm16(random.choice(family.rates))
    said = result.speech = speech(random.uniform(10.0, 16.0), seed=result.seed, audio_format=audio_format)
    if random.random() < 0.4:
        said = result.speech = replace(said, audio=said.audio[: 2 * said.words[-1].end])
    planned = list(plan_of(result.cells, random))
    async with AsyncExitStack() as stack:
        for _ in range(2 if family.spare else 1):
            result.gateways.append(await stack.enter_async_context(_service(random, family)))
        result.gateways[0].plan(*(step for _, steps in planned for step in steps))
        if family.spare:
            result.gateways[1].plan(Hear(random.uniform(0.1, 4.0)), Drop())
        with trio.move_on_after(PATIENCE) as scope:
            try:
                backends = [_backend(each, random, family) for each in result.gateways]
                judge(result, await _listen(result, backends, random, family))
            except ts.SpeechError as failure:
                result.failure = failure
        result.seconds = trio.current_time()
    struck = {id(fault) for visit in result.visits for _, fault in visit.struck}
    result.faults = sum(len(visit.struck) for visit in result.visits)
    result.hit = [cell for cell, steps in planned if id(steps[-1]) in struck]
    result.hangs = int(scope.cancelled_caught)


def _service(random: Random, family: Family) -> AbstractAsyncContextManager[ScriptedGateway]:
    return open_gateway(manner=random.choice(family.manners), capacity=random.choice((2_048, 65_536)))


def _backend(gateway: ScriptedGateway, random: Random, family: Family) -> ts.Backend:
    gateway.connect_time = random.choice((0.0, 0.05, 0.4))
    if family.backend is not None:
        return family.backend(gateway)
    profile = gateway.manner.profile()
    if family.session_cap is not None:
        profile = replace(profile, session_cap=random.uniform(*family.session_cap))
    return gateway.backend(profile)


async def _listen(result: Run, backends: list[ts.Backend], random: Random, family: Family) -> ts.TranscriptStatistics:
    assert result.speech
    source, audio_format = _play(result.speech, random, mute=family.mute), result.speech.audio_format
    retry = ts.RetryPolicy() if len(backends) == 1 else ts.RetryPolicy(max_attempts=1, return_after=5.0)
    async with (
        ts.open_client(backends, retry=retry) as client,
        client.transcribe(source, audio_format, model=family.model) as transcript,
        _moving(transcript, random, moves=family.moves),
    ):
        async for event in transcript:
            result.events.append(event)
    return transcript.statistics()


@asynccontextmanager
async def _moving(transcript: ts.Transcript, random: Random, *, moves: bool) -> AsyncIterator[None]:
    async with trio.open_nursery() as nursery:
        if moves:
            nursery.start_soon(_move, transcript, random)
        yield
        nursery.cancel_scope.cancel()


async def _move(transcript: ts.Transcript, random: Random) -> None:
    with suppress(trio.ClosedResourceError):  # the session may end before
        for language in ("de", "fr", "en"):
            await trio.sleep(random.uniform(0.1, 5.0))
            transcript.update(language=language)


async def _play(said: LabeledSpeech, random: Random, *, mute: bool) -> AsyncIterator[bytes]:
    """In chunks of any lengths, in real time or faster, mute now and then."""
    speed = random.choice((1.0, 1.0, 1.0, 4.0))
    due, mute_at = trio.current_time(), random.uniform(0.5, 3.0)
    heard = 0.0
    for chunk in said.chunks([random.uniform(0.001, 0.2) for _ in range(7)]):
        length = len(chunk) / 2 / said.audio_format.sample_rate
        due += length / speed
        heard += length
        await trio.sleep_until(due)
        yield chunk
        if mute and heard > mute_at:
            due, mute_at = trio.current_time() + MUTE, heard + 3.0
            await trio.sleep_until(due)


def judge(result: Run, statistics: ts.TranscriptStatistics) -> None:
    """Holds the session against the laws."""
    events, said = result.events, result.speech
    assert said
    finals = [event for event in events if isinstance(event, ts.FinalTranscript)]
    told = Counter(word for final in finals for word in final.text.split())
    spoken = Counter(word.text for word in said.words)
    result.lost, result.doubled = (spoken - told).total(), (told - spoken).total()
    result.gaps = sum(isinstance(event, ts.Gap) for event in events)
    for visit in result.visits:
        result.complaints += visit.complaints
    laws: list[Callable[[], None]] = [
        lambda: assert_unique_ids(events),
        lambda: assert_ledger(statistics, events, said.seconds),
        lambda: assert_speech_alternates(events),
        lambda: assert_turns_end_once(events),
        lambda: assert_each_speech_ends_once(events),
    ]
    if all(gateway.manner.profile().exact_times and gateway.manner.word_times for gateway in result.gateways):
        laws.append(lambda: assert_in_stream_order(events))
        laws.append(lambda: assert_times_within(1, events, said))
    if statistics.unsettled:
        result.complaints.append(f"{statistics.unsettled} s are unsettled at the end")
    if not (result.lost or result.doubled):
        laws.append(lambda: assert_exactly_once(events, said))
        for law in laws:
            try:
                law()
            except AssertionError as error:
                result.complaints.append(str(error).splitlines()[0])


def assert_each_speech_ends_once(events: list[Any]) -> None:
    """No utterance ends where, or before, an earlier one did."""
    ends = [event.end for event in events if isinstance(event, ts.SpeechEnded)]
    assert sorted(set(ends)) == ends, f"speech ends at {ends}"
