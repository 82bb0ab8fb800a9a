"""Transcribe a recording: one call, and every word has its time."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import trio

import trio_speech as ts

RECORDING = Path(__file__).with_name("recording.wav")
FORMAT = ts.AudioFormat.pcm16(16_000)


async def recorded() -> AsyncIterator[bytes]:
    with wave.open(str(RECORDING)) as recording:
        while audio := recording.readframes(FORMAT.samples(1.0)):
            yield audio


async def main() -> None:
    async with ts.open_client(ts.Local()) as client:
        recognition = await client.recognize(recorded(), FORMAT)

    print(recognition.text)
    for word in recognition.words:
        print(f"{word.start:6.2f} to {word.end:5.2f} s  {word.text}")


trio.run(main)
