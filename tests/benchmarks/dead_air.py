"""How long nothing is heard after a fault, over real TCP through the fault proxy, with default policies.

    python tests/benchmarks/dead_air.py [RUNS [ROW ...]]

Recognition: from the fault until the first word of audio that was captured after it. Speech: from the request, or from
the end of the audio that had been handed over, until the next audio. Bytes take 10 ms each way unless a row says more.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from statistics import median, quantiles
from urllib.parse import urlsplit

import trio

import trio_speech as ts
from trio_speech.testing.assertions import assert_exactly_once
from trio_speech.testing.fault_proxy import ProxyPlan, open_proxy
from trio_speech.testing.fault_proxy.plan import FreezeConnection, HalfOpen, RefuseDials, Reset, Schedule, Shape, Step
from trio_speech.testing.scripted.faults import Fault, Hang, Hear
from trio_speech.testing.scripted.gateway import ScriptedGateway, open_gateway
from trio_speech.testing.scripted.synthesizer import Delivery
from trio_speech.testing.speech import LabeledSpeech, speech

RUNS, AT_ONCE = 20, 2
AFTER = 4.8
"""Seconds from the first connection to the fault: in the middle of a word."""
# More at once would measure the recognizer of the scripted gateway, which shares the core with the client.
NEAR = Shape(latency=0.01)
WILD = Shape(latency=0.025, jitter=0.425, loss=0.05, resend_after=1.0)
"""Round trips of 50 to 900 ms at random, and 5 % of the packets lost: all behind a lost one wait until it is resent."""
SEEDS = count()
"""No two runs over a wild network are alike."""
PLAYED = ts.AudioFormat.pcm16(24_000)
VOICE = Delivery(speed=4.0)

Measured = Callable[[], Awaitable[float]]


class Weather(ProxyPlan, frozen=True, kw_only=True):
    """The first connection meets `fault`; what is opened within `lasts` seconds of that meets the same outage."""

    shape: Shape = NEAR
    fault: tuple[Step, ...] = ()
    lasts: float = 0.0
    others: str = "pass"
    started: list[float]

    def schedule(self, number: int, now: float) -> Schedule:
        self.started.append(now)
        left = self.started[0] + AFTER + self.lasts - now
        steps: tuple[Step, ...] = (self.shape,)
        if number == 1:
            steps += self.fault
        elif left > 0 and self.others == "freeze":
            steps += (FreezeConnection(seconds=left),)
        elif left > 0 and self.others == "swallow":
            steps += (HalfOpen(),)
        return Schedule(steps, self.random(number, "steps"), now)


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


def backend(address: tuple[str, int]) -> ts.Backend:
    return ts.LiveKit(f"http://{address[0]}:{address[1]}/v1", "key", "a secret that is long enough for its purpose")


async def recognition(
    weather: Callable[[], Weather], *, after: float = AFTER, of_the_service: tuple[Fault, ...] = ()
) -> float:
    said, plan = speech(40.0), weather()
    async with open_gateway() as gateway:
        gateway.plan(*((Hear(after), *of_the_service) if of_the_service else ()))
        return await _silence_of(gateway, said, plan, after)


async def _silence_of(gateway: ScriptedGateway, said: LabeledSpeech, plan: Weather, after: float) -> float:
    async with (
        open_proxy(address_of(await gateway.listen()), plan) as proxy,
        ts.open_client(backend(await proxy.listen())) as client,
        client.transcribe(said.source(), said.audio_format, model="deepgram/nova-3") as transcript,
    ):
        began = trio.current_time()
        async for event in transcript:
            told = isinstance(event, (ts.InterimTranscript, ts.FinalTranscript)) and event.text
            fault = (plan.started[0] if plan.started and after else began) + after
            if told and trio.current_time() > fault and event.end > fault - began:  # type: ignore[union-attr]
                return trio.current_time() - fault
    raise SystemExit("nothing was heard any more")


async def needless_dials(weather: Callable[[], Weather], *, minutes: float = 2.0) -> float:
    """How many connections besides the first are dialed a minute, though none is dead. Raises where words are wrong."""
    said, plan = speech(60.0 * minutes), weather()
    async with (
        open_gateway() as gateway,
        open_proxy(address_of(await gateway.listen()), plan) as proxy,
        ts.open_client(backend(await proxy.listen())) as client,
        client.transcribe(said.source(), said.audio_format, model="deepgram/nova-3") as transcript,
    ):
        assert_exactly_once([event async for event in transcript], said, gateway.visits)
    return (len(plan.started) - 1) / minutes


async def first_audio(weather: Callable[[], Weather]) -> float:
    """The first audio from a pool whose connection has been idle for a while."""
    async with (
        open_gateway(delivery=VOICE) as gateway,
        open_proxy(address_of(await gateway.listen()), weather()) as proxy,
        ts.open_client(backend(await proxy.listen())) as client,
    ):
        await client.render("Hello.")
        await trio.sleep(AFTER + 0.5)
        asked = trio.current_time()
        async with client.synthesize("And here it goes on.") as spoken:
            async for _ in spoken:
                return trio.current_time() - asked
    raise SystemExit("nothing was said")


async def silence_in_audio(weather: Callable[[], Weather]) -> float:
    """For how long a player that plays what it gets has nothing to play, at most."""
    text = " ".join(f"This is sentence number {number} of a long story." for number in range(12))
    async with (
        open_gateway(delivery=Delivery(speed=1.2)) as gateway,
        open_proxy(address_of(await gateway.listen()), weather()) as proxy,
        ts.open_client(backend(await proxy.listen())) as client,
        client.synthesize(text, audio_format=PLAYED) as spoken,
    ):
        plays_until, longest, began = -1.0, 0.0, trio.current_time()
        async for chunk in spoken:
            now = trio.current_time()
            if plays_until > 0.0:
                longest = max(longest, now - plays_until)
            plays_until = max(plays_until, now) + PLAYED.seconds(len(chunk.audio) // PLAYED.frame_size)
            if now > began + AFTER + 12.0:
                break
    return longest


ROWS: dict[str, tuple[float | None, Measured]] = {
    "healthy": (None, partial(recognition, lambda: Weather(started=[]))),
    "reset in mid-word": (0.5, partial(recognition, lambda: Weather(fault=(Reset(after=AFTER),), started=[]))),
    "half-open in mid-word": (2.5, partial(recognition, lambda: Weather(fault=(HalfOpen(after=AFTER),), started=[]))),
    "half-open in a wild network": (
        5.0,
        partial(recognition, lambda: Weather(shape=WILD, fault=(HalfOpen(after=AFTER),), started=[], seed=next(SEEDS))),
    ),
    "recognizer that hangs, pongs flow": (
        8.0,
        partial(recognition, lambda: Weather(started=[]), of_the_service=(Hang(),)),
    ),
    "needless dials a minute in a wild network": (
        0.5,
        partial(needless_dials, lambda: Weather(shape=WILD, started=[], seed=next(SEEDS))),
    ),
    "4 s stall of that connection alone": (
        2.5,
        partial(recognition, lambda: Weather(fault=(FreezeConnection(after=AFTER, seconds=4.0),), started=[])),
    ),
    "all paths stalled for 3 s": (
        4.0,
        partial(
            recognition,
            lambda: Weather(
                fault=(FreezeConnection(after=AFTER, seconds=3.0),), lasts=3.0, others="freeze", started=[]
            ),
        ),
    ),
    "handshake never answered": (
        2.0,
        partial(recognition, lambda: Weather(fault=(HalfOpen(),), started=[]), after=0.0),
    ),
    "3 s outage, dials refused": (
        3.5,
        partial(
            recognition, lambda: Weather(fault=(RefuseDials(after=AFTER, seconds=3.0), Reset(after=0.0)), started=[])
        ),
    ),
    "3 s outage, dials swallowed": (
        4.5,
        partial(recognition, lambda: Weather(fault=(HalfOpen(after=AFTER),), lasts=3.0, others="swallow", started=[])),
    ),
    "healthy pooled connection": (None, partial(first_audio, lambda: Weather(started=[]))),
    "half-open pooled connection": (
        0.85,
        partial(first_audio, lambda: Weather(fault=(HalfOpen(after=AFTER),), started=[])),
    ),
    "half-open in mid-audio": (
        1.0,
        partial(silence_in_audio, lambda: Weather(fault=(HalfOpen(after=AFTER),), started=[])),
    ),
}


async def measure(row: Measured, runs: int) -> list[float]:
    taken: list[float] = []
    places = trio.CapacityLimiter(AT_ONCE)

    async def one(number: int) -> None:
        await trio.sleep(2.6 * (number % AT_ONCE))  # so that faults of several runs do not meet
        async with places:
            taken.append(await row())

    async with trio.open_nursery() as nursery:
        for number in range(runs):
            nursery.start_soon(one, number)
    return sorted(taken)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    wanted = sys.argv[2:]
    print(f"{runs} runs, in s                            aim    median     p95   worst")
    for name, (aim, row) in ROWS.items():
        if wanted and not any(part in name for part in wanted):
            continue
        taken = trio.run(measure, row, runs)
        p95 = quantiles(taken, n=20)[18] if runs > 1 else taken[0]
        print(
            f"{name:40} {'' if aim is None else f'{aim:4.1f}':>4} {median(taken):9.2f} {p95:7.2f} {taken[-1]:7.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
