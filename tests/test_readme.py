"""What the README tells a stranger to type is what is checked, and its links lead somewhere, on an index's page too."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from trio_speech.testing import ScriptedGateway

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made of their words; of the page that it includes, too."""
    text = page.read_text(encoding="utf-8")
    included = re.findall(r"^```\{include\} (\S+)$", text, re.MULTILINE)
    text += "".join((page.parent / path).read_text(encoding="utf-8") for path in included)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_ci_runs_the_readmes_test_command_verbatim() -> None:
    _, tests = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
    assert f"({tests})" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    for link in links:
        target, _, anchor = link.partition("#")
        path = page.parent / target if target else page
        assert path.exists(), link
        if anchor:
            assert anchor in anchors_of(path), link


def test_no_link_is_left_that_would_lead_nowhere_from_an_index_page() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shown = README
    for each in project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        shown = re.sub(each["pattern"], each["replacement"], shown)
    assert len(LINK.findall(README)) > 20
    assert [link for link in LINK.findall(shown) if not link.startswith("https://")] == []


async def test_the_test_is_one(gateway: ScriptedGateway, autojump_clock: Any) -> None:
    _, source = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(source, "README.md", "exec"), names)
    await names["test_a_reset_loses_no_word"](gateway, autojump_clock)
    assert len(gateway.visits) == 2
