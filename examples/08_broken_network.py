"""Break the network on purpose: a proxy resets one connection and restarts the service; no word is lost."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import trio

import trio_speech as ts
from trio_speech.gateway import serve
from trio_speech.testing.fault_proxy import open_proxy, read_plan

RECORDING = Path(__file__).with_name("recording.wav")
FORMAT = ts.AudioFormat.pcm16(16_000)

PLAN = read_plan("""
    [[connection]]
    step = [{ do = "reset", after = 1.2 }]      # in the middle of a word

    [[connection]]
    step = [{ do = "refuse", after = 2.0, seconds = 0.5 }, { do = "end" }]  # the service restarts
""")


async def microphone() -> AsyncIterator[bytes]:
    """Stands in for a real one: the recording, 50 ms at a time, as fast as it was spoken."""
    with wave.open(str(RECORDING)) as recording:
        while audio := recording.readframes(FORMAT.samples(0.05)):
            yield audio
            await trio.sleep(0.05)


async def main() -> None:
    async with trio.open_nursery() as nursery:
        service = await nursery.start(serve)  # the embedded gateway, over TCP
        async with open_proxy(("127.0.0.1", service), PLAN, tell=print) as proxy:
            host, port = await proxy.listen()
            backend = ts.LiveKit(url=f"http://{host}:{port}/v1", api_key="any", api_secret="any")

            async with (
                ts.open_client(backend) as client,
                client.transcribe(microphone(), FORMAT) as transcript,
            ):
                async for event in transcript:
                    match event:
                        case ts.FinalTranscript(text=text, start=start):
                            print(f"{start:9.2f} s  {text}")
                        case ts.LinkLost(cause=cause, retry_in=retry_in):
                            print(f"             lost: {cause}; the next attempt in {retry_in:.1f} s")
                        case ts.Resumed(replayed=replayed, downtime=downtime):
                            print(f"             back after {downtime:.2f} s; {replayed:.2f} s are sent again")
                        case _:
                            pass
        nursery.cancel_scope.cancel()


trio.run(main)
