"""Many recordings: each is done once, and what is wrong with one stops no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trio_speech.audio.files import write_audio
from trio_speech.bulk import FileResult
from trio_speech.cli import batch
from trio_speech.testing import Drop, Hear, LabeledSpeech, Refuse, say

Run = Callable[..., Any]
NAMES = ("a", "b", "folder/c", "folder/deeper/d")
FILES = int(os.environ.get("TRIO_SPEECH_BATCH_FILES", "24"))
"""How many recordings a folder has whose batch is interrupted: 200 by night."""


@pytest.fixture
def folder(tmp_path: Path) -> dict[str, LabeledSpeech]:
    """Recordings in ``tmp_path/all`` and its folders, and files that are none."""
    said: dict[str, LabeledSpeech] = {}
    for number, name in enumerate(NAMES):
        path = tmp_path / "all" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        said[str(path)] = say(0.2, f"recording number{number}", 0.5)
        write_audio(path, said[str(path)].audio, said[str(path)].audio_format)
    (tmp_path / "all" / "notes.txt").write_text("not a recording")
    (tmp_path / "all" / ".hidden.wav").write_text("not a recording")
    return said


def results(path: Path) -> list[FileResult]:
    return [msgspec.json.decode(line, type=FileResult) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_each_recording_of_a_folder_is_one_line(
    run: Run, scripted: Any, folder: dict[str, LabeledSpeech], tmp_path: Path, jobs: str
) -> None:
    run_all = run("transcribe", str(tmp_path / "all"), "--jsonl", str(tmp_path / "r.jsonl"), "--jobs", jobs)
    assert (run_all.exit_code, run_all.stdout, run_all.stderr) == (0, "", "")
    assert {result.file: result.text for result in results(tmp_path / "r.jsonl")} == {
        name: said.text for name, said in folder.items()
    }
    assert scripted.gateways[0].peak <= int(jobs)


def test_several_recordings_are_written_under_their_names(
    run: Run, scripted: Any, folder: dict[str, LabeledSpeech]
) -> None:
    first, second = list(folder)[:2]
    result = run("transcribe", first, second, "--jobs", "1")
    assert result.stdout == f"==> {first} <==\n{folder[first].text}\n\n==> {second} <==\n{folder[second].text}\n\n"


def test_lines_of_json_can_go_to_standard_output(run: Run, scripted: Any, folder: dict[str, LabeledSpeech]) -> None:
    name = next(iter(folder))
    result = run("transcribe", name, "--jsonl", "-")
    assert msgspec.json.decode(result.stdout, type=FileResult).text == folder[name].text


def test_texts_are_joined_as_their_script_is_written(run: Run, scripted: Any, tmp_path: Path) -> None:
    said = say(0.2, "你好", 1.0, "再见", 0.5)
    write_audio(tmp_path / "said.wav", said.audio, said.audio_format)
    result = run("transcribe", str(tmp_path / "said.wav"), "--jsonl", "-")
    assert msgspec.json.decode(result.stdout, type=FileResult).text == "你好再见"


def test_what_is_done_is_not_done_again(
    run: Run, scripted: Any, folder: dict[str, LabeledSpeech], tmp_path: Path
) -> None:
    lines = tmp_path / "r.jsonl"
    arguments = ("transcribe", str(tmp_path / "all"), "--jsonl", str(lines), "--jobs", "1", "--resume")
    assert run(*arguments).exit_code == 0
    whole = lines.read_bytes()
    kept = whole.splitlines(keepends=True)
    lines.write_bytes(b"".join(kept[:2]) + kept[2][:20])  # killed in the middle of a line
    assert run(*arguments).exit_code == 0
    assert [result.file for result in results(lines)] == sorted(folder)
    assert len(scripted.gateways[1].visits) == 2
    assert run(*arguments).exit_code == 0
    assert len(scripted.gateways[2].visits) == 0


def test_a_recording_that_failed_is_tried_again(
    run: Run, scripted: Any, folder: dict[str, LabeledSpeech], tmp_path: Path
) -> None:
    lines, (first, *_) = tmp_path / "r.jsonl", folder
    whole = Path(first).read_bytes()
    Path(first).write_bytes(whole[:-16_000])
    arguments = ("transcribe", *folder, str(tmp_path / "absent.wav"), "--jsonl", str(lines), "--resume")
    result = run(*arguments)
    assert result.exit_code == 1
    assert "it is cut short" in result.stderr
    assert "absent.wav: No such file or directory" in result.stderr
    Path(first).write_bytes(whole)
    assert run(*arguments[:-3], "--jsonl", str(lines), "--resume").exit_code == 2
    found = results(lines)
    assert {result.file for result in found if result.error is None} == set(folder)
    assert [result.error is None for result in found if result.file == first] == [False, True]


def test_results_are_not_mixed_up(run: Run, scripted: Any, folder: dict[str, LabeledSpeech], tmp_path: Path) -> None:
    name, lines = next(iter(folder)), tmp_path / "r.jsonl"
    lines.write_text("something else\nof two lines")
    result = run("transcribe", name, "--jsonl", str(lines))
    assert (result.exit_code, "exists: resume to go on with it" in result.stderr) == (2, True)
    result = run("transcribe", name, "--jsonl", str(lines), "--resume")
    assert (result.exit_code, "is not a file of results: line 1" in result.stderr) == (2, True)
    assert lines.read_text() == "something else\nof two lines"
    result = run("transcribe", name, "--resume")
    assert (result.exit_code, "give --jsonl FILE" in result.stderr) == (2, True)


def test_refused_credentials_end_everything(
    run: Run, scripted: Any, folder: dict[str, LabeledSpeech], tmp_path: Path
) -> None:
    scripted.plan = [Refuse(401)] * 9
    result = run("transcribe", *folder, "--jobs", "1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(scripted.gateways[0].visits) == 1


def test_a_drop_in_one_recording_is_mended(run: Run, scripted: Any, folder: dict[str, LabeledSpeech]) -> None:
    scripted.plan = [Hear(0.7), Drop()]
    result = run("transcribe", *folder)
    assert result.exit_code == 0
    assert all(said.text in result.stdout for said in folder.values())


def test_each_name_is_taken_once(folder: dict[str, LabeledSpeech], tmp_path: Path) -> None:
    first, *_ = folder
    assert batch.recordings_in([first, str(tmp_path / "all"), first, "-"]) == [*sorted(folder), "-"]
    assert sys.stdin  # which the name - stands for


def test_a_name_in_another_spelling_is_the_same_recording(
    folder: dict[str, LabeledSpeech], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert batch.recordings_in(["all/a.wav", "all", "./all/a.wav", str(tmp_path / "all" / "a.wav"), "-", "-"]) == [
        *(f"all/{name}.wav" for name in NAMES),
        "-",
    ]


@pytest.mark.parametrize(("name", "told"), [("void", "void holds no recording"), ("", "a source is empty")])
def test_a_folder_without_recordings_is_wrong_use(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "void").mkdir()
    result = run("transcribe", name)
    assert (result.exit_code, result.stdout, told in result.stderr) == (2, "", True)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_odd_names_become_one_line_each(
    run: Run, scripted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [os.fsdecode(name) for name in (b"\xff.wav", b"new\nline.wav", b"[red]x.wav")]
    arguments = ("transcribe", *names, "--jsonl", "r.jsonl", "--resume")
    first = run(*arguments)
    assert first.exit_code == 2
    assert len(first.stderr.splitlines()) == len(results(tmp_path / "r.jsonl")) == 3
    said = say(0.2, "hello", 0.5)
    for name in names:
        write_audio("said.wav", said.audio, said.audio_format)
        os.replace("said.wav", name)
    assert run(*arguments).exit_code == 0
    assert run(*arguments).exit_code == 0
    found = [result.file for result in results(tmp_path / "r.jsonl") if result.text == "hello"]
    assert sorted(found) == ["[red]x.wav", "\\xff.wav", "new\nline.wav"]


def test_an_interrupted_batch_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    names = [str(tmp_path / "all" / f"{number:03}.wav") for number in range(FILES)]
    for number, name in enumerate(names):
        said = say(0.1, f"number{number}", 0.4)
        write_audio(name, said.audio, said.audio_format)
    lines = tmp_path / "r.jsonl"
    (tmp_path / "scripted_backend.py").write_text(Path(__file__).with_name("conftest.py").read_text())
    program = (
        "import sys; sys.argv[0] = 'trio-speech'\n"
        "from trio_speech.cli import main, backends\n"
        "from trio_speech.testing import Manner\n"
        "from scripted_backend import Scripted\n"
        "Scripted.manner = Manner(pace=float(sys.argv.pop(1)))\n"
        "backends.BACKENDS['local'] = Scripted\n"
        "main()\n"
    )
    arguments = ("transcribe", str(tmp_path / "all"), "--jsonl", str(lines), "--jobs", "2", "--resume")
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    slow = [sys.executable, "-c", program, "2", *arguments]
    with subprocess.Popen(slow, env=env, stderr=subprocess.PIPE, text=True) as process:
        while not lines.exists() or len(results(lines)) < FILES // 5:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert FILES // 5 <= len(results(lines)) < len(names)
    again = subprocess.run([sys.executable, "-c", program, "1000", *arguments], env=env, check=True, timeout=60)
    assert again.returncode == 0
    assert sorted(result.file for result in results(lines)) == names
    assert all(result.text == f"number{int(Path(result.file).stem)}" for result in results(lines))
