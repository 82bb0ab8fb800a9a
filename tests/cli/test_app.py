"""The commands as a user types them: what they print, where, and with which code they end."""

from __future__ import annotations

import errno
import io
import logging
import os
import signal
import subprocess
import sys
import threading
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
from trio_speech.audio.files import write_audio
from trio_speech.cli.app import app
from trio_speech.cli.exits import network_news
from trio_speech.testing import Await, Drop, Hear, LabeledSpeech, Refuse, speech

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
    left = logging.getLogger("trio_speech").handlers
    assert all(isinstance(handler, logging.NullHandler) for handler in left)


def test_the_choice_of_an_engine_is_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    gateway = logging.getLogger("trio_speech.gateway.builtin")
    with network_news():
        gateway.info("the voice is hibari")
        gateway.warning("the engine is slow")
    assert capsys.readouterr().err == "trio-speech: the engine is slow\n"


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
        (("speak", " ", "-o", "hello.wav"), "there is no text to speak"),
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


def test_gaps_are_named_and_code_3(run: Run, scripted: Any, monkeypatch: pytest.MonkeyPatch, recorded: Any) -> None:
    async def with_a_gap(client: object, file: object, asked: object, output: Any, watch: object) -> Any:
        output.final(HEARD)
        return Recognition("heard", (HEARD,), (GAP,)), 3.0

    monkeypatch.setattr("trio_speech.cli.app.transcribe_file", with_a_gap)
    result = run("transcribe", recorded.name)
    assert (result.exit_code, result.stdout) == (3, "heard\n")
    assert result.stderr == "not recognized: 1.00 to 2.50 s (replay-limit)\n"


HEARD = trio_speech.FinalTranscript(text="heard", start=0, end=1)
GAP = trio_speech.Gap(1.0, 2.5, "replay-limit")


def test_an_interrupt_ends_cleanly(run: Run, scripted: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: object) -> Recognition:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the interrupt comes at the next checkpoint, or at once")

    monkeypatch.setattr("trio_speech.cli.app.transcribe_file", interrupted)
    result = run("transcribe", recorded.name)
    assert result.exit_code == 130
    assert "Traceback" not in result.output


def test_unencodable_text_and_warnings_print_no_traceback(
    run: Run, scripted: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def in_letters(client: object, file: object, asked: object, output: Any, watch: object) -> Any:
        output.final(trio_speech.FinalTranscript(text="naïve…", start=0, end=1))
        return Recognition("naïve…", (), ()), 1.0

    shown = io.BytesIO()
    monkeypatch.setattr("trio_speech.cli.app.transcribe_file", in_letters)
    monkeypatch.setattr(sys, "argv", ["trio-speech", "transcribe", recorded.name])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="latin-1"))
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert not exit.value.code
    assert shown.getvalue() == b"na\xefve\\u2026\n"
    assert warnings.formatwarning("take care", UserWarning, "file.py", 7) == "trio-speech: take care\n"


