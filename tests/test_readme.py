"""What the README tells a stranger to type is what is checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from trio_speech.testing import ScriptedGateway

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_ci_runs_the_readmes_test_command_verbatim() -> None:
    _, tests = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
    assert f"({tests})" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_link_within_the_repository_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


async def test_the_test_is_one(gateway: ScriptedGateway, autojump_clock: Any) -> None:
    _, source = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(source, "README.md", "exec"), names)
    await names["test_a_reset_loses_no_word"](gateway, autojump_clock)
    assert len(gateway.visits) == 2
