"""Push mode: without a source, audio is sent as it comes, such as from a callback or another socket.

Say `end_input` when there is no more: without it, the session waits for more audio for ever.
"""

from __future__ import annotations

import wave
from pathlib import Path

import trio

import trio_speech as ts

RECORDING = Path(__file__).with_name("recording.wav")
FORMAT = ts.AudioFormat.pcm16(16_000)


async def listen(transcript: ts.Transcript) -> None:
    async for event in transcript:
        if isinstance(event, ts.FinalTranscript):
            print(f"heard: {event.text}")


async def main() -> None:
    async with (
        ts.open_client(ts.Local()) as client,
        client.transcribe(None, FORMAT) as transcript,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(listen, transcript)
        with wave.open(str(RECORDING)) as recording:
            while audio := recording.readframes(FORMAT.samples(0.1)):
                await transcript.send(audio)  # waits if the service is too far behind
        transcript.finalize()  # asks for the finals of what was sent so far
        await transcript.settled()
        print("all that was sent is recognized; there could be more")
        transcript.end_input()


if __name__ == "__main__":
    trio.run(main)
