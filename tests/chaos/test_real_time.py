"""Sessions in real time over loopback sockets, for as long as ``TRIO_SPEECH_SOAK_MINUTES`` says.

Between the client and the scripted gateway stands the fault proxy, and no connection lives longer than some seconds.
One session lasts as long as the soak does; beside it, short ones come one after the other, and texts are spoken. What
the process holds does not grow.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    Delivery,
    Manner,
    ScriptedGateway,
    assert_exactly_once,
    assert_ledger,
    assert_spoken_once,
    assert_times_within,
    say,
    speech,
)
from trio_speech.testing.fault_proxy import Happening, Proxy, open_proxy, read_plan
from trio_speech.testing.speech import pseudoword

SECONDS = 60 * float(os.environ.get("TRIO_SPEECH_SOAK_MINUTES", "0.05"))
FORMAT = ts.AudioFormat.pcm16(8_000)
WORDS = 4
MODEL, VOICE = "deepgram/nova-3", "cartesia/sonic-3"
SHORT = 40.0
"""Seconds that one of the short sessions lasts at most."""
PATIENCE = 60.0
"""Seconds after which a session that should be over hangs."""
LATE = 120.0
"""Seconds by which no word may come late, on a machine that has other things to do: by itself it is less than ten."""
WARM = 600.0
"""Seconds after which nothing may grow any more: pools, caches and allocators are full by then."""
SLACK = 6_000
"""Blocks of memory by which one moment may differ from another, and ..."""
SLACK_MEMORY = 8_000_000
"""... bytes."""

FAULTS = """
seed = 7
then = "repeat"

[[connection]]
step = [{ do = "reset", after = [1.0, 3.0] }]

[[connection]]
step = [{ do = "shape", latency = 0.03, jitter = 0.02 }, { do = "reset", up = [24_000, 120_000] }]

[[connection]]
step = [{ do = "end", after = [1.0, 4.0] }]

[[connection]]
step = [{ do = "garbage" }]

[[connection]]
step = [{ do = "reset", down = [5_000, 20_000] }]

[[connection]]
step = [{ do = "freeze", after = [1.0, 4.0], seconds = 1.2 }, { do = "reset", after = [0.0, 4.0] }]

[[connection]]
step = [{ do = "refuse", after = [3.0, 12.0], seconds = 1.5 }, { do = "reset" }]

