"""Runs of audio that no link will hear again, and when to say so.

Laws
    1. Audio evicted before it was sent is lost there and then. Audio evicted after it was sent is only *unreplayable*:
       if its link recognizes it after all, nothing was lost; only if the link dies, it is.
    2. Each lost sample is named by exactly one `Gap`. Runs that touch are one run, if they have one reason.
    3. A gap is told when what lies behind it is settled, or the stream ends: before that it might still grow.
"""

from __future__ import annotations

from msgspec import Struct


class GapRun(Struct):
    """``[start, end)`` in samples, lost for `reason`."""

    start: int
    end: int
    reason: str


class Gaps:
    """The gaps that have not been told yet."""

    def __init__(self) -> None:
        self._lost: list[GapRun] = []
        self._unreplayable: list[GapRun] = []
        self.total = 0
        """Samples lost so far, told or not."""

    def lose(self, start: int, end: int, reason: str) -> None:
        """``[start, end)`` is gone for good. Runs come in stream order."""
        if start >= end:
            return
        self.total += end - start
        last = self._lost[-1] if self._lost else None
        if last is not None and last.end == start and last.reason == reason:
            last.end = end
        else:
            self._lost.append(GapRun(start, end, reason))

    def give_up(self, start: int, end: int, reason: str) -> None:
        """``[start, end)`` is given up, which may lie before runs that are lost already."""
        later = [run for run in self._lost if run.start >= end]
        self._lost = [run for run in self._lost if run.start < end]
        for from_, to in self._missing(start, end):
            self.lose(from_, to, reason)
        self._lost += later

    def _missing(self, start: int, end: int) -> list[tuple[int, int]]:
        """What of ``[start, end)`` is in no lost run."""
        missing: list[tuple[int, int]] = []
        for run in self._lost:
            if run.end > start:
                if run.start > start:
                    missing.append((start, run.start))
                start = max(start, run.end)
        return [*missing, (start, end)] if start < end else missing

    def endanger(self, start: int, end: int, reason: str) -> None:
        """``[start, end)`` cannot be replayed: its fate is that of the link that it was sent on."""
        if start < end:
            self._unreplayable.append(GapRun(start, end, reason))

    @property
    def has_untold(self) -> bool:
        """Whether a lost run has not been told yet."""
        return bool(self._lost)

    @property
    def endangered(self) -> int:
        """Samples whose fate is undecided."""
        return sum(run.end - run.start for run in self._unreplayable)

    def committed(self, upto: int) -> None:
        """The link recognized all before `upto`: what was endangered there is safe."""
        self._unreplayable = [run for run in self._unreplayable if run.end > upto]
        for run in self._unreplayable:
            run.start = max(run.start, upto)

    def recognized(self, start: int, end: int) -> None:
        """The link recognized ``[start, end)``: what was endangered there is safe."""
        runs, self._unreplayable = self._unreplayable, []
        for run in runs:
            self.endanger(run.start, min(run.end, start), run.reason)
            self.endanger(max(run.start, end), run.end, run.reason)

    def link_lost(self) -> None:
        """What was endangered is lost."""
        runs = sorted(self._lost + self._unreplayable, key=lambda run: run.start)
        self.total -= sum(run.end - run.start for run in self._lost)
        self._lost, self._unreplayable = [], []
        for run in runs:
            self.lose(run.start, run.end, run.reason)

    def after(self, sample: int) -> int:
        """`sample`, or where the lost run ends that it lies in: nothing in between will ever be recognized."""
        for run in self._lost:
            if run.start <= sample < run.end:
                sample = run.end
        return sample

    def tell(self, before: int) -> list[GapRun]:
        """Takes out the runs which end before sample `before`, unless one of undecided fate comes first."""
        undecided = min((run.start for run in self._unreplayable), default=before)
        told = [run for run in self._lost if run.end < before and run.start < undecided]
        self._lost = self._lost[len(told) :]
        return told

    def tell_all(self) -> list[GapRun]:
        """Takes out every run: the stream has ended."""
        told, self._lost = self._lost, []
        return told
