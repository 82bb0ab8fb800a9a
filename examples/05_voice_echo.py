"""The loop of every voice agent: audio in, text, a reply, audio out. This one replies with what it heard.

Each reply is a synthesis of its own. The client keeps the connections open, so that costs no dial, and `spoken()` tells
what was said in this reply alone.
"""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import trio

import trio_speech as ts

RECORDING = Path(__file__).with_name("recording.wav")
FORMAT = ts.AudioFormat.pcm16(16_000)


async def microphone() -> AsyncIterator[bytes]:
    """Stands in for a real one: the recording, 50 ms at a time, as fast as it was spoken."""
    with wave.open(str(RECORDING)) as recording:
        while audio := recording.readframes(FORMAT.samples(0.05)):
            yield audio
            await trio.sleep(0.05)


async def play(speech: ts.Speech) -> None:
    """Stands in for a loudspeaker."""
    async for chunk in speech:
        print(f"playing:  {len(chunk.audio)} bytes")
    print(f"said:     {speech.spoken()}")


async def say(client: ts.Client, text: str) -> None:
    """One reply. `text` may also be what a language model streams: an async iterable of its tokens."""
    async with client.synthesize(text) as speech:
        await play(speech)


async def say_pushed(client: ts.Client, tokens: Iterable[str]) -> None:
    """The same where the program holds the tokens itself, and pushes them."""
    async with client.synthesize() as speech, trio.open_nursery() as nursery:
        nursery.start_soon(play, speech)
        for token in tokens:
            await speech.send(token)
        speech.end_input()


async def main() -> None:
    async with ts.open_client(ts.Local()) as client:
        await say_pushed(client, ["I am ", "listening", "."])
        async with client.transcribe(microphone(), FORMAT) as transcript:
            async for event in transcript:
                if isinstance(event, ts.FinalTranscript):
                    print(f"heard:    {event.text}")
                    await say(client, f"You said: {event.text}.")


trio.run(main)
