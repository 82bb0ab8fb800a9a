"""Timeouts are cancel scopes, as everywhere in trio. What was heard by then is yours, and so is the audio since."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import trio

import trio_speech as ts

RECORDING = Path(__file__).with_name("recording.wav")
FORMAT = ts.AudioFormat.pcm16(16_000)


async def microphone() -> AsyncIterator[bytes]:
    """Stands in for somebody who does not stop talking: the recording, over and over."""
    with wave.open(str(RECORDING)) as recording:
        while True:
            recording.rewind()
            while audio := recording.readframes(FORMAT.samples(0.05)):
                yield audio
                await trio.sleep(0.05)


async def main() -> None:
    async with ts.open_client(ts.Local()) as client:
        async with client.transcribe(microphone(), FORMAT) as transcript:
            with trio.move_on_after(30) as patience:
                async for event in transcript:
                    if isinstance(event, ts.FinalTranscript):
                        print(event.text)
                        patience.deadline = trio.current_time() + 1  # from now on, a second without a final is enough
        start, audio = transcript.unacknowledged()
        seconds = FORMAT.seconds(len(audio) // FORMAT.frame_size)
        print(f"time is up: what was said from {start:.1f} s on, {seconds:.1f} s of audio, is still to be recognized")

        try:
            with trio.fail_after(0.001):
                await client.render("This takes longer than a millisecond.")
        except trio.TooSlowError:
            print("too slow: nothing was said")


trio.run(main)
