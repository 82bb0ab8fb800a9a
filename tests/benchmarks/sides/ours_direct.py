"""trio_speech with the backend of one provider, as its users write it; the task is the provider's name."""

# ruff: noqa: ASYNC110  # a look every so often disturbs what is measured less than a wake-up would

from __future__ import annotations

from typing import Any

import trio
from load import KEY, RATE, Load, Told, Window, asked, noise, tell
from ours import clock, measured

import trio_speech as ts

BACKENDS: dict[str, type[Any]] = {"deepgram": ts.Deepgram, "elevenlabs": ts.ElevenLabs, "openai": ts.OpenAI}
OPTIONS: dict[str, dict[str, Any]] = {"openai": {"turn_detection": {"type": "server_vad"}}}
RATES = {"openai": 24_000}


async def recognize(load: Load) -> Told:
    """Pushes in real time, by one clock for all streams."""
    base = load.url if load.task == "openai" else load.url.removesuffix("/v1")
    backend = BACKENDS[load.task](KEY, url=base)
    rate = RATES.get(load.task, RATE)
    async with ts.open_client(backend) as client, trio.open_nursery() as nursery:
        transcripts: list[ts.Transcript] = []

        async def stream() -> None:
            asked_for = {"audio_format": ts.AudioFormat.pcm16(rate), "options": OPTIONS.get(load.task, {})}
            async with client.transcribe(**asked_for) as transcript:
                transcripts.append(transcript)
                async for event in transcript:
                    finals.append(event) if isinstance(event, ts.FinalTranscript) else None

        finals: list[ts.FinalTranscript] = []
        for _ in range(load.streams):
            nursery.start_soon(stream)
        while sum(transcript.statistics().links for transcript in transcripts) < load.streams:
            await trio.sleep(0.05)
        window = Window(load, trio.current_time())
        nursery.start_soon(clock, transcripts, noise(rate, load.push), window, load.push)
        await measured(window)
        window.told.extra["finals"] = len(finals)
        nursery.cancel_scope.cancel()
    return window.told


if __name__ == "__main__":
    load = asked()
    tell(trio.run(recognize, load))
