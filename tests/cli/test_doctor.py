"""The doctor tells a service that is ready from one that is not set up, refuses, or does not answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import trio_speech as ts
from trio_speech import ConfigurationError
from trio_speech.cli import doctor
from trio_speech.testing import Refuse

Run = Callable[..., Any]


@pytest.fixture
def one_backend(monkeypatch: pytest.MonkeyPatch, scripted: Any) -> Any:
    """Only the scripted one is asked."""
    monkeypatch.setattr(doctor, "BACKENDS", {"local": lambda: scripted})
    return scripted


def test_a_service_that_answers_is_ready(run: Run, one_backend: Any) -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.stderr
    assert "ready" in result.stdout
    assert len(re.findall(r"\d ms", result.stdout)) == 3
    assert "trio-websocket" in result.stdout


@pytest.mark.parametrize(("status", "verdict"), [(401, "credentials refused"), (503, "no answer")])
def test_a_service_that_refuses_is_named_and_code_1(run: Run, one_backend: Any, status: int, verdict: str) -> None:
    one_backend.plan = [Refuse(status)] * 20
    result = run("doctor")
    assert result.exit_code == 1
    assert verdict in result.stdout
    assert str(status) in result.stdout


def test_missing_credentials_are_named_and_code_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_INFERENCE_API_KEY"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(doctor, "BACKENDS", {"livekit": doctor.BACKENDS["livekit"]})
    result = run("doctor", "--backend", "livekit")
    assert result.exit_code == 2
    assert "not set up" in result.stdout
    assert "LIVEKIT_API_KEY" in result.stdout


def test_a_service_that_only_recognizes_or_only_speaks_is_ready() -> None:
    works, lacks = doctor.Finding(0.1), doctor.Finding(trouble=ConfigurationError("speaks only"))
    assert doctor.Diagnosis(works, works, lacks).trouble is None
    assert doctor.Diagnosis(lacks, doctor.Finding(), works).trouble is None
    assert doctor.Diagnosis(lacks, doctor.Finding(), lacks).trouble is lacks.trouble


async def test_a_service_that_takes_another_sample_rate_is_ready(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: Any, gateway: Any
) -> None:
    monkeypatch.setattr(doctor, "BACKENDS", {"openai": lambda: gateway.in_place_of(ts.OpenAI("key"))})
    found = await doctor.examine("openai")
    assert found.recognition.seconds is not None
    assert gateway.visits[-1].sample_rate == 24_000


async def test_a_service_that_never_answers_times_out(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: Any, scripted: Any
) -> None:
    async def mute(*_: object, **__: object) -> None:
        await doctor.trio.sleep_forever()

    monkeypatch.setattr(doctor, "BACKENDS", {"local": lambda: scripted})
    monkeypatch.setattr("trio_speech.Client.recognize", mute)
    found = await doctor.examine("local")
    assert found.dial.trouble is None
    assert "no answer within 15 s" in str(found.recognition.trouble)


def test_a_missing_package_is_listed_as_not_installed(
    run: Run, one_backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ENGINES", ("no-such-engine",))
    assert "engines: no-such-engine (not installed)" in run("doctor").stdout
