"""Journals under SIGKILL, and under two processes that begin one at the same moment.

A slice runs with the tests; ``TRIO_SPEECH_JOURNAL_RUNS=1000`` (or ``nox -s nightly``) runs it in full. The work is done
by scripts, because they fork: a test's process may have threads.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUNS = os.environ.get("TRIO_SPEECH_JOURNAL_RUNS", "10")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are made by fork()")


def report_of(script: str) -> str:
    program = [sys.executable, "-W", "error", str(Path(__file__).with_name(script)), RUNS]
    return subprocess.run(program, check=True, capture_output=True, text=True).stdout


def test_no_sample_is_lost_to_a_kill_and_at_most_the_last_event_comes_again() -> None:
    assert " 0 samples lost" in report_of("journal_kills.py")


def test_of_two_processes_that_begin_a_journal_one_succeeds() -> None:
    assert f"{RUNS} races, one winner each" in report_of("journal_races.py")
