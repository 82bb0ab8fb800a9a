"""Each operation is cancelled at every moment of its life, one run for each, and then nothing of it is left: no task,
no connection, no permit, no lease, no file; and the client does what it is asked next.

A moment is a step of any task at all while the operation is under way, its own and those of the client and the service.
``TRIO_SPEECH_CANCEL_EVERY=1`` takes them one by one; otherwise all steps of the task that is cancelled are taken, and
a few of the others, here and there.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

import trio_speech as ts
from trio_speech.gateway import open_local_gateway
from trio_speech.testing import Drop, Hear, Speak, open_gateway, say

from ..gateway.conftest import CountingRecognizer, SpellingVoice, dial_on

EVERY = int(os.environ.get("TRIO_SPEECH_CANCEL_EVERY", "0"))
RUNS = 6
SAID = say(0.05, "one two", 0.05, letter=0.01, gap=0.01)
TEXT = "One. Two."
LIVENESS = ts.LivenessPolicy(close_timeout=1.0)

Scenario = Callable[[ts.Client, Path], Awaitable[None]]


class Steps(trio.abc.Instrument):
    """Counts the steps of tasks, from `begin` on; with the one numbered `at` it cancels."""

    def __init__(self, at: int | None, *, own: bool) -> None:
        self.count = 0
        self._at = at
        self._own = own
        self._task: trio.lowlevel.Task | None = None
        self._scope = trio.CancelScope()

    def begin(self) -> trio.CancelScope:
        self._task = trio.lowlevel.current_task()
        return self._scope

    def end(self) -> None:
        self._task = None

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._task is None or (self._own and task is not self._task):
            return
        self.count += 1
        if self.count == self._at:
            self._scope.cancel()


def tasks() -> int:
    root = trio.lowlevel.current_root_task()
    waiting, found = [root], 0
    while waiting:
        task = waiting.pop()
        found += 1
        waiting += [child for nursery in (task.child_nurseries if task else ()) for child in nursery.child_tasks]
    return found


def files() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0


# ---------------------------------------------------------------- what is done


async def transcribe_a_source(client: ts.Client, path: Path) -> None:
    async with client.transcribe(SAID) as transcript:
        async for _ in transcript:
            pass


async def transcribe_what_is_sent(client: ts.Client, path: Path) -> None:
    async with client.transcribe(model="deepgram/nova-3") as transcript:
        await transcript.send(SAID.audio)
        transcript.update(keyterms=["two"])
        transcript.finalize()
        await transcript.settled()
        await transcript.send(SAID.audio)
        transcript.end_input()
        async for _ in transcript:
            pass


async def leave_a_transcript(client: ts.Client, path: Path) -> None:
    async with client.transcribe(SAID) as transcript:
        await transcript.__anext__()


async def recognize(client: ts.Client, path: Path) -> None:
    await client.recognize(SAID)


async def keep_a_journal(client: ts.Client, path: Path) -> None:
    async with client.transcribe(journal=path) as transcript:
        await transcript.send(SAID.audio)
    async with client.resume_journal(path) as transcript:
        transcript.end_input()
        async for _ in transcript:
            pass


async def synthesize_a_text(client: ts.Client, path: Path) -> None:
    async with client.synthesize(TEXT) as speech:
        async for _ in speech:
            pass


async def synthesize_what_is_sent(client: ts.Client, path: Path) -> None:
    async def tokens() -> AsyncIterator[str]:
        for token in ("One", ". Tw", "o."):
            await trio.sleep(0.01)
            yield token

    async with client.synthesize(tokens()) as speech:
        async for _ in speech:
            pass
    async with client.synthesize() as speech:
        await speech.send("One. Tw")
        speech.flush()
        await speech.send("o.")
        speech.end_input()
        async for _ in speech:
            pass


async def interrupt_speech(client: ts.Client, path: Path) -> None:
    async with client.synthesize() as speech:
        await speech.send(TEXT)
        speech.flush()
        await speech.__anext__()
        speech.clear()
        speech.spoken()
        await speech.send("Three.")
        speech.end_input()
        async for _ in speech:
            pass


async def render(client: ts.Client, path: Path) -> None:
    await client.render(TEXT)


async def prewarm(client: ts.Client, path: Path) -> None:
    await client.prewarm(2)


async def both_at_once(client: ts.Client, path: Path) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.render, TEXT)
        nursery.start_soon(client.recognize, SAID)


WHOLE = [
    transcribe_a_source,
    transcribe_what_is_sent,
    leave_a_transcript,
    recognize,
    keep_a_journal,
    synthesize_a_text,
    synthesize_what_is_sent,
    interrupt_speech,
    render,
    prewarm,
    both_at_once,
]
BROKEN = {
    transcribe_a_source: [Hear(0.05), Drop()],
    keep_a_journal: [Hear(0.05), Drop(), Hear(0.05), Drop()],
    synthesize_a_text: [Speak(0.1), Drop()],
}


# ---------------------------------------------------------------- what must be so afterwards


async def assert_nothing_is_left(client: ts.Client) -> None:
    await trio.sleep(3.0)
    statistics = client.statistics()
    busy = (statistics.leased, statistics.dialing, statistics.draining, statistics.waiting)
    assert busy == (0, 0, 0, 0), statistics
    assert not any(endpoint.breaker.dialing for endpoint in client._network._endpoints.values())


async def assert_still_of_use(client: ts.Client) -> None:
    clip = await client.render("Again.")
    assert [word.text.strip() for word in clip.words] == ["Again."]
    assert (await client.recognize(SAID)).text == "one two"


async def one_life(steps: Steps, scenario: Scenario, plan: list[object], path: Path) -> None:
    async with open_gateway() as gateway:
        gateway.plan(*plan)
        before = tasks()
        async with gateway.client(liveness=LIVENESS) as client:
            with steps.begin():
                await scenario(client, path)
            steps.end()
            await assert_nothing_is_left(client)
            await assert_still_of_use(client)
        await trio.sleep(1.0)
        assert tasks() == before
        assert gateway.open == []


async def a_whole_life(steps: Steps, scenario: Scenario, plan: list[object], path: Path) -> None:
    """The same, but that the client itself is cancelled with it."""
    async with open_gateway() as gateway:
        gateway.plan(*plan)
        before = tasks()
        with steps.begin():
            async with gateway.client(liveness=LIVENESS) as client:
                await scenario(client, path)
        steps.end()
        await trio.sleep(3.0)
        assert tasks() == before
        assert gateway.open == []


async def services_and_all(steps: Steps, scenario: Scenario, plan: list[object], path: Path) -> None:
    """The same, but that the service is cancelled with it."""
    before = tasks()
    with steps.begin():
        async with open_gateway() as gateway, gateway.client(liveness=LIVENESS) as client:
            await scenario(client, path)
    steps.end()
    assert tasks() == before


async def the_embedded_gateway(steps: Steps, scenario: Scenario, plan: list[object], path: Path) -> None:
    before, recognizer = tasks(), CountingRecognizer()
    with steps.begin():
        async with open_local_gateway(recognizer=recognizer, voice=SpellingVoice()) as connect:
            async with dial_on(connect, "/v1/stt") as wire:
                await wire.send("session.create")
                await wire.receive()
            async with dial_on(connect, "/v1/tts") as wire:
                await wire.send("session.create")
                await wire.send("input_transcript", transcript="one two")
                await wire.receive_until("output_audio")
    steps.end()
    assert tasks() == before
    assert recognizer.open_now == 0


Life = Callable[[Steps, Scenario, list[object], Path], Awaitable[None]]


def run(life: Life, scenario: Scenario, plan: list[object], folder: Path, at: int | None, *, own: bool) -> int:
    trio._core._run._r.seed(1)
    random.seed(1)
    steps, path, open_before = Steps(at, own=own), folder / "journal", files()
    path.unlink(missing_ok=True)
    try:
        trio.run(life, steps, scenario, plan, path, clock=MockClock(autojump_threshold=0), instruments=[steps])
        assert files() == open_before, "a file is left open"
    except BaseException as error:
        error.add_note(f"{life.__name__}, {scenario.__name__}: cancelled at step {at}, {own=}")
        raise
    return steps.count


def cancel_everywhere(life: Life, scenario: Scenario, plan: list[object], folder: Path) -> None:
    for own in (True, False):
        total = run(life, scenario, plan, folder, None, own=own)
        assert total > 0
        every = 1 if own else EVERY or -(-total // RUNS)
        for at in range(1, total + 1, every):
            run(life, scenario, plan, folder, at, own=own)


@pytest.mark.parametrize("scenario", WHOLE, ids=lambda scenario: scenario.__name__)
def test_an_operation_can_be_cancelled_at_every_step(scenario: Scenario, tmp_path: Path) -> None:
    cancel_everywhere(one_life, scenario, [], tmp_path)


@pytest.mark.parametrize("scenario", BROKEN, ids=lambda scenario: scenario.__name__)
def test_an_operation_that_reconnects_can_be_cancelled_at_every_step(scenario: Scenario, tmp_path: Path) -> None:
    cancel_everywhere(one_life, scenario, BROKEN[scenario], tmp_path)


@pytest.mark.parametrize("scenario", [transcribe_a_source, synthesize_a_text], ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize("life", [a_whole_life, services_and_all])
def test_a_client_can_be_cancelled_at_every_step(life: Life, scenario: Scenario, tmp_path: Path) -> None:
    cancel_everywhere(life, scenario, [], tmp_path)


def test_the_embedded_gateway_can_be_cancelled_at_every_step(tmp_path: Path) -> None:
    cancel_everywhere(the_embedded_gateway, recognize, [], tmp_path)
