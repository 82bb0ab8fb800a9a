"""One session for as long as ``TRIO_SPEECH_SOAK_DAYS`` says, in virtual time, with a drop every few minutes.

Somebody speaks once a minute. Each word comes once, and what the process holds does not grow.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import AsyncIterator
from itertools import count
from random import Random
from typing import Any

import trio
from trio.testing import MockClock

import trio_speech as ts
from trio_speech.testing import Drop, Fin, Lapse, ScriptedGateway, Step, say
from trio_speech.testing.speech import pseudoword

DAYS = float(os.environ.get("TRIO_SPEECH_SOAK_DAYS", "0.05"))
UTTERANCES = round(DAYS * 24 * 60)
WORDS = 3
FORMAT = ts.AudioFormat.pcm16(8_000)
SETTLED_IN = 0.2
"""Share of the time after which nothing may grow any more."""
SLACK = 3_000
"""Blocks of memory by which one moment may differ from another."""


async def speaker() -> AsyncIterator[bytes]:
    """An utterance a minute, of words that never came before; between them nothing is sent."""
    for number in range(UTTERANCES):
        words = " ".join(pseudoword(number * WORDS + index) for index in range(WORDS))
        async for chunk in say(0.2, words, 0.6, audio_format=FORMAT).source(chunk=0.1):
            yield chunk
        await trio.sleep_until(60.0 * (number + 1))


def drop(random: Random) -> tuple[Step, Step]:
    """The next one."""
    return Lapse(random.uniform(60, 300)), random.choice([Drop(), Fin()])


def blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


async def test_a_long_session_loses_nothing_and_stays_as_small_as_it_was(
    gateway: ScriptedGateway, autojump_clock: MockClock, record_property: Any
) -> None:
    random = Random(7)
    gateway.plan(*drop(random), *drop(random))
    expected = map(pseudoword, count())
    early = late = 0
    async with gateway.client() as client, client.transcribe(speaker(), FORMAT) as transcript:
        async for event in transcript:
            match event:
                case ts.Resumed():
                    gateway.plan(*drop(random))
                    del gateway.visits[:-1]
                case ts.FinalTranscript(words=words):
                    for word in words:
                        assert word.text == next(expected)
                    if not early and trio.current_time() >= SETTLED_IN * UTTERANCES * 60:
                        early = blocks()
                case _:
                    pass
        late = blocks()
        statistics = transcript.statistics()
    assert next(expected) == pseudoword(UTTERANCES * WORDS), "a word was lost"
    assert statistics.in_gaps == statistics.unsettled == 0.0
    assert statistics.links > UTTERANCES / 6
    assert late - early < SLACK
    record_property("drops", statistics.links - 1)
    record_property("growth", late - early)
    print(f"{DAYS} days, {statistics.links - 1} drops, {UTTERANCES * WORDS} words, {late - early:+} blocks of memory")
