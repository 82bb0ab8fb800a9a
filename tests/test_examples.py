"""Each example runs as a reader would run it, against the embedded gateway, and prints what it promises."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import trio_speech

EXAMPLES = Path(__file__).parents[1] / "examples"
README = EXAMPLES.parent / "README.md"

# What each prints, in this order, with anything in between.
PROMISES = {
    "01_transcribe_a_file": ["the weather is very nice today", r"0\.\d\d to +\d\.\d\d s  the", "s  today", "s  pizza"],
    "02_transcribe_live": ["somebody speaks", "…", "s  the weather is very nice today", "order a large pizza"],
    "03_speak_a_sentence": [r"sentence\.wav: [1-4]\.\d\d s", r"0\.\d\d to +\d\.\d\d s  The", "s  garden"],
    "04_stream_tokens_to_speech": ["0.00 s  segment 0", "segment 2", "said: It was a cold .* late again today"],
    "05_voice_echo": [
        "said: +I am listening.",
        "heard: .*today",
        "playing: .*bytes",
        "said: +You said: .*weather is very nice today.",
        "said: +You said: .*order a large pizza.",
    ],
    "06_barge_in": [r"interrupted after:( \S+)* days in a( \S+)*$", "heard: the weather is very nice today"],
    "07_timeouts": ["the weather is very nice today", r"time is up: .* from \d\.\d s on", "too slow"],
    "09_telephone_bridge": ["caller: the weather is very nice today", "caller: .*pizza", "the line was used for [1-9]"],
    "10_from_asyncio": ["heard: the weather is very nice today", "heard: .*pizza"],
    "11_batch": [
        "two.wav: failed: .*two.wav holds no audio",
        "one.wav: the weather is very nice today",
        "once more:",
        "one.wav: done before",
        "two.wav: the weather is very nice today",
    ],
    "12_live_captions": [
        "the weather is very nice today.*\n",
        "order a large pizza.*\n",
        r"captions\.vtt: [1-9] finals",
    ],
    "13_push_mode": ["heard: the weather is very nice today", "heard: .*pizza", "all that was sent is recognized"],
    "14_journal_after_a_kill": [
        "before the kill: f1 the weather is very nice today",
        "the first process ended by signal 9",
        "after the kill: f2 .*pizza",
    ],
    "15_ctrl_c": ["the weather is very nice today", "one moment: what was said so far", "I would like to order"],
    "an_engine_of_your_own": [
        r"spoken in \d+\.\d s: Paris calling\. All is well\.",
        "s  PARIS CALLING",
        "s  ALL IS WELL",
    ],
    "a_provider_of_your_own": [
        "heard: baba",
        "lost: .*reset",
        "heard: lila",
        r"spoken: Polly wants a cracker\. Polly wants another one\.",
        "Parrot keeps all laws",
    ],
    "08_broken_network": [
        "connection 1: reset after",
        "lost: connection broken",
        "back after .* s are sent again",
        # Whether the first sentence is final before the second fault is a matter of the machine.
        "(?=.*connection 2: dials are refused.*back after .* s are sent again)",
        "s  the weather is very nice today",
        "order a large pizza",
    ],
}


def run(folder: Path, *program: str | Path) -> str:
    """What Python prints, run in `folder`."""
    command = [sys.executable, *program]
    tested = {**os.environ, "PYTHONPATH": str(Path(trio_speech.__file__).parents[1])}
    done = subprocess.run(command, cwd=folder, env=tested, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("name", sorted(PROMISES))
def test_example(name: str, tmp_path: Path) -> None:
    printed = run(tmp_path, EXAMPLES / f"{name}.py")
    assert re.search(".*?".join(PROMISES[name]), printed, re.DOTALL | re.MULTILINE | re.IGNORECASE), printed


def test_every_example_has_its_promise() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == PROMISES.keys()


@pytest.mark.parametrize("name", sorted(PROMISES))
def test_an_example_imports_public_names_alone(name: str) -> None:
    tree = ast.parse((EXAMPLES / f"{name}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [each.name for each in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        parts = [part for name in names for part in name.split(".") if part != "__future__"]
        assert not [part for part in parts if part.startswith("_")]


def test_the_demo_hears_every_word_that_it_said(tmp_path: Path) -> None:
    printed = run(tmp_path, "-m", "trio_speech.cli", "demo")
    assert "the connection is cut" in printed
    assert "35 of 35 words agree" in printed


def test_the_readme_example_runs(tmp_path: Path) -> None:
    program, _ = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "readme.py"
    path.write_text(program, encoding="utf-8")
    assert re.search(r"0\.\d\d s  The weather is very nice today\.", run(tmp_path, path), re.IGNORECASE)
