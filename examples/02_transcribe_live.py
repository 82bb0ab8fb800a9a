"""Transcribe while somebody speaks: guesses at once, finals when they are certain, and news of the connection."""

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


async def main() -> None:
    async with (
        ts.open_client(ts.Local()) as client,
        client.transcribe(microphone(), FORMAT) as transcript,
    ):
        async for event in transcript:
            match event:
                case ts.SpeechStarted(start=start):
                    print(f"{start:6.2f} s  (somebody speaks)")
                case ts.InterimTranscript(text=text):
                    print(f"          {text} …")
                case ts.FinalTranscript(text=text, start=start):
                    print(f"{start:6.2f} s  {text}")
                case ts.Gap(start=start, end=end):
                    print(f"{start:6.2f} s  ({end - start:.1f} s could not be recognized)")
                case ts.LinkLost(cause=cause, retry_in=retry_in):
                    print(f"          ({cause}: the next attempt in {retry_in:.1f} s; keep talking)")
                case _:
                    pass


trio.run(main)
