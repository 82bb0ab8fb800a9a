"""The official client, unmodified, in a process of its own, against the gateway in another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("livekit.agents", exc_type=ImportError)

CLIENT = Path(__file__).with_name("official_client.py")
KEY, SECRET = "key", "s" * 40
SERVER = f"""
import trio
from trio_speech.gateway import serve

async def main():
    async with trio.open_nursery() as nursery:
        async def begin(task_status=trio.TASK_STATUS_IGNORED):
            await serve(keys={{{KEY!r}: {SECRET!r}}}, task_status=task_status)
        print(await nursery.start(begin), flush=True)

trio.run(main)
"""


@pytest.fixture
def url() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        server.terminate()


def test_the_official_client_speaks_and_listens(url: str) -> None:
    done = subprocess.run(
        [sys.executable, str(CLIENT), url, KEY, SECRET], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert " ".join(told["finals"]) == (
        "The weather is very nice today. It will rain tomorrow afternoon. Turn off the lights in the kitchen."
    )
    words = told["words"]
    assert [word for word, _, _ in words] == " ".join(told["finals"]).split()
    assert all(start < end for _, start, end in words)
    assert {"start_of_speech", "interim_transcript", "final_transcript", "end_of_speech"} <= set(told["kinds"])
    assert [" ".join(words).lower() for words in told["spoken"]] == [
        "the weather is very nice today. it will rain tomorrow afternoon.",
        "turn off the lights in the kitchen.",
    ]
    assert 3 < told["seconds"][0] < 8
    assert 1 < told["seconds"][1] < 4
    assert told["refused"] == 401
