"""What a truthful recognizer may say at any moment, and what it must: the grammar of its manners, as data.

A service is *truthful* if what it says of the audio that it was sent is so, and if what it owes comes in time. That
leaves it many freedoms, and `GRAMMAR` is the table of them: each row is one kind of message, when it may be said, and
what it says. An `Account` is what one connection's service has heard and said so far; the rows read it and write it.

Nothing here chooses. Whoever uses the grammar does: a search takes every row that may be said, a random history draws
one, a scripted service says what its manner asks for.

    account = Account(Diction())
    account.hear((Word("hello", 0.2, 0.5),), by=12.0)      # `by`: the moment from which on the service can know
    account.pause()
    account.sayable({"onset", "final"})                    # [("onset", 0), ("final", 0)]
    account.say("final", 0)                                # the messages, for a codec or a machine
    account.owed()                                         # what truthfulness still demands, and from which moment on
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from ..._core.provider.messages import (
    Acknowledged,
    Closed,
    FinalizeAnswered,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
)
from ...events import Word

Said: TypeAlias = RecognitionResult | SpeechOnset | SpeechOver | Acknowledged | FinalizeAnswered | Closed
Choice: TypeAlias = tuple[str, int]
"""A row of the grammar by its name, and the number of the utterance of which it speaks (0 where it speaks of none)."""

GHOST = "uh"
"""What is shown, and then taken back, of a sound that was no word."""


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

    def leave(self, by: float) -> None:
        """No more audio comes: the rest is asked for, and then the end."""
        self.pause()
        self.leaving = by

    # ------------------------------------------------------------ what it says

    def sayable(self, rows: Collection[str]) -> list[Choice]:
        """What may be said now, of these rows of the grammar."""
        if self.closed:
            return []
        return [(name, number) for name in rows for number in GRAMMAR[name].may(self)]

    def say(self, name: str, number: int) -> Said:
        """Says it: the message, in this service's diction."""
        return GRAMMAR[name].say(self, number)

    def owed(self) -> list[tuple[Choice, float]]:
        """What has to be said, each with the moment from which on it could be."""
        owed = [(("final", number), each.by) for number, each in enumerate(self.utterances) if each.over and each.due]
        owed += [(("retraction", number), each.by) for number, each in enumerate(self.utterances) if _haunts(each)]
        if self.diction.answers:
            owed += [(("answer", 0), by) for by in self.requests]
        if self.leaving is not None and not owed:
            owed = [(("end", 0), self.leaving)]
        return [] if self.closed else owed

    def transcript(self, kind: Literal["interim", "final"], words: tuple[Word, ...], **more: Any) -> RecognitionResult:
        """A transcript of these words, in this service's diction."""
        start, end = (words[0].start, words[-1].end) if words else (0.0, 0.0)
        if self.diction.times == "zero":
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
    def acknowledgeable(self) -> bool:
        """Whether more is recognized than has been acknowledged."""
        waiting = [each.words[each.final].start for each in self.utterances if each.due]
        return min(waiting, default=self.position) > self._acknowledged


# ---------------------------------------------------------------- the rows

Numbers: TypeAlias = Iterator[int]


class Row(Struct, frozen=True):
    """One kind of message."""

    may: Callable[[Account], Numbers]
    """The utterances of which it may be said now; a row that speaks of none gives 0 where it may be said."""
    say: Callable[[Account, int], Said]
    news: bool = True
    """Whether it tells anything that was not told before."""


def _haunts(each: HeardUtterance) -> bool:
    return not each.words and each.shown > 0


def _begun(account: Account) -> Numbers:
    for number, each in enumerate(account.utterances):
        if each.words and not each.onset and not each.final:
            yield number


