"""Two processes begin a session on the same new path at the same moment, again and again: each time one of them may.

``python tests/chaos/journal_races.py 1000`` does so as often.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import trio_speech as ts
from trio_speech._core.provider.requests import TranscribeRequest
from trio_speech._core.recognition.journal_recovery import recover
from trio_speech._shell.recognition.journal_file import create_journal

REQUEST = TranscribeRequest(audio_format=ts.AudioFormat.pcm16(16_000))
APART = 0.002
"""Seconds from one race to the next."""


def contend(name: bytes, folder: Path, races: int, began: float, report: int) -> None:
    """Begins each journal, writes what is its own, and reports a byte for each: its name, or a dash."""
    outcome = bytearray()
    for race in range(races):
        while time.monotonic() < began + race * APART:
            pass
        try:
            journal = create_journal(folder / str(race), REQUEST)
        except ts.ConfigurationError:
            outcome += b"-"
        else:
            journal.captured(name * 64)
            outcome += name
            if race % 2:  # else it is kept until the end, as by a session that goes on
                journal.close()
    os.write(report, outcome)


def race(races: int) -> list[bytes]:
    """The winner of each race; raises `AssertionError` where there was none, or two, or the journal is another's."""
    with tempfile.TemporaryDirectory() as folder:
        began, pipes = time.monotonic() + 0.1, [os.pipe() for _ in "ab"]
        children: list[int] = []
        for name, (_, writing) in zip((b"a", b"b"), pipes, strict=True):
            child = os.fork()
            if child == 0:
                try:
                    contend(name, Path(folder), races, began, writing)
                finally:
                    os._exit(0)
            os.close(writing)
            children.append(child)
        outcomes: list[bytes] = []
        for reading, _ in pipes:
            with open(reading, "rb") as report:
                outcomes.append(report.read())
        for child in children:
            os.waitpid(child, 0)
        winners: list[bytes] = []
        assert [len(outcome) for outcome in outcomes] == [races, races]
        for number, (one, other) in enumerate(zip(*outcomes, strict=True)):
            assert (one == ord("-")) != (other == ord("-")), f"race {number}: {one}, {other}"
            winners.append(b"b" if one == ord("-") else b"a")
            assert recover(Path(folder, str(number)).read_bytes()).audio == winners[-1] * 64
    return winners


if __name__ == "__main__":
    result = race(int(sys.argv[1]))
    print(f"{len(result)} races, one winner each; the first process won {result.count(b'a')}")
