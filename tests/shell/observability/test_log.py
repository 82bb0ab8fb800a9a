"""Log records tell what went wrong and how it ended, and hold no transcript and no text."""

from __future__ import annotations

import logging
import subprocess
import sys
from contextvars import ContextVar

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    Close,
    Drop,
    Hear,
    LabeledSpeech,
    Lapse,
    Refuse,
    ScriptedGateway,
    Speak,
    open_gateway,
    say,
    speech,
)

SAID = say(0.3, "turn left", 0.8, "at the bridge", 0.8)
IMPATIENT = ts.RetryPolicy(max_attempts=1, return_after=20.0)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "trio_speech")
    return caplog


def lines(logged: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    return [record.getMessage() for record in logged.records if record.levelno >= level]


async def transcribe(client: ts.Client, said: LabeledSpeech = SAID) -> list[ts.TranscriptEvent]:
    async with client.transcribe(said, said.audio_format) as transcript:
        return [event async for event in transcript]


async def test_a_lost_recognition_and_its_return_are_logged(
    gateway: ScriptedGateway, logged: pytest.LogCaptureFixture
) -> None:
    gateway.plan(Hear(1.5), Drop(), Refuse(503))
    async with gateway.client() as client:
        events = await transcribe(client)
    lost = [event for event in events if isinstance(event, ts.LinkLost)]
    (back,) = (event for event in events if isinstance(event, ts.Resumed))
    first, second, third = lines(logged)
    for line, event in zip((first, second), lost, strict=True):
        assert event.cause in line
        assert f"attempt {event.attempt} in {event.retry_in:.2f} s" in line
    assert f"back after {back.downtime:.2f} s; {back.replayed:.2f} s" in third


async def test_a_long_wait_for_audio_is_logged_once(gateway: ScriptedGateway, logged: pytest.LogCaptureFixture) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        await transcript.send(SAID.audio)
        await trio.sleep(100.0)
        transcript.end_input()
        await trio.sleep(100.0)
    (line,) = lines(logged, logging.DEBUG)
    assert "no audio for 3" in line
    assert "end_input()" in line


async def test_failing_over_and_returning_are_logged(logged: pytest.LogCaptureFixture) -> None:
    async with open_gateway() as first, open_gateway() as second:
        first.plan(Hear(3.0), Drop(), *[Refuse(503)] * 2)
        said = speech(60.0)
        async with ts.open_client([first.backend(), second.backend()], retry=IMPATIENT) as client:
            await transcribe(client, said)
    (warning,) = lines(logged, logging.WARNING)
    assert "given up" in warning
    assert "503" in warning
    assert [line for line in lines(logged) if line.endswith("serves again")]


async def test_a_lost_synthesis_is_logged_without_its_text(
    gateway: ScriptedGateway, logged: pytest.LogCaptureFixture
) -> None:
    gateway.plan(Speak(0.1), Drop())
    async with gateway.client() as client:
        await client.render("nobody shall read this")
    (line,) = lines(logged)
    assert "lost" in line
    assert "nobody" not in line


async def test_the_end_of_an_idle_connection_is_logged_at_debug(
    gateway: ScriptedGateway, logged: pytest.LogCaptureFixture
) -> None:
    gateway.plan(Lapse(0.5), Close(1001))
    async with gateway.client() as client:
        await client.prewarm(1)
        await trio.sleep(1.0)
    (line,) = lines(logged, logging.DEBUG)
    assert "an idle connection ended" in line
    assert lines(logged) == []


async def test_records_carry_the_context_of_their_session(
    gateway: ScriptedGateway, logged: pytest.LogCaptureFixture
) -> None:
    caller: ContextVar[str] = ContextVar("caller", default="nobody")
    callers: list[str] = []

    def noting(record: logging.LogRecord) -> bool:
        callers.append(caller.get())
        return True

    gateway.plan(Hear(1.5), Drop())
    caller.set("alice")
    logged.handler.addFilter(noting)
    try:
        async with gateway.client() as client:
            await transcribe(client)
    finally:
        logged.handler.removeFilter(noting)
    assert callers == ["alice", "alice"]


def test_nothing_is_printed_where_the_program_has_set_up_no_logging() -> None:
    program = (
        "from trio_speech._core.retry.causes import Ended; from trio_speech._shell.observability import log;"
        "log.given_up('wss://one', Ended(), 'wss://two')"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout + told.stderr == ""


async def test_nothing_is_logged_while_nothing_goes_wrong(
    gateway: ScriptedGateway, logged: pytest.LogCaptureFixture
) -> None:
    async with gateway.client() as client:
        await transcribe(client)
        await client.render("all is well")
    assert lines(logged, logging.DEBUG) == []
