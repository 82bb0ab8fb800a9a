"""When a link is replaced by a fresh one: before its service ends it, and if possible in a pause of the speech."""

from __future__ import annotations

import math

_AT, _BY = 0.9, 0.97
"""The shares of the service's limit from which a link is replaced in a pause, and in any case."""
_BARREN_FROM, _BARREN_BY = 0.5, 0.75
"""The same for the finalize request that a link sends where it has brought no result yet. Without it, a link that is
shorter than an utterance would leave all of it to the next one, which would do the same."""


class RolloverSchedule:
    """The moments from which a link is replaced: in a pause from `at` on, and at `by` in any case.

    `cap`: seconds after `opened` at which the service ends the connection; ``None``: it does not, and both moments are
    infinite until `ask` is called.

    Where nothing was committed on the link, a finalize request is sent in a pause from `barren_from` on, and at
    `barren_by` in any case.
    """

    def __init__(self, cap: float | None, opened: float) -> None:
        self.at = self.by = self.barren_from = self.barren_by = math.inf
        if cap is not None:
            self.barren_from, self.barren_by = opened + cap * _BARREN_FROM, opened + cap * _BARREN_BY
            self.ask(opened + cap * _AT, opened + cap * _BY)

    def ask(self, at: float, by: float) -> None:
        """Requests a replacement in the first pause from the moment `at` on, and at the moment `by` at the latest.

        It never moves an earlier moment back.
        """
        self.at, self.by = min(self.at, at), min(self.by, by)
