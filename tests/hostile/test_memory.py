"""What a flood of finals costs a client whose user does not read: the server floods from another process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from trio_speech import LivenessPolicy, ReplayPolicy

from .flood import KINDS, MIB

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no figures of a process here")

BOUNDS = (ReplayPolicy().max_unread_bytes + LivenessPolicy().max_message_bytes) / MIB
OVERHEAD = 60
"""MiB, of which 10 are what any session takes. The rest is one message of the largest size while it is taken apart: its
frame, its text, and its words, which take ten times as much as their JSON."""

FLOOD = str(Path(__file__).with_name("flood.py"))


@contextmanager
def flooding(kind: str) -> Generator[int, None, None]:
    """A server in a process of its own; yields its port."""
    with subprocess.Popen([sys.executable, FLOOD, "serve", kind], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.kill()


def listen(kind: str) -> dict[str, Any]:
    with flooding(kind) as port:
        program = [sys.executable, "-W", "error", FLOOD, "listen", str(port)]
        report = subprocess.run(program, check=True, capture_output=True, text=True, timeout=120.0).stdout
    print(kind, report)
    return json.loads(report)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "15 MiB of text"])
def test_unread_finals_cost_no_more_than_their_bound_and_the_session_goes_on_when_they_are_read(kind: str) -> None:
    report = listen(kind)
    assert all("wait to be read" in cause for cause in report["causes"])
    assert report["peak"] < BOUNDS + OVERHEAD
    assert (report["links"], report["links after reading"]) == (1, 2)


def test_a_message_beyond_the_bound_is_refused_before_it_is_read() -> None:
    report = listen("15 MiB of text")
    assert all("more than 4194304 bytes in one message" in cause for cause in report["causes"])
    assert report["causes"]
    assert report["peak"] < 30
