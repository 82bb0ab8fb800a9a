"""The loop of every voice agent: audio in, text, a reply, audio out. This one replies with what it heard."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
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


async def main() -> None:
    async with (
        ts.open_client(ts.Local()) as client,
        client.transcribe(microphone(), FORMAT) as transcript,
        client.synthesize() as speech,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(play, speech)
        async for event in transcript:
            if isinstance(event, ts.FinalTranscript):
                print(f"heard:    {event.text}")
                await speech.send(f"You said: {event.text} ")
                speech.flush()
        speech.end_input()


trio.run(main)
