"""What one connection's recognizer has heard, what it has said of it, and what it still owes.

The words come from whoever decodes the audio; what may be said of them is in `grammar`.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from ..._core.provider.messages import RecognitionResult
from ...events import Word


class Diction(Struct, frozen=True, kw_only=True):
    """How a service puts what it says, whatever it says."""

    times: Literal["exact", "zero", "billed"] = "exact"
    """Spans are those of the audio; or all 0; or start at 0 and last as long as the audio since the last final."""
    word_times: bool = True
    """Transcripts carry words with times."""
    identified: bool = False
    """Finals carry an identity, the same one when they are said again."""
    ends_speech: bool = True
    """A final says that its utterance is over; else only a message of its own does."""
    answers: bool = True
    """Finalize requests are answered by a message of their own."""
    ignores: bool = False
    """But for those that come while nothing is pending: they may stay unanswered."""
    ordered: bool = False
    """Finals come in the order in which the utterances were spoken."""


class HeardUtterance(Struct):
    """One utterance, or one sound without words, as far as one connection has heard it and spoken of it."""

    start: float
    end: float
    by: float
    """The moment from which on the service can know all that was heard of it."""
    words: tuple[Word, ...] = ()
    over: bool = False
    """It has ended: a pause followed, or a final was asked for."""
    onset: bool = False
    shown: int = 0
    """How many of its words the newest interim had; of a sound, 1 while its ghost is shown."""
    final: int = 0
    """How many of its words are final; of a sound, 1 once it is done with."""
    retracted: bool = False
    restated: bool = False
    overtold: bool = False
    stale: bool = False

    @property
    def due(self) -> int:
        """How many of its words have still to become final."""
        return max(0, len(self.words) - self.final)

    @property
    def is_sound(self) -> bool:
        """It has no words."""
        return not self.words

    @property
    def is_pending(self) -> bool:
        """None of it is final, and nothing of it has been taken back."""
        return not self.final and not self.retracted

    @property
    def concluded(self) -> bool:
        """All its words are final."""
        return bool(self.words) and self.final == len(self.words)

    @property
    def haunts(self) -> bool:
        """It is a sound, of which something is shown that has to be taken back."""
        return not self.words and self.shown > 0

    def conclude(self) -> None:
        """All its words are final: what was announced of them makes no difference any more."""
        self.final = self.shown = len(self.words)
        self.onset = True


class Account:
    """What one connection's service was sent and asked for, and what it has said so far."""

    def __init__(self, diction: Diction) -> None:
        self.diction = diction
        self.utterances: list[HeardUtterance] = []
        self.requests: list[float] = []
        """The finalize requests without an answer: for each, the moment from which on it can be answered."""
        self.ignorable = 0
        """So many of them, from the oldest on, need no answer."""
        self.leaving: float | None = None
        """The close message has come; the moment from which on it can be answered."""
        self.closed = False
        self.position = 0.0
        """Seconds of audio heard."""
        self.blank = False
        self._billed = 0.0
        self._acknowledged = 0.0

    # ------------------------------------------------------------ what it is sent

    def hear(self, words: tuple[Word, ...], by: float) -> None:
        """More words of the utterance in progress, or of a new one."""
        open_ = self.utterances[-1] if self.utterances else None
        if open_ is None or open_.over or not open_.words:
            self.utterances.append(HeardUtterance(words[0].start, words[-1].end, by, words))
        else:
            open_.words, open_.end, open_.by = open_.words + words, words[-1].end, by

    def sound(self, start: float, end: float, by: float) -> None:
        """A sound that is no word."""
        self.utterances.append(HeardUtterance(start, end, by, over=True))

    def pause(self) -> None:
        """Nobody speaks: the utterance in progress is over."""
        if self.utterances:
            self.utterances[-1].over = True

    def request(self, by: float) -> None:
        """A final of all that was heard is asked for."""
        self.pause()
        self.requests.append(by)
        if self.diction.ignores and not self.owes_finals and self.ignorable == len(self.requests) - 1:
            self.ignorable += 1

    def leave(self, by: float) -> None:
        """No more audio comes: the rest is asked for, and then the end."""
        self.pause()
        self.leaving = by

    # ------------------------------------------------------------ what it says

    def owed(self) -> list[tuple[tuple[str, int], float]]:
        """What has to be said, each with the moment from which on it could be."""
        owed = [(("final", number), each.by) for number, each in enumerate(self.utterances) if each.over and each.due]
        owed += [(("retraction", number), each.by) for number, each in enumerate(self.utterances) if each.haunts]
        if self.diction.answers:
            owed += [(("answer", 0), by) for by in self.requests[self.ignorable :]]
        if self.leaving is not None and not owed:
            owed = [(("end", 0), self.leaving)]
        return [] if self.closed else owed

    def transcript(self, kind: Literal["interim", "final"], words: tuple[Word, ...], **more: Any) -> RecognitionResult:
        """A transcript of these words, in this service's diction."""
        start, end = (words[0].start, words[-1].end) if words else (0.0, 0.0)
        if self.diction.times == "zero" or not words:
            start = end = 0.0
        elif self.diction.times == "billed":
            start, end = 0.0, self.position - self._billed
            if kind == "final":
                self._billed = self.position
        text = " ".join(word.text for word in words)
        timed = words if self.diction.word_times and self.diction.times == "exact" else ()
        return RecognitionResult(kind=kind, text=text, start=start, end=end, words=timed, **more)

    def finalize(self, words: tuple[Word, ...], identity: str, *, ends: bool = True) -> RecognitionResult:
        """A final of these words."""
        more = {"id": identity} if self.diction.identified else {}
        return self.transcript("final", words, ends_speech=ends and self.diction.ends_speech, **more)

    def acknowledge(self) -> float:
        """All before the first word that is not final has been recognized."""
        waiting = [each.words[each.final].start for each in self.utterances if each.due]
        self._acknowledged = min(waiting, default=self.position)
        return self._acknowledged

    @property
    def is_leaving(self) -> bool:
        """Whether the close message has come."""
        return self.leaving is not None

    @property
    def owes_finals(self) -> bool:
        """Whether an utterance that is over is not final."""
        return any(each.over and each.due for each in self.utterances)

    @property
    def acknowledgeable(self) -> bool:
        """Whether more is recognized than has been acknowledged."""
        waiting = [each.words[each.final].start for each in self.utterances if each.due]
        return min(waiting, default=self.position) > self._acknowledged