def _onset(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.onset = True
    return SpeechOnset(None if account.diction.times != "exact" else each.start)


def _unshown(account: Account) -> Numbers:
    for number, each in enumerate(account.utterances):
        if each.words and each.shown != len(each.words) and not each.final:
            yield number


def _interim(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.shown = len(each.words)
    return account.transcript("interim", each.words)


def _finished(account: Account) -> Numbers:
    """Utterances that may become final: the oldest, or any where finals come in any order."""
    for number, each in enumerate(account.utterances):
        if each.due and each.over:
            yield number
        if each.due and account.diction.ordered:
            return


def _first_finished(account: Account) -> Numbers:
    for number in _finished(account):
        if not any(each.due for each in account.utterances[:number]):
            yield number


def _crossing(account: Account) -> Numbers:
    """Utterances that may become final although an older one is not."""
    first = set(_first_finished(account))
    yield from (number for number in _finished(account) if number not in first)


def _final(account: Account, number: int) -> Said:
    each = account.utterances[number]
    words = each.words[each.final :]
    each.conclude()
    return account.finalize(words, f"u{number}")


def _divisible(account: Account) -> Numbers:
    return (number for number in _first_finished(account) if account.utterances[number].due > 1)


def _part(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.final += 1
    return account.finalize(each.words[each.final - 1 : each.final], f"u{number}.{each.final}", ends=False)


def _joinable(account: Account) -> Numbers:
    for number in _first_finished(account):
        following = account.utterances[number + 1 : number + 2]
        if following and following[0].over and following[0].words and not following[0].final:
            yield number


def _joined(account: Account, number: int) -> Said:
    first, second = account.utterances[number : number + 2]
    words = (*first.words[first.final :], *second.words)
    first.conclude()
    second.conclude()
    return account.finalize(words, f"u{number}+{number + 1}")


def _repeatable(account: Account) -> Numbers:
    for number, each in enumerate(account.utterances):
        if each.words and not each.due and not each.restated:
            yield number


def _doubled(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.restated = True
    return account.finalize(each.words, f"u{number}")


def _restatable(account: Account) -> Numbers:
    """Utterances that are final and may be said again, together with the next, which is not."""
    for number in _repeatable(account):
        following = account.utterances[number + 1 : number + 2]
        if following and following[0].over and following[0].words and not following[0].final:
            yield number


def _restated(account: Account, number: int) -> Said:
    first, second = account.utterances[number : number + 2]
    first.restated = True
    second.conclude()
    return account.finalize((*first.words, *second.words), f"u{number}+{number + 1}")


def _stale(account: Account) -> Numbers:
    for number, each in enumerate(account.utterances):
        if each.words and not each.due and not each.stale:
            yield number


def _late_interim(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.stale = True
    return account.transcript("interim", each.words)


def _late_onset(account: Account, number: int) -> Said:
    account.utterances[number].stale = True
    return _onset(account, number)


def _retractable(account: Account) -> Numbers:
    for number, each in enumerate(account.utterances):
        if each.shown and not each.final and not each.retracted:
            yield number


def _retraction(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.retracted, each.shown = True, 0
    each.final = 0 if each.words else 1
    return account.transcript("interim", ())


def _soundless(account: Account) -> Numbers:
    for number, each in enumerate(account.utterances):
        if not each.words and not each.onset and not each.final:
            yield number


def _ghostly(account: Account) -> Numbers:
    for number, each in enumerate(account.utterances):
        if not each.words and not each.shown and not each.final and not each.retracted:
            yield number


def _ghost(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.shown = 1
    return account.transcript("interim", (Word(GHOST, each.start, each.end),))


def _empty(account: Account) -> Numbers:
    """An empty final: of a sound that was announced, or, once, of nothing at all."""
    for number, each in enumerate(account.utterances):
        if not each.words and (each.onset or each.shown) and not each.final:
            yield number
    if not account.blank:
        yield -1


def _empty_final(account: Account, number: int) -> Said:
    if number < 0:
        account.blank = True
    else:
        each = account.utterances[number]
        each.final, each.shown = 1, 0
    return account.transcript("final", ())


def _over(account: Account) -> Numbers:
    for number, each in enumerate(account.utterances):
        if each.over and not each.overtold and (each.onset or each.shown or each.final):
            yield number


def _speech_over(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.overtold = True
    return SpeechOver(None if account.diction.times != "exact" else each.end)


def _asked(account: Account) -> Numbers:
    if account.requests:
        yield 0


def _answerable(account: Account) -> Numbers:
    """A request may be answered whether or not the finals that it asks for have come."""
    if account.diction.answers:
        yield from _asked(account)


def _answer(account: Account, _: int) -> Said:
    del account.requests[0]
    return FinalizeAnswered()


def _watermark(account: Account, _: int) -> Said:
    return Acknowledged(account.acknowledge())


def _acknowledgeable(account: Account) -> Numbers:
    if account.acknowledgeable:
        yield 0


def _endable(account: Account) -> Numbers:
    if account.leaving is not None and not any(each.over and each.due for each in account.utterances):
        yield 0


def _always(_: Account) -> Numbers:
    yield 0


def _end(account: Account, _: int) -> Said:
    account.closed = True
    return Closed()


GRAMMAR: Mapping[str, Row] = {
    "onset": Row(_begun, _onset),
    "interim": Row(_unshown, _interim),
    "final": Row(_first_finished, _final),
    "crossed final": Row(_crossing, _final),
    "partial final": Row(_divisible, _part),
    "joined final": Row(_joinable, _joined),
    "doubled final": Row(_repeatable, _doubled, news=False),
    "restated final": Row(_restatable, _restated),
    "empty final": Row(_empty, _empty_final, news=False),
    "late interim": Row(_stale, _late_interim, news=False),
    "late onset": Row(_stale, _late_onset, news=False),
    "retraction": Row(_retractable, _retraction, news=False),
    "onset of nothing": Row(_soundless, _onset),
    "ghost": Row(_ghostly, _ghost),
    "speech over": Row(_over, _speech_over, news=False),
    "answer": Row(_answerable, _answer),
    "watermark": Row(_acknowledgeable, _watermark),
    "end": Row(_endable, _end),
    "early end": Row(_always, _end),
}
"""By name: all that a truthful service may say. "early end" is a polite end that nobody asked for, or that comes before
what is owed."""
