"""The default recognizer's sessions, with models that are replaced: capacity, turns, failures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from trio_speech.gateway import (
    Busy,
    Declined,
    EngineFailed,
    Finalized,
    LocalRecognizer,
    Onset,
    RecognitionOptions,
    Result,
)
from trio_speech.gateway.builtin import moonshine_engine

OPTIONS = RecognitionOptions(sample_rate=8_000)


class CountingEngine:
    """Answers each piece of audio with its length. `hold` keeps its thread busy."""

    hold = threading.Event()

    def __init__(self, models: object, options: RecognitionOptions) -> None:
        if options.language == "tlh":
            raise Declined("no Klingon")

    def feed(self, pcm: bytes) -> Iterator[Result]:
        if pcm.startswith(b"hold"):
            self.hold.wait(5)
        yield Onset(len(pcm) // 2)

    def finalize(self) -> Iterator[Result]:
        yield Finalized(0)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    loaded: list[None] = []
    monkeypatch.setattr(moonshine_engine, "MoonshineEngine", CountingEngine)
    monkeypatch.setattr(moonshine_engine, "load_models", lambda: loaded.append(None) or object())
    monkeypatch.setattr(CountingEngine, "hold", threading.Event())
    return loaded


async def test_audio_is_taken_in_turns_of_a_quarter_of_a_second(loads: Any) -> None:
    async with LocalRecognizer(1, threads=1).open(OPTIONS) as session:
        await session.feed(bytes(2 * 5_000))
        await session.finalize()
        assert [await session.receive() for _ in range(4)] == [Onset(2_000), Onset(2_000), Onset(1_000), Finalized(0)]


async def test_beyond_its_capacity_it_is_busy_until_a_session_ends(loads: Any) -> None:
    recognizer = LocalRecognizer(1, threads=1)
    async with recognizer.open(OPTIONS):
        with pytest.raises(Busy, match="all 1 sessions of the recognizer are in use"):
            async with recognizer.open(OPTIONS):
                raise AssertionError
    with pytest.raises(Declined):
        async with recognizer.open(RecognitionOptions(sample_rate=8_000, language="tlh")):
            raise AssertionError
    async with recognizer.open(OPTIONS):
        pass


async def test_sessions_share_one_load(loads: list[None], nursery: trio.Nursery) -> None:
    recognizer = LocalRecognizer(3, threads=3)

    async def use() -> None:
        async with recognizer.open(OPTIONS) as session:
            await session.finalize()

    async with trio.open_nursery() as users:
        for _ in range(3):
            users.start_soon(use)
    assert len(loads) == 1


async def test_a_load_that_fails_is_tried_again_by_the_next(loads: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = LocalRecognizer(1, threads=1)

    def fail() -> None:
        raise EngineFailed("the file is not the expected one")

    with monkeypatch.context() as patch:
        patch.setattr(moonshine_engine, "load_models", fail)
        with pytest.raises(EngineFailed, match="not the expected one"):
            async with recognizer.open(OPTIONS):
                raise AssertionError
    async with recognizer.open(OPTIONS):
        pass


async def test_a_long_utterance_does_not_hold_up_other_sessions(loads: Any) -> None:
    recognizer = LocalRecognizer(2, threads=2)
    async with recognizer.open(OPTIONS) as slow, recognizer.open(OPTIONS) as other, trio.open_nursery() as nursery:
        nursery.start_soon(slow.feed, b"hold" + bytes(100))
        with trio.fail_after(5):
            await other.feed(bytes(400))
            assert await other.receive() == Onset(200)
        CountingEngine.hold.set()
        assert await slow.receive() == Onset(52)


async def test_a_cancelled_turn_ends_with_its_step(loads: Any) -> None:
    recognizer = LocalRecognizer(1, threads=1)
    async with recognizer.open(OPTIONS) as session:
        with trio.move_on_after(0.02) as scope:
            CountingEngine.hold.set()
            await session.feed(b"hold" + bytes(100))
            await trio.sleep_forever()
    assert scope.cancelled_caught
    async with recognizer.open(OPTIONS) as session:
        await session.feed(bytes(2))
        assert await session.receive() == Onset(1)
