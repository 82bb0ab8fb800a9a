"""Sessions of the embedded gateway: each hears sentences, with pauses, in real time."""

# ruff: noqa: ASYNC110  # a look every so often disturbs what is measured less than a wake-up would

from __future__ import annotations

import sys
from itertools import cycle

import trio
from load import KEY, RATE, SECRET, SETTLE, Load, Told, Window, asked, tell, wish

import trio_speech as ts
from trio_speech.gateway import SynthesisOptions, open_voice

PIECE = 0.05
PAUSE = 1.0
TEXTS = ("The weather is very nice today.", "I would like to order a large pizza.", "It will rain tomorrow afternoon.")


async def spoken() -> list[bytes]:
    """The sentences and their pauses, in pieces."""
    audio = b""
    async with open_voice() as voice:
        for text in TEXTS:
            async with voice.synthesize(text, SynthesisOptions(sample_rate=RATE)) as speech:
                audio += b"".join([piece.pcm async for piece in speech]) + bytes(2 * round(RATE * PAUSE))
    size = 2 * round(RATE * PIECE)
    return [audio[at : at + size].ljust(size, b"\0") for at in range(0, len(audio), size)]


async def live(load: Load) -> Told:
    audio = await spoken()
    async with ts.open_client(ts.LiveKit(load.url, KEY, SECRET)) as client, trio.open_nursery() as nursery:
        ready: list[ts.Transcript] = []
        for _ in range(load.streams):
            nursery.start_soon(session, client, ready)
        while len(ready) < load.streams:
            await trio.sleep(0.05)
        length = len(audio) * PIECE
        window = Window(load, trio.current_time() + length)  # by then each has had all sentences
        for index, transcript in enumerate(ready):
            begun = window.start - length + length * index / load.streams
            nursery.start_soon(push, transcript, audio, begun)
            nursery.start_soon(read, transcript, window, begun)
        for moment in (window.opens, window.closes):
            await trio.sleep_until(moment)
            wish("figures")
            await trio.to_thread.run_sync(sys.stdin.readline)
        await trio.sleep(SETTLE)
        nursery.cancel_scope.cancel()
    window.told.audio = load.streams * load.seconds
    return window.told


async def session(client: ts.Client, ready: list[ts.Transcript]) -> None:
    """Is ready when the recognizer has its place, which starts a process."""
    async with client.transcribe() as transcript:
        await transcript.send(bytes(2 * RATE))
        transcript.finalize()
        await transcript.settled()
        ready.append(transcript)
        await trio.sleep_forever()


async def push(transcript: ts.Transcript, audio: list[bytes], begun: float) -> None:
    due = begun
    for piece in cycle(audio):
        await trio.sleep_until(due)
        await transcript.send(piece)
        due += PIECE


async def read(transcript: ts.Transcript, window: Window, begun: float) -> None:
    before = transcript.statistics().captured
    async for event in transcript:
        if isinstance(event, ts.FinalTranscript) and event.words:
            window.heard(begun - before, event.words[-1].end, trio.current_time())


if __name__ == "__main__":
    load = asked()
    tell(trio.run(globals()[load.task], load))
