"""Speak while a language model is still writing: tokens in, audio out, a sentence behind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import trio

import trio_speech as ts

ANSWER = "It was a cold and rainy night in November. She wants to buy a new car. The bus was late again today."


async def language_model() -> AsyncIterator[str]:
    """Stands in for a real one: three letters at a time."""
    for at in range(0, len(ANSWER), 3):
        yield ANSWER[at : at + 3]
        await trio.sleep(0.01)


async def main() -> None:
    async with (
        ts.open_client(ts.Local()) as client,
        client.synthesize(language_model()) as speech,
    ):
        async for chunk in speech:  # hand chunk.audio to a loudspeaker here
            words = " ".join(word.text for word in chunk.words)
            print(f"{chunk.start:6.2f} s  segment {chunk.segment}, {len(chunk.audio)} bytes  {words}")
        print(f"said: {speech.spoken()}")


trio.run(main)
