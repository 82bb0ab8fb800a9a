"""The first Ctrl-C ends politely: what was said before it is still recognized. The second one leaves at once."""

from __future__ import annotations

import signal
import wave
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

import trio

import trio_speech as ts

RECORDING = Path(__file__).with_name("recording.wav")
FORMAT = ts.AudioFormat.pcm16(16_000)


async def listen(client: ts.Client, source: AsyncIterable[bytes]) -> None:
    with trio.open_signal_receiver(signal.SIGINT) as interrupts:
        async with client.transcribe(source, FORMAT) as transcript, trio.open_nursery() as nursery:
            nursery.start_soon(obey, interrupts, transcript, nursery.cancel_scope)
            async for event in transcript:
                if isinstance(event, ts.FinalTranscript):
                    print(f"{event.end:6.2f} s  {event.text}")
            nursery.cancel_scope.cancel()  # all is recognized: no more signals to wait for


async def obey(interrupts: AsyncIterator[int], transcript: ts.Transcript, scope: trio.CancelScope) -> None:
    await anext(interrupts)
    print("one moment: what was said so far is being recognized; Ctrl-C again leaves at once")
    transcript.end_input()
    await anext(interrupts)
    scope.cancel()


async def microphone() -> AsyncIterator[bytes]:
    """Stands in for somebody who does not stop talking, until Ctrl-C is pressed within the second sentence."""
    with wave.open(str(RECORDING)) as recording:
        for number in range(1_000):
            if number == 100:  # after 5 s
                signal.raise_signal(signal.SIGINT)
            yield recording.readframes(FORMAT.samples(0.05))
            await trio.sleep(0.05)


async def main() -> None:
    async with ts.open_client(ts.Local()) as client:
        await listen(client, microphone())


if __name__ == "__main__":
    trio.run(main)
