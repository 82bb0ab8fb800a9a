"""The examples in the docstrings of the client's synthesis calls run, and each parameter is explained there."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import ScriptedGateway

CALLS = (ts.Client.synthesize, ts.Client.render, ts.Client.prewarm)


class Player:
    """The loudspeaker of the examples."""

    def __init__(self) -> None:
        self.audio = b""

    def write(self, audio: bytes) -> None:
        self.audio += audio


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_every_parameter_is_explained(call: Any) -> None:
    explained = set(
        re.findall(r"`(\w+)`", " ".join(re.findall(r"^ *- (.*?):", inspect.getdoc(call) or "", re.MULTILINE)))
    )
    assert explained == set(inspect.signature(call).parameters) - {"self"}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
async def test_the_example_runs(gateway: ScriptedGateway, call: Any) -> None:
    (example,) = re.findall(r"::\n\n((?:    .*\n|\n)+)", inspect.getdoc(call) or "")
    names: dict[str, Any] = {"trio": trio, "ts": ts, "player": Player()}
    exec(f"async def example(client):\n{textwrap.indent(textwrap.dedent(example), '    ')}", names)
    async with gateway.client() as client:
        await names["example"](client)
    assert gateway.visits
