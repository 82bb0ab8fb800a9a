"""The scripted gateway in a thread, over loopback TCP, and recordings of one sentence each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import trio

import trio_speech as ts
from trio_speech.audio.files import write_audio
from trio_speech.testing import Manner, Step, open_gateway, say


class ScriptedService:
    """A gateway that programs of other threads dial."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._serve,))
        self._thread.start()
        self._ready.wait()

    async def _serve(self) -> None:
        self._token, self._closing = trio.lowlevel.current_trio_token(), trio.Event()
        async with open_gateway(manner=Manner(interim=None)) as self.gateway:
            url = await self.gateway.listen()
            self.backend = ts.LiveKit(url=url, api_key="key", api_secret="a-secret-that-is-long-enough-for-a-signature")
            self._ready.set()
            await self._closing.wait()

    def plan(self, *steps: Step) -> None:
        self.gateway.plan(*steps)

    def close(self) -> None:
        self._token.run_sync_soon(self._closing.set)
        self._thread.join()


@pytest.fixture
def service() -> Generator[ScriptedService]:
    opened = ScriptedService()
    yield opened
    opened.close()


@pytest.fixture
def recordings(tmp_path: Path) -> Callable[[int], dict[str, str]]:
    """Makes so many recordings in ``calls``; returns what is said in each, by its name."""

    def make(count: int) -> dict[str, str]:
        folder, said = tmp_path / "calls", dict[str, str]()
        folder.mkdir()
        for number in range(count):
            speech = say(0.1, f"number{number}", 0.4)
            write_audio(folder / f"{number}.wav", speech.audio, speech.audio_format)
            said[str(folder / f"{number}.wav")] = speech.text
        return said

    return make
