"""Sessions in programs of asyncio: trio as a guest, trio in a thread, and what is said where trio does not run."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import LabeledSpeech, ScriptedGateway, open_gateway, say

EXAMPLE = Path(__file__).parents[2] / "examples" / "10_from_asyncio.py"
SAID = say(0.2, "from one loop to another", 0.6)


@pytest.fixture(scope="module")
def example() -> Any:
    spec = importlib.util.spec_from_file_location("from_asyncio", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Scripted:
    """A backend that brings its gateway along."""

    _gateway: ScriptedGateway

    def recognizer(self, request: Any) -> Any:
        return self._gateway.backend().recognizer(request)

    def voice(self, request: Any) -> Any:
        return self._gateway.backend().voice(request)

    @asynccontextmanager
    async def transport(self) -> AsyncGenerator[Any]:
        async with open_gateway() as self._gateway:
            yield self._gateway.connect


async def exchanged(example: Any, said: LabeledSpeech) -> list[str]:
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
    texts: asyncio.Queue[str | None] = asyncio.Queue()
    for chunk in [*said.chunks(), None]:
        chunks.put_nowait(chunk)
    heard = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(example.transcribe(Scripted(), chunks, texts))
        while (text := await texts.get()) is not None:
            heard.append(text)
    return heard


def test_a_session_runs_as_a_guest_of_asyncio(example: Any) -> None:
    assert asyncio.run(exchanged(example, SAID)) == [SAID.text]


def test_what_the_guest_raises_is_raised_in_asyncio(example: Any) -> None:
    async def session() -> None:
        async with ts.open_client(Scripted()) as client:
            await client.recognize(SAID, "no format")  # type: ignore[arg-type]

    with pytest.raises(ts.ConfigurationError, match="audio_format must be an AudioFormat, not str"):
        asyncio.run(example.run_trio(session))


def test_cancelling_the_task_of_asyncio_ends_the_session(example: Any) -> None:
    ended: list[str] = []

    async def session() -> None:
        try:
            async with ts.open_client(Scripted()) as client, client.transcribe(None, SAID.audio_format) as transcript:
                async for _ in transcript:
                    pass
        finally:
            ended.append("session")

    async def main() -> None:
        async with asyncio.timeout(0.2):
            await example.run_trio(session)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert ended == ["session"]


def test_a_session_runs_in_a_thread_of_its_own() -> None:
    async def session() -> str:
        async with ts.open_client(Scripted()) as client:
            return (await client.recognize(SAID, SAID.audio_format)).text

    async def main() -> str:
        return await asyncio.to_thread(trio.run, session)

    assert asyncio.run(main()) == SAID.text


def test_without_trio_the_client_says_what_to_do() -> None:
    async def main() -> None:
        async with ts.open_client(Scripted()):
            pytest.fail("the block must not be entered")

    with pytest.raises(RuntimeError, match="must run under trio: start the program by trio"):
        asyncio.run(main())
