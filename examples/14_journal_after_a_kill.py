"""A process is killed in the middle of a call; the next one goes on where it stopped, by the journal of the first.

Finals are stored by their id, so that one which was read just before the kill is not stored twice.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import trio

import trio_speech as ts

RECORDING = Path(__file__).with_name("recording.wav")
FORMAT = ts.AudioFormat.pcm16(16_000)
JOURNAL = Path("call.journal")


async def microphone() -> AsyncIterator[bytes]:
    with wave.open(str(RECORDING)) as recording:
        while audio := recording.readframes(FORMAT.samples(0.05)):
            yield audio


async def call() -> None:
    """Transcribes, and is killed once the first sentence is there."""
    async with (
        ts.open_client(ts.Local()) as client,
        client.transcribe(microphone(), FORMAT, journal=JOURNAL) as transcript,
    ):
        async for event in transcript:
            if isinstance(event, ts.FinalTranscript):
                print(f"before the kill: {event.id} {event.text}", flush=True)
                os.kill(os.getpid(), signal.SIGKILL)


async def go_on() -> None:
    """Recognizes what the killed process had captured."""
    async with ts.open_client(ts.Local()) as client, client.resume_journal(JOURNAL) as transcript:
        transcript.end_input()  # or go on sending
        async for event in transcript:
            if isinstance(event, ts.FinalTranscript):
                print(f"after the kill: {event.id} {event.text}")


if __name__ == "__main__":
    if sys.argv[1:] == ["call"]:
        trio.run(call)
    else:
        JOURNAL.unlink(missing_ok=True)
        killed = subprocess.run([sys.executable, __file__, "call"], check=False)
        print(f"the first process ended by signal {-killed.returncode}")
        trio.run(go_on)
        JOURNAL.unlink()
