"""Collects the events of a recognition session into one `Recognition`."""

from __future__ import annotations

from ...events import FinalTranscript, Gap, Recognition, TranscriptEvent
from .text import join


class RecognitionBuilder:
    """Collects the finals and gaps among the events of a session, which must be added in order."""

    def __init__(self) -> None:
        self._finals: list[FinalTranscript] = []
        self._gaps: list[Gap] = []

    def add(self, event: TranscriptEvent) -> None:
        """Adds the next event. Ignores all but finals and gaps."""
        if isinstance(event, FinalTranscript):
            self._finals.append(event)
        elif isinstance(event, Gap):
            self._gaps.append(event)

    def recognition(self) -> Recognition:
        """Returns all finals and gaps so far, and their joined text (see `text.join`)."""
        return Recognition(join(final.text for final in self._finals), tuple(self._finals), tuple(self._gaps))
