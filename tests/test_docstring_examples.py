"""The examples in public docstrings are programs, and each of them runs, against the scripted gateway."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import LabeledSpeech, ScriptedGateway, speech

from .docstrings import examples

EXAMPLES = examples()
SAID: LabeledSpeech = speech(3.0)


async def tokens() -> AsyncIterator[str]:
    """What a language model might yield."""
    for token in ("The weather ", "is very ", "nice ", "today."):
        await trio.sleep(0.05)
        yield token


class Player:
    """A loudspeaker."""

    def write(self, audio: bytes) -> None:
        assert audio


@pytest.fixture
def scripted(gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch) -> ScriptedGateway:
    """The scripted gateway in the place of LiveKit's, and of the engines of this machine: all speak one protocol."""
    monkeypatch.setenv("LIVEKIT_API_KEY", "key")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "secret")

    def transport(self: ts.LiveKit | ts.Local) -> AbstractAsyncContextManager[Any]:
        return gateway.backend().transport()

    for backend in (ts.LiveKit, ts.Local):
        monkeypatch.setattr(backend, "transport", transport)
    return gateway


async def prepared(client: ts.Client) -> AsyncGenerator[dict[str, Any]]:
    """What examples name and do not make: a journal of a session that was abandoned, and a session that runs."""
    async with client.transcribe(None, SAID.audio_format, journal="call.journal") as transcript:
        await transcript.send(SAID.audio)
    async with client.transcribe(SAID, SAID.audio_format, model="deepgram/nova-3") as transcript:
        yield {"client": client, "transcript": transcript}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
async def test_example(
    name: str, scripted: ScriptedGateway, autojump_clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = "async def example():\n" + textwrap.indent(EXAMPLES[name], "    ")
    names: dict[str, Any] = {"ts": ts, "trio": trio, "microphone": SAID.source, "tokens": tokens, "player": Player()}
    exec(compile(program, f"the example of {name}", "exec"), names)
    async with ts.open_client(ts.LiveKit()) as client, asynccontextmanager(prepared)(client) as made:
        names |= made
        visits = len(scripted.visits)
        await names["example"]()
    assert len(scripted.visits) > visits or name == "Transcript.update"


def test_there_are_examples() -> None:
    calls = ("prewarm", "recognize", "render", "resume_journal", "synthesize", "transcribe")
    of_clients = {f"Client.{name}" for name in calls}
    assert set(EXAMPLES) >= {"open_client", "Transcript.update", *of_clients}
