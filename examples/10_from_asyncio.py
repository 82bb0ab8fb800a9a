"""From asyncio: trio runs as a guest of asyncio's loop, in the same thread, and each side calls the other.

The asyncio side owns the microphone and the screen; the trio side owns the session. Where the same thread does not
matter, ``await asyncio.to_thread(trio.run, function)`` is shorter.
"""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import outcome
import trio

import trio_speech as ts

RECORDING = Path(__file__).with_name("recording.wav")
FORMAT = ts.AudioFormat.pcm16(16_000)
T = TypeVar("T")


async def run_trio(function: Callable[[], Awaitable[T]]) -> T:
    """Runs a trio function from asyncio, and returns what it returns. Cancelling the one cancels the other."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[outcome.Outcome[T]] = loop.create_future()
    scope, token = trio.CancelScope(), list[trio.lowlevel.TrioToken]()

    async def guest() -> T:
        token.append(trio.lowlevel.current_trio_token())
        with scope:
            return await function()
        raise asyncio.CancelledError

    trio.lowlevel.start_guest_run(
        guest,
        run_sync_soon_threadsafe=loop.call_soon_threadsafe,
        run_sync_soon_not_threadsafe=loop.call_soon,
        done_callback=done.set_result,
    )
    try:
        result = await asyncio.shield(done)
    except asyncio.CancelledError:
        for trio_token in token:
            trio_token.run_sync_soon(scope.cancel)
        result = await done
    return result.unwrap()


async def transcribe(
    backend: ts.Backend, chunks: asyncio.Queue[bytes | None], texts: asyncio.Queue[str | None]
) -> None:
    """The asyncio side gives chunks, and ``None`` at the end; it gets texts, and ``None`` at the end."""

    async def session() -> None:
        send, receive = trio.open_memory_channel[bytes](1_000)
        token = trio.lowlevel.current_trio_token()

        async def feed() -> None:  # a task of asyncio
            while (chunk := await chunks.get()) is not None:
                token.run_sync_soon(send.send_nowait, chunk)
            token.run_sync_soon(send.close)

        feeding = asyncio.get_running_loop().create_task(feed())
        try:
            async with ts.open_client(backend) as client, client.transcribe(receive, FORMAT) as transcript:
                async for event in transcript:
                    if isinstance(event, ts.FinalTranscript):
                        texts.put_nowait(event.text)
        finally:
            feeding.cancel()

    await run_trio(session)
    texts.put_nowait(None)


async def microphone(chunks: asyncio.Queue[bytes | None]) -> None:
    """Stands in for a real one: it plays a recording in real time."""
    with wave.open(str(RECORDING)) as file:
        while audio := file.readframes(FORMAT.samples(0.05)):
            chunks.put_nowait(audio)
            await asyncio.sleep(0.05)
    chunks.put_nowait(None)


async def main() -> None:
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
    texts: asyncio.Queue[str | None] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(microphone(chunks))
        tasks.create_task(transcribe(ts.Local(), chunks, texts))
        while (text := await texts.get()) is not None:
            print(f"heard: {text}")


if __name__ == "__main__":
    asyncio.run(main())
