"""The provider's own client, on asyncio, as its documentation shows it; the task is the provider's name."""

from __future__ import annotations

import asyncio
import base64
import warnings
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from load import FINAL_EVERY, KEY, RATE, Load, Window, asked, noise, tell

warnings.simplefilter("ignore", DeprecationWarning)

Push = Callable[[bytes], Awaitable[None]]
Counted = list[int]


async def deepgram(load: Load, stack: AsyncExitStack, finals: Counted) -> Push:
    from deepgram import AsyncDeepgramClient, DeepgramClientEnvironment  # of one provider alone
    from deepgram.core.events import EventType

    base = load.url.removesuffix("/v1")
    socket = base.replace("http", "ws", 1)
    where = DeepgramClientEnvironment(base=base, production=socket, agent=socket, agent_rest=base)
    client = AsyncDeepgramClient(api_key=KEY, environment=where)
    settings = {"model": "nova-3", "encoding": "linear16", "sample_rate": "16000", "interim_results": "true"}
    connection = await stack.enter_async_context(client.listen.v1.connect(**settings))

    def heard(message: Any) -> None:
        finals.append(1) if getattr(message, "is_final", False) else None

    connection.on(EventType.MESSAGE, heard)
    keep(asyncio.create_task(connection.start_listening()))
    return connection.send_media


async def elevenlabs(load: Load, stack: AsyncExitStack, finals: Counted) -> Push:
    from elevenlabs import AudioFormat, ElevenLabs

    client = ElevenLabs(api_key=KEY, base_url=load.url.removesuffix("/v1"))
    settings = {"model_id": "scribe_v2_realtime", "audio_format": AudioFormat.PCM_16000, "sample_rate": RATE}
    connection = await client.speech_to_text.realtime.connect({**settings, "include_timestamps": True})
    stack.push_async_callback(connection.close)
    connection.on("partial_transcript", lambda _: None)
    connection.on("committed_transcript_with_timestamps", lambda _: finals.append(1))
    sent = 0

    async def push(piece: bytes) -> None:
        nonlocal sent
        await connection.send({"audio_base_64": base64.b64encode(piece).decode()})
        sent += len(piece)
        if sent >= 2 * RATE * FINAL_EVERY:
            sent = 0
            await connection.commit()

    return push


async def openai(load: Load, stack: AsyncExitStack, finals: Counted) -> Push:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key=KEY, base_url=load.url)
    made = client.realtime.connect(extra_query={"intent": "transcription"})
    connection = await stack.enter_async_context(made)
    heard = {
        "format": {"type": "audio/pcm", "rate": 24_000},
        "transcription": {"model": "gpt-live-transcribe"},
        "turn_detection": {"type": "server_vad"},
    }
    await connection.session.update(session={"type": "transcription", "audio": {"input": heard}})

    async def listen() -> None:
        async for event in connection:
            finals.append(1) if event.type.endswith(".completed") else None

    async def push(piece: bytes) -> None:
        await connection.input_audio_buffer.append(audio=base64.b64encode(piece).decode())

    keep(asyncio.create_task(listen()))
    return push


CLIENTS = {"deepgram": deepgram, "elevenlabs": elevenlabs, "openai": openai}
RATES = {"openai": 24_000}
_kept: set[asyncio.Task[None]] = set()


def keep(task: asyncio.Task[None]) -> None:
    """Keeps a task, for the loop alone does not."""
    _kept.add(task)


async def recognize(load: Load) -> None:
    """Pushes in real time, by one clock for all streams."""
    finals: Counted = []
    audio = noise(RATES.get(load.task, RATE), load.push)
    async with AsyncExitStack() as stack:
        pushes = [await CLIENTS[load.task](load, stack, finals) for _ in range(load.streams)]
        now = asyncio.get_running_loop().time
        window = Window(load, now())
        clock = asyncio.create_task(tick(pushes, audio, window, load.push))
        for moment, look in window.moments():
            await asyncio.sleep(moment - now())
            look()
        clock.cancel()
        window.told.extra["finals"] = len(finals)
        tell(window.told)
        for task in _kept:
            task.cancel()


async def tick(pushes: list[Push], audio: list[bytes], window: Window, length: float) -> None:
    now = asyncio.get_running_loop().time
    for due, turn, indices in window.ticks(length):
        await asyncio.sleep(max(0.0, due - now()))
        for index in indices:
            await pushes[index](audio[turn % len(audio)])
            window.pushed(due)


if __name__ == "__main__":
    load = asked()
    asyncio.run(recognize(load))
