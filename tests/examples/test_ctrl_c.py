"""Ctrl-C: the first one still gives the last final, the second one does not wait for it."""

from __future__ import annotations

import importlib.util
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

from trio_speech import LivenessPolicy
from trio_speech.testing import Await, BlackHole, Freeze, Manner, ScriptedGateway, say

EXAMPLE = Path(__file__).parents[2] / "examples" / "15_ctrl_c.py"
SAID = say(0.5, "turn left", 1.0, "now and then", 5.0)
WITHIN_THE_SECOND_SENTENCE = 2.4


@pytest.fixture(scope="module")
def example() -> Any:
    spec = importlib.util.spec_from_file_location("ctrl_c", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def interrupted_source(*moments: float) -> AsyncIterator[bytes]:
    """Speech in real time, with a Ctrl-C at each of `moments`."""
    left = sorted(moments)
    at = 0.0
    for chunk in SAID.chunks(0.05):
        while left and at >= left[0]:
            signal.raise_signal(signal.SIGINT)
            left.pop(0)
        yield chunk
        at += 0.05
        await trio.sleep(0.05)
    await trio.sleep_forever()


async def press_again_after(seconds: float) -> None:
    await trio.sleep(seconds)
    signal.raise_signal(signal.SIGINT)


async def test_after_the_first_ctrl_c_the_words_before_it_are_still_recognized(
    example: Any, gateway: ScriptedGateway, autojump_clock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.manner = Manner(mid_word="cut")  # a word that Ctrl-C cuts off is not waited for
    async with gateway.client() as client:
        await example.listen(client, interrupted_source(WITHIN_THE_SECOND_SENTENCE))
    first, told, second = capsys.readouterr().out.splitlines()
    assert first.endswith("turn left")
    assert told.startswith("one moment")
    assert "now and" in second
    assert trio.current_time() < WITHIN_THE_SECOND_SENTENCE + 1.0


@pytest.mark.parametrize("fault", [BlackHole(), Freeze(60.0)], ids=["black hole", "frozen"])
async def test_the_second_ctrl_c_does_not_wait_for_a_service_that_says_nothing(
    fault: Any, example: Any, gateway: ScriptedGateway, autojump_clock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.plan(Await("final"), fault)
    async with gateway.client() as client, trio.open_nursery() as nursery:
        nursery.start_soon(press_again_after, WITHIN_THE_SECOND_SENTENCE + 0.2)
        await example.listen(client, interrupted_source(WITHIN_THE_SECOND_SENTENCE))
        assert trio.current_time() < WITHIN_THE_SECOND_SENTENCE + 0.2 + LivenessPolicy().close_timeout + 0.1
    assert "now" not in capsys.readouterr().out


async def test_ctrl_c_raises_again_once_the_session_is_over(
    example: Any, gateway: ScriptedGateway, autojump_clock: Any
) -> None:
    async with gateway.client() as client:
        await example.listen(client, interrupted_source(WITHIN_THE_SECOND_SENTENCE))
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
