"""How soon a voice is heard that speaks faster than real time: ``python -m tests.benchmarks.first_audio``.

The scripted gateway speaks at a multiple of real time, on virtual time, over a connection that is open. Told are the
time from `synthesize` to the first chunk, and how long a player that plays each chunk at once runs dry after it.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import trio
from trio.testing import MockClock

import trio_speech as ts
from trio_speech._core.synthesis.resume import Resume
from trio_speech.testing import Delivery, open_gateway

FORMAT = ts.AudioFormat.pcm16(24_000)
TEXT = "Absolutely everybody wants something, and I do too. That is all."
MODES: tuple[Resume, ...] = ("word", "segment", "restart", "never", "eager")
VOICES: dict[str, dict[str, Any]] = {
    "aligned": {"chunk": 0.02},
    "not aligned": {"chunk": 0.02, "alignment": None, "variation": 0.3},
}


async def measure(voice: str, speed: float, resume: Resume) -> tuple[float, float]:
    """Seconds until the first chunk, and seconds of silence after it."""
    async with open_gateway(delivery=Delivery(**VOICES[voice], speed=speed)) as gateway, gateway.client() as client:
        await client.prewarm(audio_format=FORMAT)
        began = trio.current_time()
        first, silent, ends = None, 0.0, 0.0
        async with client.synthesize(TEXT, audio_format=FORMAT, resume=resume) as speech:
            async for chunk in speech:
                now = trio.current_time()
                first, silent = (now, 0.0) if first is None else (first, silent + max(0.0, now - ends))
                ends = max(ends, now) + FORMAT.seconds(len(chunk.audio) // FORMAT.frame_size)
        return (first or began) - began, silent


def main() -> None:
    print("voice         speed  resume    first audio   silence after it")
    for voice, speed, resume in product(VOICES, (3.0, 10.0), MODES):
        first, silent = trio.run(measure, voice, speed, resume, clock=MockClock(autojump_threshold=0))
        print(f"{voice:12} {speed:4g} x   {resume:8} {1_000 * first:8.1f} ms {1_000 * silent:15.1f} ms")


if __name__ == "__main__":
    main()
