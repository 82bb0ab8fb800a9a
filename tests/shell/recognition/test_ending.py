"""How soon a session is over once its input has ended, wherever in a word or pause that is."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from msgspec.structs import replace

import trio_speech as ts
from trio_speech.testing import Manner, open_gateway, say

SAID = say(0.5, "turn left", 1.0, "now and then", 5.0)
ENDS = [end / 20 for end in range(9, 75, 3)]
"""In the silence before, between and behind words, at their edges and in the midst of each."""
MANNERS = {
    "holds a torn word back": Manner(mid_word="hold"),
    "tells a torn word": Manner(),
    "without word times": Manner(word_times=False),
}


async def over_after(manner: Manner, end: float) -> float:
    """Seconds from the end of the input to the end of the session."""
    async with open_gateway(manner=manner) as gateway, gateway.client() as client:
        audio = SAID.audio[: 2 * round(end * SAID.audio_format.sample_rate)]
        async with client.transcribe(None, SAID.audio_format) as told, trio.open_nursery() as nursery:
            nursery.start_soon(_speak, told, audio)
            async for _ in told:
                pass
    return trio.current_time() - end


async def _speak(told: ts.Transcript, audio: bytes) -> None:
    step = SAID.audio_format.samples(0.05) * 2
    for at in range(0, len(audio), step):
        await trio.sleep(0.05)
        await told.send(audio[at : at + step])
    told.end_input()


@pytest.mark.parametrize("manner", MANNERS.values(), ids=MANNERS)
async def test_it_is_over_within_the_answer_and_half_a_second(autojump_clock: Any, manner: Manner) -> None:
    began = trio.current_time()
    taken = {}
    for end in ENDS:
        taken[end] = await over_after(manner, end) - began
        began = trio.current_time()
    assert {end: after for end, after in taken.items() if after > 0.6} == {}


@pytest.mark.parametrize("cap", [6.0, 8.0, 15.0, 30.0])
async def test_links_that_end_before_patience_does_are_not_replaced_without_end(
    autojump_clock: Any, cap: float
) -> None:
    silent = Manner(finalized="never")
    profile = replace(silent.profile(), session_cap=cap)
    async with open_gateway(manner=silent) as gateway, ts.open_client(gateway.backend(profile)) as client:
        with trio.fail_after(2 * 10.0 + 15.0):
            await client.recognize(SAID, SAID.audio_format)
