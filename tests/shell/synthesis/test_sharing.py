"""Several speeches on one connection: what one reader does, or leaves undone, is nothing to the others."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import ScriptedGateway, assert_spoken_once

LONG = " ".join(f"This is sentence number {number} of a long text." for number in range(30))
SHORT = "One two three. Four five six."
BACKENDS: dict[str, Any] = {"cartesia": ts.Cartesia("key"), "elevenlabs": ts.ElevenLabs("key")}


@pytest.mark.parametrize("name", BACKENDS)
async def test_a_generation_that_nobody_reads_holds_up_no_other(gateway: ScriptedGateway, name: str) -> None:
    async with ts.open_client(gateway.in_place_of(BACKENDS[name])) as client:
        alone = await rendered(client)
        async with client.synthesize(LONG, voice="ann") as unread:
            await trio.sleep(60.0)  # all that may come of it has come, and waits
            assert await rendered(client) == pytest.approx(alone, abs=0.1)
            assert len(gateway.visits) == 1
            chunks = [chunk async for chunk in unread]
    assert_spoken_once(chunks, LONG, 24_000)


async def rendered(client: ts.Client) -> float:
    """How long the short text takes."""
    began = trio.current_time()
    async with client.synthesize(SHORT, voice="ann") as speech:
        assert_spoken_once([chunk async for chunk in speech], SHORT, 24_000)
    return trio.current_time() - began
