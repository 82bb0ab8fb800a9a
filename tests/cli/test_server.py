"""``trio-speech serve``: whom it lets in, and a client of its protocol against it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.cli.server import parse_keys
from trio_speech.testing import speech


def test_keys_are_parsed_as_pairs() -> None:
    assert parse_keys(["one:two", "three:four:five"]) == {"one": "two", "three": "four:five"}


@pytest.mark.parametrize("given", ["secretive", ":secretive", "key:"])
def test_a_bad_key_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(ts.ConfigurationError) as caught:
        parse_keys([given])
    assert "secretive" not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.test"])
def test_a_public_host_needs_keys(run: Callable[..., Any], host: str) -> None:
    result = run("serve", "--host", host)
    assert result.exit_code == 2
    assert "--key" in result.stderr


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
async def test_clients_are_served_until_a_signal(end: signal.Signals) -> None:
    program = [
        sys.executable,
        "-m",
        "trio_speech.cli",
        "serve",
        "--port",
        "0",
        "--key",
        "key:secret-of-32-characters-or-more",
    ]
    async with trio.open_nursery() as nursery:
        process = await nursery.start(partial(trio.run_process, program, stderr=subprocess.PIPE, check=False))
        with trio.fail_after(120):
            said = b""
            while b"Ctrl-C" not in said:
                said += await process.stderr.receive_some()
            url = said.decode().partition("LIVEKIT_INFERENCE_URL=")[2].split()[0]
            async with ts.open_client(ts.LiveKit(url, "key", "wrong" * 8)) as client:
                with pytest.raises(ts.AuthenticationError):
                    await client.recognize(speech(1.0), ts.AudioFormat.pcm16(16_000))
            async with ts.open_client(ts.LiveKit(url, "key", "secret-of-32-characters-or-more")) as client:
                clip = await client.render("It will rain tomorrow afternoon.")
            assert clip.duration > 1
            process.send_signal(end)
            assert await process.wait() == 0
