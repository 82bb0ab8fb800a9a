"""The commands against the scripted gateway: no account, no engine, and faults as values."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

import trio_speech as ts
from trio_speech.cli.app import app
from trio_speech.cli.backends import BACKENDS
from trio_speech.testing import LabeledSpeech, Manner, ScriptedGateway, Step, open_gateway, speech


class Scripted:
    """A backend that brings its gateway along; `plan` is what the dials meet, `manner` how it recognizes."""

    manner: Manner | None = None

    def __init__(self) -> None:
        self.plan: list[Step] = []
        self.gateways: list[ScriptedGateway] = []

    def recognizer(self, request: Any) -> Any:
        backend: ts.Backend = self.gateways[-1].backend() if self.gateways else ts.Local()
        return backend.recognizer(request)  # which may be asked for before a session is opened

    def voice(self, request: Any) -> Any:
        return self.gateways[-1].backend().voice(request)

    @asynccontextmanager
    async def transport(self) -> AsyncGenerator[Any]:
        async with open_gateway(manner=self.manner) as gateway:
            gateway.plan(*self.plan)
            self.gateways.append(gateway)
            yield gateway.connect


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """What ``--backend local`` stands for in this test."""
    backend = Scripted()
    monkeypatch.setitem(BACKENDS, "local", lambda: backend)  # type: ignore[arg-type]
    return backend


@pytest.fixture
def run() -> Callable[..., Result]:
    """Runs the command in this process."""

    def invoke(*arguments: str, input: bytes | str | None = None) -> Result:
        return CliRunner().invoke(app, arguments, input=input)

    return invoke


class Recorded:
    """A recording on disk, and what is said in it."""

    def __init__(self, folder: Path, said: LabeledSpeech) -> None:
        self.said = said
        self.name = str(folder / "said.wav")
        soundfile.write(self.name, np.frombuffer(said.audio, "<i2"), said.audio_format.sample_rate)


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path, speech(4.0))
