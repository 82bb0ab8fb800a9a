"""Things to say to the service at a certain place in the audio: finalize here, change the settings here.

Laws
    1. A mark is due when all audio before it has been sent, and not a sample later: audio frames are cut at marks.
    2. Marks come in the order in which they were made.
    3. A finalize that its link did not live to answer is due again on the next; a change is in how the next one opens.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ..provider.requests import Change


class QueuedCommand(Struct, frozen=True):
    """To be said once all before sample `at` has been sent; without a change: finalize."""

    at: int
    change: Change | None = None


class QueuedCommands:
    """The marks that are still to be sent."""

    def __init__(self) -> None:
        self.waiting: list[QueuedCommand] = []

    def finalize(self, at: int) -> None:
        """Finalize all before `at`; asked for twice at one place, it is said once."""
        if not self._asks_for(at):
            self.waiting.append(QueuedCommand(at))

    def change(self, at: int, change: Change) -> None:
        """Tell of a change."""
        self.waiting.append(QueuedCommand(at, change))

    def due(self, sent: int, *, speaking: bool) -> QueuedCommand | None:
        """Takes out the next mark, if all before it has been sent.

        A change of keyterms makes some services start afresh, so while somebody speaks it waits, for as long as there
        is nothing behind it.
        """
        if not self.waiting or self.waiting[0].at > sent:
            return None
        change = self.waiting[0].change
        if change is not None and change.keyterms is not None and speaking and len(self.waiting) == 1:
            return None
        return self.waiting.pop(0)

    def next_stop(self, sent: int) -> int | None:
        """Where the next frame of audio must end at the latest."""
        return next((mark.at for mark in self.waiting if mark.at > sent), None)

    def link_lost(self, asked: Iterable[int], committed: int) -> None:
        """The link that was asked to finalize at these places, in order, is gone without having answered."""
        self.waiting[:0] = [QueuedCommand(at) for at in asked if at > committed and not self._asks_for(at)]

    def resume(self, cut: int, end: int | None) -> None:
        """A new link hears what comes after `cut`; `end` is where the input ends, once it has.

        It opens with the settings of now, so no change is left to tell.
        """
        self.waiting = [mark for mark in self.waiting if mark.change is None and mark.at > cut]
        if end is not None:
            self.finalize(end)

    def _asks_for(self, at: int) -> bool:
        return any(mark.at == at and mark.change is None for mark in self.waiting)
