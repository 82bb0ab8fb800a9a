"""All of these tests run on virtual time. And: a session run to its end against the scripted gateway."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import trio_speech as ts
from trio_speech.testing import (
    LabeledSpeech,
    ScriptedGateway,
    assert_exactly_once,
    assert_in_stream_order,
    assert_ledger,
    assert_speech_alternates,
    assert_times_within,
    assert_unique_ids,
)


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        item.add_marker(pytest.mark.trio(run=_on_virtual_time))


def _on_virtual_time(main: Any, *, clock: Any = None, instruments: Any = ()) -> Any:
    return trio.run(main, clock=clock or MockClock(autojump_threshold=0), instruments=instruments)


@dataclass
class Session:
    """What a whole session gave."""

    speech: LabeledSpeech
    gateway: ScriptedGateway
    events: list[ts.TranscriptEvent]
    times: list[float]
    statistics: ts.TranscriptStatistics
    seconds: float
    """How long it took, from entering the block to having left it."""

    def of(self, *kinds: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kinds)]

    def at(self, kind: type) -> list[float]:
        """When events of a kind came."""
        return [time for time, event in zip(self.times, self.events, strict=True) if isinstance(event, kind)]

    def assert_whole(self, *, samples: int | None = 1) -> None:
        """Every law that holds of a session which lost nothing; word times within so many samples."""
        self.assert_lawful()
        assert_exactly_once(self.events, self.speech, self.gateway.visits)
        assert self.of(ts.Gap) == []
        if samples is not None:
            assert_times_within(samples, self.events, self.speech, self.gateway.visits)
            assert_in_stream_order(self.events)

    def assert_lawful(self) -> None:
        """Every law that holds even where audio was lost."""
        assert_unique_ids(self.events)
        assert_speech_alternates(self.events)
        assert_ledger(self.statistics, self.events, self.speech.seconds)
        assert [visit.complaints for visit in self.gateway.visits if visit.complaints] == []


Listen = Callable[..., Awaitable[Session]]


@pytest.fixture
def listen(gateway: ScriptedGateway) -> Listen:
    """Transcribes speech to its end; policies go to the client."""

    async def run(
        speech: LabeledSpeech, source: AsyncIterable[bytes] | None = None, *, stt: Any = None, **policies: Any
    ) -> Session:
        began = trio.current_time()
        events: list[ts.TranscriptEvent] = []
        times: list[float] = []
        async with ts.open_client(gateway.backend(stt), **policies) as client:
            async with client.transcribe(source or speech, speech.audio_format) as transcript:
                async for event in transcript:
                    events.append(event)
                    times.append(trio.current_time() - began)
            took = trio.current_time() - began
        return Session(speech, gateway, events, times, transcript.statistics(), took)

    return run
