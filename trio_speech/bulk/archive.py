"""Whole archives: `transcribe_archive`, its progress and its summary."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ..audio import AudioFormat
from ..errors import ConfigurationError
from ..policy import LivenessPolicy, ReplayPolicy, RetryPolicy
from ..provider import Backend
from .addresses import recording_name
from .options import BulkOptions, EndpointLimits
from .results import FileResult
from .shards import open_shards
from .sources import Sources, find_recordings
from .work_queue import WorkQueue

if TYPE_CHECKING:
    import distributed

    from .dask_client import DaskEngine


class ArchiveSummary(Struct, kw_only=True):
    """How far an archive is, and at the end what came of it. The figures but `total` and `skipped` are of this run.

    Fields:
        total: Recordings that the sources name.
        skipped: Recordings that were found complete in the results.
        done: Recordings that were recognized to their end.
        failed: Recordings that were set aside with an error.
        seconds: Seconds of audio that were read.
        words: Words that were recognized.
        gaps: Seconds of audio that could not be recognized.
        billed: Seconds of audio sent, repeats included: what a service may charge for. What workers sent that died is
            not in it.
        elapsed: Seconds of real time.
        threads: How many recordings are recognized at once.
        dashboard: The address of Dask's dashboard; ``None``: there is none, as where bokeh is not installed.
        last_error: The error of the recording that failed last.
    """

    total: int = 0
    skipped: int = 0
    done: int = 0
    failed: int = 0
    seconds: float = 0.0
    words: int = 0
    gaps: float = 0.0
    billed: float = 0.0
    elapsed: float = 0.0
    threads: int = 0
    dashboard: str | None = None
    last_error: str | None = None

    @property
    def speed(self) -> float:
        """Seconds of audio per second of real time."""
        return self.seconds / self.elapsed if self.elapsed else 0.0

    @property
    def time_left(self) -> float | None:
        """Seconds until all is done, if the others take as long; ``None`` before the first one is done."""
        here = self.done + self.failed
        return self.elapsed / here * (self.total - self.skipped - here) if here else None

    def add(self, result: FileResult) -> None:
        """Counts a result."""
        self.done += result.error is None
        self.failed += result.error is not None
        self.last_error = result.error or self.last_error
        self.seconds += result.seconds
        self.words += sum(len(final.words or final.text.split()) for final in result.finals)
        self.gaps += sum(gap.end - gap.start for gap in result.gaps)
        self.billed += result.statistics.billed if result.statistics is not None else 0.0


def transcribe_archive(
    sources: Sources,
    backend: Backend | Sequence[Backend],
    *,
    out: str | os.PathLike[str],
    client: distributed.Client | str | None = None,
    workers: int | None = None,
    at_once: int = 8,
    model: str | None = None,
    language: str | None = None,
    options: Mapping[str, Any] | None = None,
    keyterms: Iterable[str] = (),
    raw: AudioFormat | None = None,
    limits: EndpointLimits = EndpointLimits(),  # noqa: B008  # frozen
    tries: int = 3,
    storage_options: Mapping[str, Any] | None = None,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # frozen
    replay: ReplayPolicy = ReplayPolicy(),  # noqa: B008  # frozen
    liveness: LivenessPolicy = LivenessPolicy(),  # noqa: B008  # frozen
    patience: float = 300.0,
    progress: Callable[[ArchiveSummary], object] | None = None,
) -> ArchiveSummary:
    """Recognizes all recordings of an archive on a Dask cluster, and writes each result once. Needs the extra ``bulk``.

    It blocks until all is done: under trio, call it in a thread. Call it again after any interruption, with the same
    `out`: what is complete there is not done again, and what failed is tried again.

    Args:
        sources: Paths, wildcards, folders and URLs that fsspec knows, which the workers must be able to read.
        backend: The service to use, or several in order of preference. It is sent to the workers, with the credentials
            that it holds; one that holds none reads those in the workers' environment.
        out: The folder of the results, on this machine: JSON lines, one `FileResult` each.
        client: A Dask client, or the address of a scheduler; ``None``: a cluster on this machine, of processes that
            import the program's main module, which therefore needs its ``if __name__ == "__main__"``.
        workers: The processes of the cluster on this machine; ``None``: one for each core.
        at_once: How many recordings each of these recognizes at once. Workers of another cluster recognize as many as
            they have threads.
        model: The model, as the service names it.
        language: The language of the speech.
        options: The service's own settings.
        keyterms: Words that the recognizer should listen for.
        raw: The format of files that hold samples alone, without a header.
        limits: What the service may be asked for, by all workers together.
        tries: How often a recording is tried before it is set aside with its error.
        storage_options: What fsspec needs to open URLs.
        retry: When a session reconnects, and when it gives up.
        replay: How a session sends audio again.
        liveness: How soon a connection counts as dead.
        patience: Seconds without a scheduler, or without a worker, after which to give up.
        progress: Called about twice a second, and at the end.

    Returns what came of it. Raises `AuthenticationError` where the credentials are refused, `ConfigurationError` for
    wrong arguments and options and for a missing extra, `ConnectFailed` where the cluster is gone, and `OSError` where
    results cannot be written or recordings cannot be listed. All that was written by then is kept.
    """
    if tries < 1:
        raise ConfigurationError(f"tries is {tries!r}: use a whole number from 1 up")
    began = time.monotonic()
    names = find_recordings(sources, storage_options)
    with open_shards(out) as results:
        to_do = [name for name in names if recording_name(name) not in results.done]
        summary = ArchiveSummary(total=len(names), skipped=len(names) - len(to_do))
        if to_do:
            asked = BulkOptions(
                model=model,
                language=language,
                options=options,
                keyterms=tuple(keyterms),
                raw=raw,
                storage_options=storage_options,
                limits=limits,
                retry=retry,
                replay=replay,
                liveness=liveness,
            )
            with _open_engine(client, workers=workers, at_once=at_once, patience=patience) as engine:

                def accept(result: FileResult) -> None:
                    results.write(result)
                    summary.add(result)

                def watch() -> None:
                    summary.elapsed = time.monotonic() - began
                    summary.threads, summary.dashboard = engine.state.threads, engine.state.dashboard
                    if progress is not None:
                        progress(summary)

                engine.run(WorkQueue(to_do, tries), backend, asked, accept, watch)
        summary.elapsed = time.monotonic() - began
        if progress is not None:
            progress(summary)
    return summary


def _open_engine(
    client: distributed.Client | str | None, *, workers: int | None, at_once: int, patience: float
) -> AbstractContextManager[DaskEngine]:
    try:
        # Late: reading results needs no extra, and a finished archive must not wait for the import.
        from .dask_client import open_engine  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"an archive needs the module {error.name}, which is not installed: pip install 'trio-speech[bulk]'"
        ) from error
    return open_engine(client, workers=workers, at_once=at_once, patience=patience)
