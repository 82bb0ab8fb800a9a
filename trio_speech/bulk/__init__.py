"""Many recordings: on this machine or a cluster, each done once, with results that survive a crash.

    summary = transcribe_archive("calls/*.flac", trio_speech.Deepgram(), out="results")

- `transcribe_archive`: a whole archive, on a Dask cluster that you have, or on the cores of this machine. It needs the
  extra ``bulk``.
- `Transcriber`: one thread of trio with one client, for a worker of any other engine, such as an actor of Ray.
- `find_recordings`, `recording_name`: which recordings sources mean, and what results call them.
- `open_shards`, `open_results`: the results, as a folder or as one file of JSON lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .addresses import recording_name
from .archive import ArchiveSummary, transcribe_archive
from .options import BulkOptions, EndpointLimits
from .results import FileResult, ResultsFile, open_results
from .shards import ResultsFolder, open_shards
from .sources import find_recordings

if TYPE_CHECKING:
    from .transcriber import Transcriber

__all__ = [
    "ArchiveSummary",
    "BulkOptions",
    "EndpointLimits",
    "FileResult",
    "ResultsFile",
    "ResultsFolder",
    "Transcriber",
    "find_recordings",
    "open_results",
    "open_shards",
    "recording_name",
    "transcribe_archive",
]


def __getattr__(name: str) -> Any:
    if name == "Transcriber":
        # Late, because it needs the extra `audio`, and results are read without.
        from .transcriber import Transcriber  # noqa: PLC0415

        return Transcriber
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
