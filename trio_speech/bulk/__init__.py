"""Many recordings at once: results that survive a crash, so that no recording is done twice."""

from __future__ import annotations

from .results import FileResult, ResultsFile, open_results

__all__ = ["FileResult", "ResultsFile", "open_results"]
