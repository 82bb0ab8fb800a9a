"""``trio-speech chaos``: a client of a service, through the command."""

from __future__ import annotations

import math
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.cli.chaos import load_plan, parse_address
from trio_speech.testing import ScriptedGateway, assert_exactly_once, speech

EXAMPLE = Path(__file__).parents[2] / "examples" / "chaos.toml"
PLAN = """
[[connection]]
step = [{ do = "reset", up = 60_001 }]
"""


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost:80", ("localhost", 80)),
        ("[::1]:0", ("::1", 0)),
    ],
)
def test_an_address_is_host_and_port(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "9000", ":9000", "host", "host:", "host:x", "host:65536", "::1:80", "[h]:1", "h:" + "9" * 5_000]
)
def test_a_malformed_address_is_refused(text: str) -> None:
    with pytest.raises(ts.ConfigurationError, match="is not an address: use HOST:PORT"):
        parse_address(text)


def test_the_example_is_a_plan() -> None:
    plan = load_plan(str(EXAMPLE))
    kinds = {type(step).__name__ for connection in plan.connection for step in connection.step}
    assert kinds == {"Shape", "Reset", "FreezeConnection", "RefuseDials", "End", "HalfOpen", "Garbage"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"[[connection]]\nstep = [{ do = 'explode' }]", "Invalid value 'explode' - at `$.connection[0].step[0].do`"),
     (b"\xff", "not UTF-8"),
     (None, "No such file")],
)  # fmt: skip
def test_a_plan_that_cannot_be_used_is_wrong_use(
    run: Callable[..., Any], tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    plan = tmp_path / "plan.toml"
    if content is not None:
        plan.write_bytes(content)
    result = run("chaos", "--listen", "127.0.0.1:0", "--upstream", "localhost:1", "--plan", str(plan))
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert "plan.toml" in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "example.test"])
def test_without_upstream_only_loopback_is_listened_on(run: Callable[..., Any], host: str) -> None:
    result = run("chaos", "--listen", f"{host}:0", "--plan", str(EXAMPLE))
    assert result.exit_code == 2
    assert "--upstream" in result.stderr


def test_a_port_that_is_taken_is_named(run: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        result = run("chaos", "--listen", address, "--plan", str(EXAMPLE))
    assert result.exit_code == 2
    assert f"cannot listen on {address}" in result.stderr


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
async def test_connections_are_broken_as_planned_and_reported(
    gateway: ScriptedGateway, tmp_path: Path, end: signal.Signals
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    upstream = (await gateway.listen()).removeprefix("http://").partition("/")[0]
    program = [sys.executable, "-m", "trio_speech.cli", "chaos", "--listen", "127.0.0.1:0", "--upstream", upstream]
    program += ["--plan", str(plan)]
    spoken = speech(3.0)
    async with trio.open_nursery() as nursery:
        process = await nursery.start(partial(trio.run_process, program, stderr=subprocess.PIPE, check=False))
        with trio.fail_after(120):
            told = b""
            while b"Ctrl-C" not in told:
                told += await process.stderr.receive_some()
            proxy = told.decode().partition("relaying: ")[2].split()[0]
            async with (
                ts.open_client(
                    ts.LiveKit(f"http://{proxy}/v1", "key", "secret"), replay=ts.ReplayPolicy(speed=math.inf)
                ) as client,
                client.transcribe(spoken.source(speed=None), spoken.audio_format) as transcript,
            ):
                events = [event async for event in transcript]
            process.send_signal(end)
            async for more in process.stderr:
                told += more
            assert await process.wait() == 0
    assert_exactly_once(events, spoken, gateway.visits)
    assert b"connection 1: reset after 60001 up and" in told
    assert b"connection 2: opened" in told
