"""Barge-in: as soon as somebody speaks, the agent falls silent, and knows to the word how far it had come.

Each reply is a synthesis of its own, so a cancel scope ends it, and `spoken(at=)` tells what was heard of it. A program
that pushes many replies into one synthesis calls `speech.clear(heard=...)` instead: see `in_one_session`.
"""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import trio

import trio_speech as ts

RECORDING = Path(__file__).with_name("recording.wav")
FORMAT = ts.AudioFormat.pcm16(16_000)
STORY = "There are seven days in a week. " * 20


class Loudspeaker:
    """Stands in for a real one: it takes as long to play a chunk as the chunk lasts, and knows how far it is."""

    played = 0.0

    async def play(self, speech: ts.Speech) -> None:
        async for chunk in speech:
            seconds = len(chunk.audio) / 48_000  # 16 bits at 24 kHz
            began = trio.current_time()
            try:
                await trio.sleep(seconds)
            finally:
                self.played = chunk.start + min(seconds, trio.current_time() - began)


async def microphone(loudspeaker: Loudspeaker) -> AsyncIterator[bytes]:
    """Stands in for a real one: somebody listens for three seconds, then interrupts."""
    while loudspeaker.played < 3:
        yield bytes(FORMAT.samples(0.05) * FORMAT.frame_size)
        await trio.sleep(0.05)
    with wave.open(str(RECORDING)) as recording:
        while audio := recording.readframes(FORMAT.samples(0.05)):
            yield audio
            await trio.sleep(0.05)


async def reply(client: ts.Client, text: str, loudspeaker: Loudspeaker, interrupted: trio.CancelScope) -> None:
    """Speaks until it is done, or `interrupted` is cancelled."""
    with interrupted:
        async with client.synthesize(text) as speech:
            try:
                await loudspeaker.play(speech)
            finally:
                if interrupted.cancel_called:
                    print(f"interrupted after: {speech.spoken(at=loudspeaker.played)}")


async def in_one_session(speech: ts.Speech, loudspeaker: Loudspeaker, text: str) -> str:
    """Push mode: drops what is being spoken, and speaks `text` instead. Returns what was heard before."""
    heard = speech.clear(heard=loudspeaker.played)
    await speech.send(text)
    speech.flush()
    return heard


async def main() -> None:
    loudspeaker, interrupted = Loudspeaker(), trio.CancelScope()
    async with (
        ts.open_client(ts.Local()) as client,
        client.transcribe(microphone(loudspeaker), FORMAT) as transcript,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(reply, client, STORY, loudspeaker, interrupted)
        async for event in transcript:
            match event:
                case ts.SpeechStarted():
                    interrupted.cancel()
                case ts.FinalTranscript(text=text):
                    print(f"heard: {text}")
                    break
                case _:
                    pass


trio.run(main)
