"""When which audio was captured, and a session's statistics."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import trio_speech as ts
from trio_speech._shell.recognition.wall_clock import WallClock
from trio_speech.testing import Drop, Hear, Manner, ScriptedGateway, say, speech

from ..conftest import Listen

BASE: dict[str, float] = dict.fromkeys(
    ("captured", "settled", "replayed", "billed", "in_gaps", "unsettled", "backlog", "catch_up"), 0.0
)


def recorded(*anchors: tuple[float, float]) -> ts.TranscriptStatistics:
    return ts.TranscriptStatistics(
        **BASE, links=1, finals=0, repeated_words=0, repeated_finals=0, unknown_messages=0, anchors=anchors
    )


def test_stream_time_is_told_as_time_of_day() -> None:
    record = recorded((0.0, 1_000.0), (5.0, 1_060.0))
    assert record.captured_at(0.0) == 1_000.0
    assert record.captured_at(4.5) == 1_004.5
    assert record.captured_at(5.0) == 1_060.0
    assert record.captured_at(7.5) == 1_062.5


def test_before_anything_was_captured_there_is_no_time() -> None:
    with pytest.raises(ValueError, match="nothing has been captured"):
        recorded().captured_at(0.0)


def test_an_anchor_is_made_where_the_clocks_part() -> None:
    clock = WallClock()
    for stream, wall in [(0.0, 100.0), (1.0, 101.1), (2.0, 102.2), (3.0, 110.0), (4.0, 111.0), (5.0, 109.0)]:
        clock.captured(stream, wall)
    assert clock.anchors() == ((0.0, 100.0), (3.0, 110.0), (5.0, 109.0))


@given(st.lists(st.floats(0.0, 100.0), max_size=2_000))
def test_anchors_are_bounded_and_in_order_and_the_newest_are_exact(pauses: list[float]) -> None:
    clock, wall = WallClock(), 0.0
    for stream, pause in enumerate(pauses):
        wall += 1.0 + pause
        clock.captured(float(stream), wall)
    anchors = clock.anchors()
    assert len(anchors) <= 512
    assert all(one[0] < other[0] for one, other in pairwise(anchors))
    if pauses:
        assert abs(recorded(*anchors).captured_at(len(pauses) - 1.0) - wall) < 0.25


def test_of_very_many_anchors_the_first_and_the_newest_stay() -> None:
    clock = WallClock()
    for number in range(2_000):
        clock.captured(float(number), 10.0 * number)
    anchors = clock.anchors()
    assert len(anchors) <= 512
    assert (anchors[0], anchors[-1]) == ((0.0, 0.0), (1_999.0, 19_990.0))


async def test_captured_at_follows_the_wall_clock(gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 5_000.0 + trio.current_time())
    async with gateway.client() as client, client.transcribe() as transcript:
        for _ in range(10):
            await transcript.send(bytes(3_200))
            await trio.sleep(0.1)
        await trio.sleep(600.0)
        await transcript.send(bytes(3_200))
        statistics = transcript.statistics()
    assert statistics.captured_at(0.0) == pytest.approx(5_000.0, abs=0.25)
    assert statistics.captured_at(0.95) == pytest.approx(5_000.95, abs=0.25)
    assert statistics.captured_at(1.0) == pytest.approx(5_601.0, abs=0.25)
    assert len(statistics.anchors) == 2


@pytest.mark.parametrize("length", [0.02, 0.1, 1.0])
async def test_what_is_sent_was_captured_while_it_came_to_be(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch, length: float
) -> None:
    monkeypatch.setattr("time.time", lambda: 5_000.0 + trio.current_time())
    async with gateway.client() as client, client.transcribe() as transcript:
        began = trio.current_time()
        for _ in range(round(3.0 / length)):
            await trio.sleep(length)  # as from a microphone: a chunk is there once its last sample is
            await transcript.send(bytes(round(length * 32_000)))
        statistics = transcript.statistics()
    assert statistics.anchors == (pytest.approx((0.0, 5_000.0 + began)),)
    assert statistics.captured_at(3.0) == pytest.approx(5_003.0 + began)


async def test_the_statistics_of_a_session_that_went_well(gateway: ScriptedGateway, listen: Listen) -> None:
    said = speech(8.0)
    session = await listen(said)
    session.assert_whole()
    record = session.statistics
    finals = session.of(ts.FinalTranscript)
    assert (record.captured, record.settled, record.billed) == (8.0, 8.0, 8.0)
    assert (record.replayed, record.in_gaps, record.unsettled, record.backlog, record.catch_up) == (0.0,) * 5
    assert (record.links, record.finals, record.repeated_words, record.repeated_finals) == (1, len(finals), 0, 0)


async def test_the_statistics_of_a_drop(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(5.0), Drop())
    session = await listen(speech(8.0))
    session.assert_whole()
    record = session.statistics
    heard = sum(visit.heard for visit in gateway.visits)
    assert record.billed == pytest.approx(heard, abs=0.05)
    assert record.replayed == pytest.approx(heard - 8.0, abs=0.05)
    assert record.links == 2
    assert record.repeated_words > 0


async def test_the_catch_up_is_estimated(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(2.0), Drop())
    async with gateway.client(retry=ts.RetryPolicy(base_delay=4.0)) as client:
        gateway.connect_time = 5.0
        async with client.transcribe(speech(60.0)) as transcript:
            async for event in transcript:
                if isinstance(event, ts.Resumed):
                    break
            await trio.sleep(0.2)
            record = transcript.statistics()
            assert record.backlog > 3.0
            assert record.catch_up == pytest.approx(record.backlog / 0.25)
            await trio.sleep(0.8 * record.catch_up)
            assert transcript.statistics().catch_up > 0.0
            await trio.sleep(0.4 * record.catch_up)
            assert transcript.statistics().catch_up == 0.0


async def test_messages_that_nobody_knows_are_counted_and_finals_that_come_twice(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.manner = Manner(twice=True)
    session = await listen(say(0.2, "turn left", 1.0, "now", 1.0))
    assert session.statistics.repeated_finals == session.statistics.finals == 2
