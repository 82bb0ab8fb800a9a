"""Commands that are sent to the service at a certain sample of the stream: a finalize, or a change of settings.

A queued command is called a *mark*, since it marks a place in the audio.

Laws
    1. A mark is due when all audio before it was sent, and not a sample later: audio frames are cut at marks.
    2. Marks are sent in the order in which they were made.
    3. A finalize that was not answered when its link was lost is sent again on the next link. A change is not: the next
       link opens with the current settings.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ..provider.requests import Change


class QueuedCommand(Struct, frozen=True):
    """A command to send when all audio before sample `at` was sent: `change`, or a finalize where that is ``None``."""

    at: int
    change: Change | None = None


class QueuedCommands:
    """The marks that were not sent yet, in order."""

    def __init__(self) -> None:
        self.waiting: list[QueuedCommand] = []

    def finalize(self, at: int) -> None:
        """Queues a finalize of all audio before sample `at`. A second one at the same sample is ignored."""
        if not self._asks_for(at):
            self.waiting.append(QueuedCommand(at))

    def change(self, at: int, change: Change) -> None:
        """Queues a change of settings at sample `at`."""
        self.waiting.append(QueuedCommand(at, change))

    def due(self, sent: int, *, speaking: bool) -> QueuedCommand | None:
        """Removes and returns the next mark, if all audio before it was sent; else ``None``. `sent`: in samples.

        A change of keyterms makes some services start anew, so while somebody speaks it waits, unless another mark is
        queued behind it.
        """
        if not self.waiting or self.waiting[0].at > sent:
            return None
        change = self.waiting[0].change
        if change is not None and change.keyterms is not None and speaking and len(self.waiting) == 1:
            return None
        return self.waiting.pop(0)

    def next_stop(self, sent: int) -> int | None:
        """Returns the sample at which the next frame must end at the latest; ``None`` where no mark is ahead."""
        return next((mark.at for mark in self.waiting if mark.at > sent), None)

    def link_lost(self, asked: Iterable[int], committed: int) -> None:
        """Call when the link is gone: queues its unanswered finalize requests again.

        `asked`: their samples, in order. Those up to the commit point `committed` are not queued.
        """
        self.waiting[:0] = [QueuedCommand(at) for at in asked if at > committed and not self._asks_for(at)]

    def resume(self, cut: int, end: int | None) -> None:
        """Call when a new link opens: drops the changes, since it opens with the current settings, and the marks up to
        sample `cut`, which are answered. `end`: the sample at which the input has ended; ``None``: it has not.
        """
        self.waiting = [mark for mark in self.waiting if mark.change is None and mark.at > cut]
        if end is not None:
            self.finalize(end)

    def _asks_for(self, at: int) -> bool:
        return any(mark.at == at and mark.change is None for mark in self.waiting)
