"""The record of one scripted recognition: the audio that was heard, the messages that were sent or must be sent.

Whoever decodes the audio reports its words here. `grammar` lists the messages that may be sent about them.

- *Utterance*: words with no long pause between them. It is *over* when a pause has followed or a final was asked for.
- *Sound*: audible, but not a word. A service may take it for speech for a while.
- *Final*: a word is final when it was sent in a final transcript.
- *Owed*: a message that the service must send.
- Times within the audio are in seconds; `by` is a time on the caller's clock.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from ..._core.provider.messages import RecognitionResult
from ...events import Word


class Diction(Struct, frozen=True, kw_only=True):
    """How a service fills in its messages."""

    times: Literal["exact", "zero", "billed"] = "exact"
    """The start and end of a transcript. ``"exact"``: those of its words in the audio. ``"zero"``: always 0.
    ``"billed"``: it starts at 0 and lasts as long as the audio since the last final."""
    word_times: bool = True
    """Whether transcripts with exact times also carry the times of their words."""
    identified: bool = False
    """Whether finals carry an id. A final that is sent again has the same id."""
    ends_speech: bool = True
    """Whether a final says that its utterance is over; else only `SpeechOver` says so."""
    answers: bool = True
    """Whether the service answers finalize requests with `FinalizeAnswered`."""
    ignores: bool = False
    """Whether it may leave a finalize request unanswered that comes while no final is owed."""
    ordered: bool = False
    """Whether finals come in the order in which the utterances were spoken."""


class HeardUtterance(Struct):
    """An utterance or a sound, and which messages were sent about it.

    The flags tell what was sent: `onset`, a `SpeechOnset` (or none is needed any more); `retracted`, an empty interim
    that takes its words back; `restated`, its final again; `overtold`, a `SpeechOver`; `stale`, an interim or onset
    that came too late.
    """

    start: float
    end: float
    by: float
    """When the service can know its newest word."""
    words: tuple[Word, ...] = ()
    over: bool = False
    """Whether it has ended: a pause followed, or a final was asked for."""
    onset: bool = False
    shown: int = 0
    """How many of its words the newest interim held. Of a sound: 1 while an interim shows a word for it."""
    final: int = 0
    """How many of its words are final. Of a sound: 1 when nothing more needs to be sent about it."""
    retracted: bool = False
    restated: bool = False
    overtold: bool = False
    stale: bool = False

    @property
    def due(self) -> int:
        """How many of its words are not final yet."""
        return max(0, len(self.words) - self.final)

    @property
    def is_sound(self) -> bool:
        """Whether it is a sound: it has no words."""
        return not self.words

    @property
    def is_pending(self) -> bool:
        """Whether none of its words is final, and no interim of it was taken back."""
        return not self.final and not self.retracted

    @property
    def concluded(self) -> bool:
        """Whether it has words and all of them are final."""
        return bool(self.words) and self.final == len(self.words)

    @property
    def haunts(self) -> bool:
        """Whether it is a sound for which an interim shows a word, so that an empty interim must take it back."""
        return not self.words and self.shown > 0

    def conclude(self) -> None:
        """Call when the rest of its words is sent in a final. Its onset and interims need not be sent any more."""
        self.final = self.shown = len(self.words)
        self.onset = True


class Account:
    """What the service of one connection has heard, was asked for, and has sent so far."""

    def __init__(self, diction: Diction) -> None:
        self.diction = diction
        self.utterances: list[HeardUtterance] = []
        self.requests: list[float] = []
        """The unanswered finalize requests, oldest first: for each, from when on it can be answered."""
        self.ignorable = 0
        """How many of the oldest of these need no answer."""
        self.leaving: float | None = None
        """From when on the client's close message can be answered; ``None`` before it comes."""
        self.closed = False
        self.position = 0.0
        """Seconds of audio heard so far. Whoever decodes the audio sets it."""
        self.blank = False
        self._billed = 0.0
        self._acknowledged = 0.0

    # ------------------------------------------------------------ what comes from the client

    def hear(self, words: tuple[Word, ...], by: float) -> None:
        """Call when words were heard. They continue the utterance in progress, or begin one."""
        open_ = self.utterances[-1] if self.utterances else None
        if open_ is None or open_.over or not open_.words:
            self.utterances.append(HeardUtterance(words[0].start, words[-1].end, by, words))
        else:
            open_.words, open_.end, open_.by = open_.words + words, words[-1].end, by

    def sound(self, start: float, end: float, by: float) -> None:
        """Call when a sound was heard, from `start` to `end`."""
        self.utterances.append(HeardUtterance(start, end, by, over=True))

    def pause(self) -> None:
        """Call when the speaker pauses. The utterance in progress is then over."""
        if self.utterances:
            self.utterances[-1].over = True

    def request(self, by: float) -> None:
        """Call when the client asks for finals (finalize). The utterance in progress is then over."""
        self.pause()
        self.requests.append(by)
        if self.diction.ignores and not self.owes_finals and self.ignorable == len(self.requests) - 1:
            self.ignorable += 1

    def leave(self, by: float) -> None:
        """Call when the client ends the audio. The remaining finals are then owed, and after them the end."""
        self.pause()
        self.leaving = by

    # ------------------------------------------------------------ what the service sends

    def owed(self) -> list[tuple[tuple[str, int], float]]:
        """Returns what must be sent: each message as a `grammar.Choice`, and the time from which on it can be sent."""
        owed = [(("final", number), each.by) for number, each in enumerate(self.utterances) if each.over and each.due]
        owed += [(("retraction", number), each.by) for number, each in enumerate(self.utterances) if each.haunts]
        if self.diction.answers:
            owed += [(("answer", 0), by) for by in self.requests[self.ignorable :]]
        if self.leaving is not None and not owed:
            owed = [(("end", 0), self.leaving)]
        return [] if self.closed else owed

    def transcript(self, kind: Literal["interim", "final"], words: tuple[Word, ...], **more: Any) -> RecognitionResult:
        """Returns a transcript of `words`, filled in as `diction` says. `more`: other fields of `RecognitionResult`."""
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
        """Returns a final of `words`. `identity`: its id, if finals have one. `ends`: whether the utterance is over."""
        more = {"id": identity} if self.diction.identified else {}
        return self.transcript("final", words, ends_speech=ends and self.diction.ends_speech, **more)

    def acknowledge(self) -> float:
        """Returns up to where the audio is recognized, in seconds: the start of the first word that is not final.

        If all words are final, that is the end of the audio. The value is remembered for `acknowledgeable`.
        """
        waiting = [each.words[each.final].start for each in self.utterances if each.due]
        self._acknowledged = min(waiting, default=self.position)
        return self._acknowledged

    @property
    def is_leaving(self) -> bool:
        """Whether the client has ended the audio."""
        return self.leaving is not None

    @property
    def owes_finals(self) -> bool:
        """Whether an utterance that is over has words that are not final."""
        return any(each.over and each.due for each in self.utterances)

    @property
    def acknowledgeable(self) -> bool:
        """Whether more audio is recognized than `acknowledge` has returned so far."""
        waiting = [each.words[each.final].start for each in self.utterances if each.due]
        return min(waiting, default=self.position) > self._acknowledged
