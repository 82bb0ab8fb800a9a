"""``trio-speech bulk``: an archive on a cluster, with its progress on standard error and a summary at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from trio_speech.bulk import ArchiveSummary

from .exits import messages

_HOUR = 3_600.0


@contextmanager
def archive_progress() -> Generator[Callable[[ArchiveSummary], None]]:
    """Yields a function that shows the progress of an archive, to be called with each new summary.

    On a terminal it draws one line again and again. It prints each error, and the dashboard's address, once.
    """
    # Dask configures its loggers when it is imported: by default so that they print what only its authors understand.
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as progress:
        task, told = progress.add_task("starting", total=None), set[str]()

        def once(kind: str, text: str) -> None:
            if text not in told:
                told.add(text)
                messages.print(f"{kind} {escape(text)}", soft_wrap=True)

        def watch(now: ArchiveSummary) -> None:
            if now.dashboard is not None:
                once("dashboard:", now.dashboard)
            if now.last_error is not None:
                once("[red]set aside:[/]", now.last_error)
            settled = now.skipped + now.done + now.failed
            progress.update(task, total=now.total, completed=settled, description=progress_text(now))

        yield watch


def progress_text(now: ArchiveSummary) -> str:
    """Returns the text beside the progress bar."""
    parts = [f"{now.seconds / _HOUR:.2f} h of audio", f"{now.speed:.1f} times real time"]
    if now.failed:
        parts.append(f"{now.failed} set aside")
    if now.time_left is not None:
        parts.append(f"{duration(now.time_left)} left")
    return ", ".join(parts) if now.threads else "waiting for workers"


def summary_text(summary: ArchiveSummary) -> str:
    """Returns the result of an archive, in one line."""
    return (
        f"{summary.done} recordings done, {summary.skipped} were done before, {summary.failed} set aside: "
        f"{summary.seconds / _HOUR:.2f} h of audio, {summary.words} words, {summary.gaps:.1f} s in gaps, "
        f"{summary.billed:.0f} s billed, in {duration(summary.elapsed)} ({summary.speed:.1f} times real time)"
    )


def duration(seconds: float) -> str:
    """Returns a duration as text, such as ``1:05:09`` or ``5:09``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
