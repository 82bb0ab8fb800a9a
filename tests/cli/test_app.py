"""The commands as a user types them: what they print, where, and with which code they end."""

from __future__ import annotations

import errno
import io
import logging
import signal
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pytest
import soundfile

import trio_speech
from trio_speech import Recognition, cli
from trio_speech.testing import Drop, Hear, Refuse

Run = Callable[..., Any]


def test_transcribe_prints_what_was_said(run: Run, scripted: Any, recorded: Any) -> None:
    result = run("transcribe", recorded.name)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.split() == recorded.said.text.split()


def test_transcribe_survives_a_drop(run: Run, scripted: Any, recorded: Any) -> None:
    scripted.plan = [Hear(1.5), Drop()]
    result = run("transcribe", recorded.name, "--format", "json")
    assert result.exit_code == 0, result.stderr
    words = msgspec.json.decode(result.stdout, type=Recognition).words
    assert [word.text for word in words] == recorded.said.text.split()
    assert len(scripted.gateways[0].visits) == 2


@pytest.mark.parametrize("command", [("transcribe", "{file}"), ("speak", "one two", "-o", "{file}")])
def test_a_retry_is_reported_while_the_service_is_down(
    run: Run, scripted: Any, recorded: Any, command: tuple[str, ...]
) -> None:
    scripted.plan = [Refuse(503)]
    result = run(*(word.format(file=recorded.name) for word in command))
    assert result.exit_code == 0, result.stderr
    assert "lost (" in result.stderr
    assert "503" in result.stderr
    assert "attempt 1 in 0.00 s" in result.stderr
    assert not logging.getLogger("trio_speech").handlers


@pytest.mark.parametrize(("name", "begins"), [("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n\n00:00:0"), ("json", "{")])
def test_transcribe_writes_the_format_asked_for(run: Run, scripted: Any, recorded: Any, name: str, begins: str) -> None:
    assert run("transcribe", recorded.name, "--format", name).stdout.startswith(begins)


def test_transcribe_reads_standard_input(run: Run, scripted: Any, recorded: Any) -> None:
    result = run("transcribe", "-", input=Path(recorded.name).read_bytes())
    assert result.stdout.split() == recorded.said.text.split()


def test_the_model_and_the_language_reach_the_service(run: Run, scripted: Any, recorded: Any) -> None:
    run("transcribe", recorded.name, "--model", "some/model", "--language", "de")
    visit = scripted.gateways[0].visits[0]
    assert (visit.model, visit.language) == ("some/model", "de")


def test_a_refusal_is_one_line_and_code_1(run: Run, scripted: Any, recorded: Any) -> None:
    scripted.plan = [Refuse(401)]
    result = run("transcribe", recorded.name)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("trio-speech: ")
    assert "401" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("transcribe", "absent.wav"), "absent.wav: No such file or directory"),
        (("speak", "Hello.", "-o", "hello.txt"), "hello.txt: use an ending"),
        (("transcribe", __file__), "holds no audio"),
    ],
)
def test_misuse_is_one_line_and_code_2(run: Run, scripted: Any, arguments: tuple[str, ...], told: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_missing_credentials_are_named_and_code_2(run: Run, recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_INFERENCE_API_KEY", "LIVEKIT_INFERENCE_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    result = run("transcribe", recorded.name, "--backend", "livekit")
    assert result.exit_code == 2
    assert "LIVEKIT_API_KEY" in result.stderr


def test_the_environment_chooses_the_backend(run: Run, recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIO_SPEECH_BACKEND", "livekit")
    monkeypatch.setenv("LIVEKIT_API_KEY", "")
    assert "LIVEKIT_API_KEY" in run("transcribe", recorded.name).stderr


def test_gaps_are_named_and_code_3(run: Run, monkeypatch: pytest.MonkeyPatch, recorded: Any) -> None:
    async def with_a_gap(*_: object) -> Recognition:
        return Recognition("heard", (trio_speech.FinalTranscript(text="heard", start=0, end=1),), (GAP,))

    monkeypatch.setattr("trio_speech.cli.app.recognize", with_a_gap)
    result = run("transcribe", recorded.name)
    assert (result.exit_code, result.stdout) == (3, "heard\n")
    assert result.stderr == "not recognized: 1.00 to 2.50 s (replay-limit)\n"


GAP = trio_speech.Gap(1.0, 2.5, "replay-limit")


def test_an_interrupt_ends_cleanly(run: Run, scripted: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: object) -> Recognition:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the interrupt comes at the next checkpoint, or at once")

    monkeypatch.setattr("trio_speech.cli.app.recognize", interrupted)
    result = run("transcribe", recorded.name)
    assert result.exit_code == 130
    assert "Traceback" not in result.output


def test_unencodable_text_and_warnings_print_no_traceback(
    run: Run, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def in_letters(*_: object) -> Recognition:
        return Recognition("naïve…", (trio_speech.FinalTranscript(text="naïve…", start=0, end=1),), ())

    shown = io.BytesIO()
    monkeypatch.setattr("trio_speech.cli.app.recognize", in_letters)
    monkeypatch.setattr(sys, "argv", ["trio-speech", "transcribe", recorded.name])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="latin-1"))
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert not exit.value.code
    assert shown.getvalue() == b"na\xefve\\u2026\n"
    assert warnings.formatwarning("take care", UserWarning, "file.py", 7) == "trio-speech: take care\n"


def test_a_closed_pipe_is_not_an_error(run: Run, recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody_reads(*_: object) -> Recognition:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("trio_speech.cli.app.recognize", nobody_reads)
    result = run("transcribe", recorded.name)
    assert (result.exit_code, result.stderr) == (1, "")


def test_a_defect_keeps_its_traceback(run: Run, recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> Recognition:
        raise RuntimeError("a defect")

    monkeypatch.setattr("trio_speech.cli.app.recognize", broken)
    assert isinstance(run("transcribe", recorded.name).exception, RuntimeError)


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_speak_writes_the_audio(run: Run, scripted: Any, tmp_path: Path, ending: str) -> None:
    name = str(tmp_path / f"hello.{ending}")
    result = run("speak", "one two three", "-o", name)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert soundfile.info(name).duration > 0.3


def test_speak_reads_standard_input_and_writes_standard_output(run: Run, scripted: Any) -> None:
    result = run("speak", "-", "-o", "-", input="one two three")
    assert result.exit_code == 0, result.stderr
    assert result.stdout_bytes.startswith(b"RIFF")


@pytest.mark.parametrize("missing", ["typer", "soundfile"])
def test_without_its_extra_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    for name in [name for name in sys.modules if name.startswith("trio_speech.cli.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert exit.value.code == 2
    assert capsys.readouterr().err == f"trio-speech: {missing} is missing: pip install 'trio-speech[cli]'\n"


def test_a_defect_in_the_command_is_not_reported_as_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "trio_speech.cli.app", raising=False)
    monkeypatch.setitem(sys.modules, "trio_speech.cli.captions", None)
    with pytest.raises(ModuleNotFoundError, match="captions"):
        cli.main()


def test_version_prints_the_installed_version(run: Callable[..., Any]) -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout == f"trio-speech {version('trio-speech')}\n"
