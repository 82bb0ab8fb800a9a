"""cartesia, unmodified, as its users write it: one connection that stays open, a context for each text."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from cartesia import AsyncCartesia
from load import KEY, SOMEBODY, SPEAKS, Load, Told, asked, tell

SETTINGS: dict[str, Any] = {
    "model_id": SPEAKS,
    "voice": {"mode": "id", "id": SOMEBODY},
    "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000},
    "language": "en",
    "add_timestamps": True,
    "max_buffer_delay_ms": 0,
}


async def speak(load: Load) -> Told:
    """As fast as it comes, one after the other on a pooled connection."""
    told = Told()
    client = AsyncCartesia(api_key=KEY, websocket_base_url=load.websocket)
    async with client.tts.websocket_connect() as connection:
        await one_speech(connection, load)
        cpu = time.process_time()
        for _ in range(load.streams):
            first, seconds = await one_speech(connection, load)
            told.latencies.append(first)
            told.audio += seconds
        told.cpu = time.process_time() - cpu
    return told


async def one_speech(connection: Any, load: Load) -> tuple[float, float]:
    """Seconds until the first audio, and of audio."""
    began, first, heard = time.perf_counter(), 0.0, 0
    context = connection.context(**SETTINGS)
    await context.push(load.text)
    await context.no_more_inputs()
    async for event in context.receive():
        if event.type == "chunk":
            first = first or time.perf_counter() - began
            heard += len(event.audio)
    return first, heard / 48_000


if __name__ == "__main__":
    load = asked()
    tell(asyncio.run(globals()[load.task](load)))