[[connection]]
step = [{ do = "shape", direction = "up", bandwidth = 60_000 }, { do = "half-open", after = [3.0, 12.0], seconds = 20 }]
"""
POLICIES: dict[str, Any] = {
    "retry": ts.RetryPolicy(deadline=None, max_delay=3.0),
    "replay": ts.ReplayPolicy(speed=3.0),
    "pool": ts.PoolPolicy(max_age=20.0),
    "liveness": ts.LivenessPolicy(ping_interval=1.5, ping_timeout=1.5),
}


@dataclass
class Tally:
    """What came of it."""

    said: int = 0
    """Words of the long session."""
    words: int = 0
    sessions: int = 0
    texts: int = 0
    drops: int = 0
    latest: tuple[float, float] = (0.0, 0.0)
    """Seconds from the end of a word to its final, at the most, and when that was."""
    done: Counter[str] = field(default_factory=Counter)
    """What the proxy did, and how often."""
    held: list[tuple[float, int, int]] = field(default_factory=list)
    """From time to time: when, how many blocks and how many bytes of memory were held."""

    def tell(self, happening: Happening) -> None:
        self.done[happening.what.split(" after ")[0].split(" for ")[0]] += 1

    def growth(self, column: int) -> int:
        """By how much the least of the last fifth exceeds the least of what was held when all was warm."""
        half = [row for row in self.held if WARM / 2 <= row[0] <= WARM]
        last = [row for row in self.held if row[0] >= 0.8 * SECONDS]
        return min(row[column] for row in last) - min(row[column] for row in half)


async def chatter(tally: Tally, until: float) -> AsyncIterator[bytes]:
    """An utterance after the other, of words that never came before."""
    for number in count():
        words = " ".join(pseudoword(number * WORDS + index) for index in range(WORDS))
        async for chunk in say(0.2, words, 0.9, audio_format=FORMAT).source(chunk=0.1):
            yield chunk
        tally.said += WORDS
        if trio.current_time() >= until:
            return


async def listen_throughout(client: ts.Client, tally: Tally, until: float) -> None:
    """One session: each word that is spoken comes, once, in order and in time."""
    expected = map(pseudoword, count())
    began, told = trio.current_time(), 0
    with trio.fail_after(until + PATIENCE - began):
        async with client.transcribe(chatter(tally, until), FORMAT, model=MODEL) as transcript:
            async for event in transcript:
                if not isinstance(event, ts.FinalTranscript):
                    continue
                for word in event.words:
                    assert word.text == next(expected)
                    told += 1
                now = trio.current_time() - began
                tally.latest = max(tally.latest, (now - event.words[-1].end, now))
    statistics = transcript.statistics()
    assert told == tally.said
    assert statistics.in_gaps == statistics.unsettled == 0.0
    tally.words += told
    tally.drops += statistics.links - 1


async def listen_again_and_again(client: ts.Client, tally: Tally, until: float) -> None:
    """Short sessions, each held to all laws."""
    while (left := until - trio.current_time()) > 1.0:
        said = speech(min(left, SHORT), seed=tally.sessions, audio_format=FORMAT)
        with trio.fail_after(said.seconds + PATIENCE):
            async with client.transcribe(said.source(chunk=0.1), FORMAT, model=MODEL) as transcript:
                events = [event async for event in transcript]
        assert_exactly_once(events, said)
        assert_times_within(1, events, said)
        assert_ledger(transcript.statistics(), events, said.seconds)
        assert transcript.statistics().in_gaps == transcript.statistics().unsettled == 0.0
        tally.sessions += 1
        tally.words += len(said.words)
        tally.drops += transcript.statistics().links - 1


async def speak_again_and_again(client: ts.Client, tally: Tally, until: float) -> None:
    """Texts of two sentences, with a pause after each."""
    while trio.current_time() < until:
        words = [pseudoword(12 * tally.texts + index) for index in range(12)]
        text = f"{' '.join(words[:6])}. {' '.join(words[6:])}."
        with trio.fail_after(PATIENCE):
            async with client.synthesize(text, model=VOICE, audio_format=FORMAT) as spoken:
                chunks = [chunk async for chunk in spoken]
        assert_spoken_once(chunks, text, FORMAT.sample_rate)
        tally.texts += 1
        tally.words += len(text.split())
        tally.drops += spoken.statistics().drops
        await trio.sleep_until(min(until, trio.current_time() + 5.0))


async def take_stock(gateway: ScriptedGateway, proxy: Proxy, tally: Tally, until: float) -> None:
    """Notes what is held, and lets go of what the gateway and the proxy remember."""
    began = trio.current_time()
    while trio.current_time() < until:
        await trio.sleep_until(min(until, trio.current_time() + 10.0))
        gateway.visits[:] = gateway.open
        proxy.happenings.clear()
        gc.collect()
        tally.held.append((trio.current_time() - began, sys.getallocatedblocks(), memory()))


def memory() -> int:
    """Bytes that are resident; 0 where the system does not tell."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


@pytest.mark.timeout(SECONDS + 3 * PATIENCE)
async def test_in_real_time_nothing_is_lost_and_nothing_grows(gateway: ScriptedGateway, record_property: Any) -> None:
    gateway.manner = Manner(interim=0.5)
    gateway.delivery = Delivery(speed=3.0, variation=0.2)
    host, _, port = (await gateway.listen()).removeprefix("http://").removesuffix("/v1").partition(":")
    tally, began = Tally(), time.process_time()
    async with open_proxy((host, int(port)), read_plan(FAULTS), tell=tally.tell) as proxy:
        await soak(gateway, proxy, tally)
    for name in ("words", "drops", "sessions", "texts"):
        record_property(name, getattr(tally, name))
    print(
        f"\n{SECONDS / 60:g} min of real time, {time.process_time() - began:.0f} s of processor: {tally.words} words,"
        f" none lost or doubled, {tally.drops} drops; {tally.sessions} short sessions, {tally.texts} texts;"
        f" the latest final {tally.latest[0]:.1f} s after its last word, at {tally.latest[1]:.0f} s\n{dict(tally.done)}"
    )
    assert tally.drops > SECONDS / 10
    if SECONDS >= 2 * WARM:
        blocks, size = tally.growth(1), tally.growth(2)
        print(f"{blocks:+} blocks and {size / 1e6:+.1f} MB of memory, {tally.held[-1][2] / 1e6:.0f} MB at the end")
        assert blocks < SLACK
        assert size < SLACK_MEMORY
    assert tally.latest[0] < LATE


async def soak(gateway: ScriptedGateway, proxy: Proxy, tally: Tally) -> None:
    host, port = await proxy.listen()
    backend = ts.LiveKit(f"http://{host}:{port}/v1", "key", "a secret of thirty-two characters")
    until = trio.current_time() + SECONDS
    async with ts.open_client(backend, **POLICIES) as client, trio.open_nursery() as nursery:
        for task in (listen_throughout, listen_again_and_again, speak_again_and_again):
            nursery.start_soon(task, client, tally, until)
        nursery.start_soon(take_stock, gateway, proxy, tally, until)
