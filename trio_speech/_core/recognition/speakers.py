"""The labels of speakers across links.

Laws
    1. A service counts its speakers anew on each link, so its labels mean nothing on the next.
    2. A label of a later link is the session's own label of whoever said, on an earlier link, a word that is heard
       again. Without such a word it is a new speaker, with a label that no other has.
    3. A session keeps at most 1,000 labels, whose length `RecognitionResult` bounds. A speaker beyond them has none: no
       conversation has so many, so the service's labels tell nothing any more.
"""

from __future__ import annotations

MOST_LABELS = 1_000


class SpeakerLabels:
    """One link's labels, in terms of the session's. `known` are all labels of the session, to which it adds."""

    def __init__(self, known: set[str], *, is_first: bool) -> None:
        self._known = known
        self._is_first = is_first
        self._labels: dict[str, str] = {}

    def label(self, raw: str | None, heard_as: str | None) -> str | None:
        """The session's label for what the link calls `raw`; `heard_as` is who said that word on an earlier link."""
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
