"""The telephone bridge of the examples against a scripted caller, on virtual time: what each side hears, and when."""

from __future__ import annotations

import base64
import importlib.util
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import trio_speech as ts
from trio_speech.testing import Delivery, Drop, Hear, LabeledSpeech, ScriptedGateway, hear, say

MULAW = ts.AudioFormat.mulaw()
FRAME = 0.02
EXAMPLE = Path(__file__).parents[2] / "examples" / "09_telephone_bridge.py"


@pytest.fixture(scope="module")
def bridge() -> Any:
    spec = importlib.util.spec_from_file_location("telephone_bridge", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Caller:
    """A telephone network and somebody who calls: plays `said`, hears in real time, and echoes marks when they play."""

    def __init__(self, said: LabeledSpeech) -> None:
        self.frames: list[tuple[float, bytes]] = []
        self.cleared: list[float] = []
        self.sends, self._receives = trio.open_memory_channel[str](1_000)
        self._said = said
        self._playing_until = 0.0

    async def receive(self) -> str:
        return await self._receives.receive()

    async def send(self, text: str) -> None:
        now, message = trio.current_time(), json.loads(text)
        assert message["streamSid"] == "MZ1"
        match message["event"]:
            case "media":
                frame = base64.b64decode(message["media"]["payload"])
                self.frames.append((now, frame))
                self._playing_until = max(self._playing_until, now) + len(frame) / 8_000
            case "mark":
                self.nursery.start_soon(self._echo, self._playing_until, message)
            case "clear":
                self.cleared.append(now)
        await trio.lowlevel.checkpoint()

    async def _echo(self, at: float, message: dict[str, Any]) -> None:
        await trio.sleep_until(at)
        await self.sends.send(json.dumps(message))

    async def talk(self) -> None:
        await self.sends.send(json.dumps({"event": "start", "start": {"streamSid": "MZ1"}}))
        async for frame in self._said.source(chunk=FRAME):
            media = {"payload": base64.b64encode(frame).decode()}
            await self.sends.send(json.dumps({"event": "media", "media": media}))
        await self.sends.send(json.dumps({"event": "stop"}))

    async def call(self, bridge: Any, client: ts.Client) -> None:
        async with trio.open_nursery() as self.nursery:
            self.nursery.start_soon(self.talk)
            await bridge.answer(client, self.receive, self.send)

    @property
    def heard(self) -> list[str]:
        return [word.token for word in hear(b"".join(frame for _, frame in self.frames), 0, MULAW)]


@pytest.fixture
async def client(gateway: ScriptedGateway) -> AsyncIterator[ts.Client]:
    gateway.delivery = Delivery(band="telephone", speed=4.0)
    async with gateway.client() as client:
        yield client


async def test_the_caller_hears_the_answer_in_frames_20_ms_apart(
    autojump_clock: MockClock, bridge: Any, client: ts.Client
) -> None:
    caller = Caller(say(0.3, "hello there", 6.0, audio_format=MULAW))
    await caller.call(bridge, client)
    assert " ".join(caller.heard) == "You said: hello there."
    assert {len(frame) for _, frame in caller.frames[:-1]} <= {160, *range(1, 160)}
    apart = sorted(after - before for (before, _), (after, _) in pairwise(caller.frames))
    assert apart[int(0.99 * len(apart))] < 0.03
    spoken = sum(len(frame) for _, frame in caller.frames) / 8_000
    assert caller.frames[-1][0] - caller.frames[0][0] == pytest.approx(spoken, abs=0.1)


async def test_whoever_speaks_interrupts_the_agent_within_a_frame(
    autojump_clock: MockClock, bridge: Any, client: ts.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    caller = Caller(say(0.3, "tell me a very long story now", 2.5, "stop", 6.0, audio_format=MULAW))
    await caller.call(bridge, client)
    began = caller.cleared[-1]
    assert len(caller.cleared) == 2  # once as the caller begins, once as the caller interrupts
    assert not [at for at, _ in caller.frames if began + FRAME < at < began + 0.5]
    (heard,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("the caller has heard: ")]
    text = heard.removeprefix("the caller has heard: ")
    whole = [
        word.text
        for word in hear(b"".join(frame for at, frame in caller.frames if at <= began), 0, MULAW)
        if word.whole
    ]
    assert text.split() == whole[: len(text.split())]
    assert len(whole) - len(text.split()) <= 1  # marks come every 100 ms
    assert caller.heard[-3:] == ["You", "said:", "stop."]


async def test_what_was_heard_is_told_for_each_reply(
    autojump_clock: MockClock, bridge: Any, client: ts.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    turns = ("tell me a very long story now", "a little more of it please", "stop")
    caller = Caller(say(0.3, turns[0], 8.0, turns[1], 2.5, turns[2], 6.0, audio_format=MULAW))
    await caller.call(bridge, client)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("the caller has heard: ")]
    first, second = (line.removeprefix("the caller has heard: ") for line in lines)
    assert first == f"You said: {turns[0]}."  # to the last word, as it was not interrupted
    assert f"You said: {turns[1]}.".startswith(second)
    assert len(second.split()) >= 3


async def test_a_broken_network_is_not_heard_by_the_caller(
    autojump_clock: MockClock,
    bridge: Any,
    client: ts.Client,
    gateway: ScriptedGateway,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gateway.plan(Hear(0.5), Drop())
    caller = Caller(say(0.3, "hello there", 6.0, audio_format=MULAW))
    await caller.call(bridge, client)
    assert "caller: hello there\n" in capsys.readouterr().out
    assert " ".join(caller.heard) == "You said: hello there."
