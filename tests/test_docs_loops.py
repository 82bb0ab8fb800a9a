"""The pages on other loops and on real devices: their programs run as they stand, against the scripted gateway."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import anyio
import pytest
import trio

import trio_speech as ts
from trio_speech.testing import ScriptedGateway, hear, open_gateway, say

PAGE = Path(__file__).parents[1] / "docs" / "howto" / "asyncio.md"
SAID = say(0.2, "from one loop to another", 0.6)
NOTEBOOK = """
import sys
sys.path.insert(0, {tests!r})
import test_docs_loops as loops
import trio_speech
trio_speech.Local = loops.Scripted
"""


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


def blocks(language: str, path: Path = PAGE) -> Iterator[str]:
    page = path.read_text(encoding="utf-8")
    return (block[1] for block in re.finditer(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE))


def test_asyncio_gets_texts_from_trio_in_a_thread() -> None:
    names: dict[str, Any] = {}
    exec(next(blocks("py")), names)

    async def main() -> list[str]:
        chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        texts: asyncio.Queue[str | None] = asyncio.Queue()
        for chunk in [*SAID.chunks(), None]:
            chunks.put_nowait(chunk)
        heard = []
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(names["transcribe"](Scripted(), chunks, texts))
            while (text := await texts.get()) is not None:
                heard.append(text)
        return heard

    assert asyncio.run(main()) == [SAID.text]


def test_anyio_starts_sessions_in_its_task_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    _, program = blocks("py")
    backends: list[Scripted] = []

    def local() -> Scripted:
        backends.append(Scripted())
        return backends[-1]

    monkeypatch.setattr(ts, "Local", local)
    exec(program, {})
    [backend] = backends
    assert {visit.endpoint for visit in backend._gateway.visits} == {"stt", "tts"}


def test_anyio_on_asyncio_is_told_what_to_do() -> None:
    async def main() -> None:
        async with ts.open_client(Scripted()):
            pytest.fail("the block must not be entered")

    with pytest.raises(RuntimeError, match="must run under trio"):
        anyio.run(main, backend="asyncio")


def test_a_cell_of_a_notebook_runs_under_trio(tmp_path: Path) -> None:
    [cell] = blocks("text")
    magic, rest = cell.split("\n", 1)
    preamble = NOTEBOOK.format(tests=str(Path(__file__).parent))
    (tmp_path / "notebook.ipy").write_text(f"{preamble}\n{magic}\nget_ipython().run_cell({rest!r}).raise_error()\n")
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--quick", "notebook.ipy"],
        cwd=tmp_path,
        env=os.environ | {"IPYTHONDIR": str(tmp_path), "PYTHONPATH": str(Path(ts.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["A notebook can speak."], done.stdout + done.stderr


async def test_what_the_pages_say_of_threads_is_so(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(None, SAID.audio_format) as transcript:
        with pytest.raises(RuntimeError):
            await trio.to_thread.run_sync(transcript.end_input)


class Device:
    """Stands in for both kinds of `sounddevice`'s streams. The microphone hears `SAID` from a thread of its own.

    The loudspeaker's clock is the audio that it has taken; what it takes comes out `latency` seconds later.
    """

    played = b""
    latency = 0.2
    all_played: ClassVar[trio.Event]
    rates: ClassVar[list[int]] = []

    def __init__(
        self, samplerate: int, blocksize: int = 0, *, channels: int, dtype: str, callback: Any = None, latency: str = ""
    ) -> None:
        assert (channels, dtype) == (1, "int16")
        self.rates.append(samplerate)
        self._frames, self._callback = blocksize, callback
        self.time = 7.0
        self.calls: list[str] = []

    def __enter__(self) -> Device:
        if self._callback:
            threading.Thread(target=self._speak, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._callback = None

    def _speak(self) -> None:
        for chunk in SAID.chunks(self._frames / SAID.audio_format.sample_rate):
            if callback := self._callback:
                callback(memoryview(chunk), self._frames, None, None)
            time.sleep(0.002)

    def write(self, audio: bytes) -> None:
        assert threading.current_thread() is not threading.main_thread()
        Device.played += audio
        self.time += len(audio) / 32_000
        if " ".join(word.text for word in hear(Device.played)) == SAID.text:
            trio.from_thread.run_sync(self.all_played.set)

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def abort(self) -> None:
        self.calls.append("abort")


@pytest.fixture
def program(gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the page on real devices defines, with stand-ins for the devices and for the backend."""
    devices = ModuleType("sounddevice")
    devices.RawInputStream = devices.RawOutputStream = Device  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sounddevice", devices)
    monkeypatch.setattr(ts, "Local", gateway.backend)
    monkeypatch.setattr(Device, "all_played", trio.Event(), raising=False)
    monkeypatch.setattr(Device, "played", b"")
    monkeypatch.setattr(Device, "rates", [])
    names: dict[str, Any] = {}
    for block in blocks("py", PAGE.with_name("microphone.md")):
        exec(block, names)
    return names


async def test_the_program_for_real_devices_repeats_what_it_hears(
    program: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(program["main"])
            await Device.all_played.wait()
            nursery.cancel_scope.cancel()
    assert capsys.readouterr().out.strip() == SAID.text
    assert set(Device.rates) == {16_000}


async def test_the_program_for_real_devices_tells_what_was_heard_before_an_interruption(
    program: dict[str, Any],
    gateway: ScriptedGateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    interrupted = trio.CancelScope()
    write = Device.write

    def interrupt(device: Device, audio: bytes) -> None:
        write(device, audio)
        if device.time >= 8.0:
            trio.from_thread.run_sync(interrupted.cancel)

    monkeypatch.setattr(Device, "write", interrupt)
    loudspeaker = program["Loudspeaker"]()
    with trio.fail_after(30):
        async with gateway.client() as client:
            await program["reply"](client, SAID.text, loudspeaker, interrupted)
    came_out = len(Device.played) / 32_000 - Device.latency
    heard = [word.text for word in hear(Device.played) if word.end <= came_out * 16_000]
    assert 0 < len(heard) < len(SAID.text.split())
    assert capsys.readouterr().out.strip() == f"interrupted after: {' '.join(heard)}"
    assert loudspeaker.device.calls == ["start", "abort"]
    assert loudspeaker.played == pytest.approx(came_out)