def test_a_closed_pipe_is_not_an_error(run: Run, scripted: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody_reads(*_: object) -> Recognition:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("trio_speech.cli.app.transcribe_file", nobody_reads)
    result = run("transcribe", recorded.name)
    assert (result.exit_code, result.stderr) == (1, "")


def test_a_defect_keeps_its_traceback(run: Run, scripted: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> Recognition:
        raise RuntimeError("a defect")

    monkeypatch.setattr("trio_speech.cli.app.transcribe_file", broken)
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
    for name in [name for name in sys.modules if name.startswith(("trio_speech.cli.", "trio_speech.audio."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert exit.value.code == 2
    assert capsys.readouterr().err == f"trio-speech: {missing} is missing: pip install 'trio-speech[cli]'\n"


def test_a_defect_in_the_command_is_not_reported_as_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "trio_speech.cli.app", raising=False)
    monkeypatch.setitem(sys.modules, "trio_speech.cli.batch", None)
    with pytest.raises(ModuleNotFoundError, match="batch"):
        cli.main()


def test_version_prints_the_installed_version(run: Callable[..., Any]) -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout == f"trio-speech {version('trio-speech')}\n"


# ---------------------------------------------------------------- what is recognized is written, whatever comes then


@pytest.fixture
def cut_off(scripted: Any, tmp_path: Path) -> LabeledSpeech:
    """A recording, ``long.wav``, in whose middle the service goes away for good."""
    said = speech(12.0)
    write_audio(tmp_path / "long.wav", said.audio, said.audio_format)
    scripted.plan = [Hear(9.0), Await("final"), Drop(), *[Refuse(401)] * 9]
    return said


def test_finals_are_written_before_the_error_that_ends_them(run: Run, cut_off: LabeledSpeech, tmp_path: Path) -> None:
    result = run("transcribe", str(tmp_path / "long.wav"))
    assert result.exit_code == 1
    heard = result.stdout.split()
    assert heard
    assert heard == cut_off.text.split()[: len(heard)]
    assert "401" in result.stderr


@pytest.mark.parametrize("name", ["json", "srt", "vtt"])
def test_every_format_is_complete_though_an_error_ends_it(
    run: Run, cut_off: LabeledSpeech, tmp_path: Path, name: str
) -> None:
    result = run("transcribe", str(tmp_path / "long.wav"), "--format", name)
    assert result.exit_code == 1
    first = cut_off.words[0].text
    if name == "json":
        assert msgspec.json.decode(result.stdout, type=Recognition).finals[0].words[0].text == first
    else:
        assert first in result.stdout
        assert result.stdout.endswith("\n")


def test_a_recording_cut_short_is_transcribed_then_named_with_code_1(run: Run, scripted: Any, recorded: Any) -> None:
    content = Path(recorded.name).read_bytes()
    Path(recorded.name).write_bytes(content[: len(content) - 32_000])
    result = run("transcribe", recorded.name)
    assert (result.exit_code, result.stdout != "") == (1, True)
    assert "said.wav: it is cut short: its header announces 4.00 s, of which 3.00 s were read" in result.stderr


def test_a_recording_whose_sizes_are_0_is_transcribed(run: Run, scripted: Any, recorded: Any) -> None:
    content = bytearray(Path(recorded.name).read_bytes())
    content[4:8] = content[40:44] = bytes(4)
    name = Path(recorded.name).with_suffix(".raw")
    name.write_bytes(content)
    result = run("transcribe", str(name))
    assert (result.exit_code, result.stdout.split()) == (0, recorded.said.text.split())


def test_raw_samples_are_read_from_standard_input(run: Run, scripted: Any, recorded: Any) -> None:
    result = run("transcribe", "-", "--raw", "16000", input=recorded.said.audio)
    assert result.stdout.split() == recorded.said.text.split()


@pytest.mark.parametrize("way", ["fifo", "/dev/stdin"])
def test_a_pipe_by_name_is_read(recorded: Any, tmp_path: Path, way: str) -> None:
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    program = (
        "import sys; sys.argv[0] = 'trio-speech'\n"
        "from trio_speech.cli import main, backends\n"
        "from tests_scripted import Scripted\n"
        "backends.BACKENDS['local'] = Scripted\n"
        "main()\n"
    )
    (tmp_path / "tests_scripted.py").write_text(Path(__file__).with_name("conftest.py").read_text())
    name = fifo if way == "fifo" else way
    command = [sys.executable, "-c", program, "transcribe", name]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False) as process:
        assert process.stdin is not None
        with open(fifo, "wb") if way == "fifo" else process.stdin as pipe:
            pipe.write(Path(recorded.name).read_bytes())
        assert process.stdout is not None
        assert process.stdout.read().decode().split() == recorded.said.text.split()
    assert process.returncode == 0


def test_a_live_pipe_gives_its_lines_while_it_is_open(scripted: Any, recorded: Any, monkeypatch: Any) -> None:
    reads, writes = os.pipe()
    shown = io.StringIO()
    audio, sent = recorded.said.audio, 0

    def write(text: str) -> int:
        nonlocal sent
        if text and sent < len(audio):  # the first line: only now is the rest written
            os.write(writes, audio[sent:])
            sent = len(audio)
            os.close(writes)
        return len(text)

    monkeypatch.setattr(shown, "write", write)
    monkeypatch.setattr(sys, "stdout", shown)
    with open(reads, "rb") as pipe:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe))
        sent = 2 * 16_000 * 3
        os.set_blocking(writes, True)
        threading.Thread(target=os.write, args=(writes, audio[:sent])).start()
        app(["transcribe", "-", "--raw", "16000"], standalone_mode=False)
    assert sent == len(audio)


def test_a_recording_without_speech_says_so(run: Run, scripted: Any, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "quiet.wav", [0.0] * 8_000, 16_000)
    result = run("transcribe", str(tmp_path / "quiet.wav"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no speech was recognized in 0.5 s of audio\n"


def test_a_recording_without_a_sample_is_wrong_use(run: Run, scripted: Any, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", [], 16_000)
    result = run("transcribe", str(tmp_path / "empty.wav"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "empty.wav holds no audio: not a single sample" in result.stderr


def test_a_language_that_the_service_refuses_is_wrong_use(run: Run, scripted: Any, recorded: Any) -> None:
    scripted.plan = [Refuse(400, body="no such language")] * 3
    assert run("transcribe", recorded.name, "--language", "xx").exit_code == 2
