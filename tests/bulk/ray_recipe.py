"""The recipe for Ray, as the documentation has it. Run by ``nox -s ray``, for Ray is large."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import trio_speech
from trio_speech.bulk import FileResult

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "archives.md"
BLOCKS = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.filterwarnings("default")  # Ray's own
def test_each_recording_is_one_row(
    service: Any, recordings: Callable[[int], dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = recordings(20)
    monkeypatch.chdir(tmp_path)
    ray = pytest.importorskip("ray")
    (recipe,) = (block for block in BLOCKS if "import ray" in block)
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(recipe, str(PAGE), "exec"), names)
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    where = {"PYTHONPATH": str(Path(trio_speech.__file__).parents[1])}
    ray.init(num_cpus=2, include_dashboard=False, runtime_env={"env_vars": where})
    try:
        names["transcribe"](str(tmp_path / "calls"), service.backend)
        names["transcribe"](str(tmp_path / "calls"), service.backend)  # nothing is left to do
    finally:
        ray.shutdown()
    lines = (tmp_path / "results" / "results-00000.jsonl").read_bytes().splitlines()
    rows = [msgspec.json.decode(line, type=FileResult) for line in lines]
    assert {row.file: row.text for row in rows} == said
    assert len(rows) == len(said)
