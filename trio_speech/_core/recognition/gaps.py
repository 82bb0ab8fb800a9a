"""Keeps account of lost audio, and of when each `Gap` event is told to the user.

Laws
    1. Audio that is evicted from the replay log before it was sent is lost at once. Audio that is evicted after it was
       sent is *endangered*: it cannot be sent again, so it is lost if its link dies before recognizing it.
    2. Each lost sample is named by exactly one `Gap`. Runs that touch are joined if they have the same reason.
    3. A gap is told when audio behind it is committed, or when the stream ends: before that it might still grow.
"""

from __future__ import annotations

from msgspec import Struct


class GapRun(Struct):
    """The samples ``[start, end)``, which are or may be lost, and why."""

    start: int
    end: int
    reason: str


class Gaps:
    """The lost runs that were not told yet, and the endangered ones."""

    def __init__(self) -> None:
        self._lost: list[GapRun] = []
        self._unreplayable: list[GapRun] = []
        self.total = 0
        """How many samples were lost so far, whether told or not."""

    def lose(self, start: int, end: int, reason: str) -> None:
        """Records that ``[start, end)`` is lost. Call it in stream order."""
        if start >= end:
            return
        self.total += end - start
        last = self._lost[-1] if self._lost else None
        if last is not None and last.end == start and last.reason == reason:
            last.end = end
        else:
            self._lost.append(GapRun(start, end, reason))

    def give_up(self, start: int, end: int, reason: str) -> None:
        """Records that ``[start, end)`` is lost, where it may lie before or overlap runs that are lost already."""
        later = [run for run in self._lost if run.start >= end]
        self._lost = [run for run in self._lost if run.start < end]
        for from_, to in self._missing(start, end):
            self.lose(from_, to, reason)
        self._lost += later

    def _missing(self, start: int, end: int) -> list[tuple[int, int]]:
        """Returns the parts of ``[start, end)`` that are in no lost run."""
        missing: list[tuple[int, int]] = []
        for run in self._lost:
            if run.end > start:
                if run.start > start:
                    missing.append((start, run.start))
                start = max(start, run.end)
        return [*missing, (start, end)] if start < end else missing

    def endanger(self, start: int, end: int, reason: str) -> None:
        """Records that ``[start, end)`` cannot be sent again: it is lost unless the current link recognizes it."""
        if start < end:
            self._unreplayable.append(GapRun(start, end, reason))

    @property
    def has_untold(self) -> bool:
        """Whether a lost run has not been told yet."""
        return bool(self._lost)

    @property
    def endangered(self) -> int:
        """How many samples are endangered."""
        return sum(run.end - run.start for run in self._unreplayable)

    def committed(self, upto: int) -> None:
        """Call when all audio before sample `upto` is committed: it is not endangered any more."""
        self._unreplayable = [run for run in self._unreplayable if run.end > upto]
        for run in self._unreplayable:
            run.start = max(run.start, upto)

    def recognized(self, start: int, end: int) -> None:
        """Call when the link has recognized ``[start, end)``: that is not endangered any more."""
        runs, self._unreplayable = self._unreplayable, []
        for run in runs:
            self.endanger(run.start, min(run.end, start), run.reason)
            self.endanger(max(run.start, end), run.end, run.reason)

    def link_lost(self) -> None:
        """Call when the link is gone: the endangered audio is lost."""
        runs = sorted(self._lost + self._unreplayable, key=lambda run: run.start)
        self.total -= sum(run.end - run.start for run in self._lost)
        self._lost, self._unreplayable = [], []
        for run in runs:
            self.lose(run.start, run.end, run.reason)

    def after(self, sample: int) -> int:
        """Returns the first sample from `sample` on that is in no lost run."""
        for run in self._lost:
            if run.start <= sample < run.end:
                sample = run.end
        return sample

    def tell(self, before: int) -> list[GapRun]:
        """Removes and returns the lost runs that end before sample `before`, up to the first endangered run."""
        undecided = min((run.start for run in self._unreplayable), default=before)
        told = [run for run in self._lost if run.end < before and run.start < undecided]
        self._lost = self._lost[len(told) :]
        return told

    def tell_all(self) -> list[GapRun]:
        """Removes and returns all lost runs. Call when the stream has ended."""
        told, self._lost = self._lost, []
        return told
