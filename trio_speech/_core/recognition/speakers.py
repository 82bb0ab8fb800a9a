"""Keeps the labels of speakers the same over all links of a session.

Laws
    1. A service numbers its speakers anew on each link, so its labels mean nothing on the next link.
    2. Where a later link repeats a word that was delivered from an earlier one, its label stands for the speaker of
       that word, and is replaced by the session's label. Without such a word, it becomes a new label of the session.
    3. A session keeps at most 1,000 labels, whose length `RecognitionResult` bounds. Further speakers get no label: no
       conversation has so many, so the service's labels carry no information any more.
"""

from __future__ import annotations

MOST_LABELS = 1_000


class SpeakerLabels:
    """Maps one link's labels to the session's. `known`: all labels of the session; new ones are added to this set."""

    def __init__(self, known: set[str], *, is_first: bool) -> None:
        self._known = known
        self._is_first = is_first
        self._labels: dict[str, str] = {}

    def label(self, raw: str | None, heard_as: str | None) -> str | None:
        """Returns the session's label for the link's label `raw`; ``None`` where there is none.

        `heard_as`: the session's label of who said the same word on an earlier link, if it was delivered from there.
        """
        if raw is None:
            return None
        if raw not in self._labels:
            if max(len(self._known), len(self._labels)) >= MOST_LABELS:
                return None
            self._labels[raw] = self._new(raw) if heard_as is None or self._is_first else heard_as
        self._known.add(self._labels[raw])
        return self._labels[raw]

    def _new(self, raw: str) -> str:
        if self._is_first:
            return raw
        taken = self._known | set(self._labels.values())
        number, label = 2, raw
        while label in taken:
            label, number = f"{raw}.{number}", number + 1
        return label
