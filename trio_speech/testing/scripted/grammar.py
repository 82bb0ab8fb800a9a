"""Which messages a truthful recognizer may send at any moment, as a table.

A recognizer is *truthful* if its transcripts agree with the audio, and if the messages that it owes (see `account`)
come in time. In all else it is free. `GRAMMAR` lists what it may send: each row is one kind of message, with the
utterances about which it may be sent now, and a function that makes it. This module does not choose among them. Its
users do: a search tries every row, a random history draws one, a scripted service follows its `Manner`.

    account = Account(Diction())
    account.hear((Word("hello", 0.2, 0.5),), by=12.0)      # `by`: the moment from which on the service can know
    account.pause()
    sayable(account, ["onset", "final"])                   # [("onset", 0), ("final", 0)]
    say(account, ("final", 0))                             # the message, for a codec or a machine
    account.owed()                                         # what must still be sent, and since when it could be
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

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
from .account import Account, HeardUtterance

Said: TypeAlias = RecognitionResult | SpeechOnset | SpeechOver | Acknowledged | FinalizeAnswered | Closed
Choice: TypeAlias = tuple[str, int]
"""The name of a row of the grammar, and the number of the utterance that the message is about (0 if about none)."""

GHOST = "uh"
"""The text of an interim for a sound that is no word. It is taken back later."""


class Row(Struct, frozen=True):
    """One kind of message."""

    may: Callable[[Account], Iterator[int]]
    """The numbers of the utterances about which it may be sent now. A message about no utterance yields 0."""
    say: Callable[[Account, int], Said]
    news: bool = True
    """Whether it tells the client anything new."""


def sayable(account: Account, rows: Collection[str]) -> list[Choice]:
    """Returns all messages of these rows that may be sent now; none after the end of the session."""
    if account.closed:
        return []
    return [(name, number) for name in rows for number in GRAMMAR[name].may(account)]


def say(account: Account, choice: Choice) -> Said:
    """Returns the message that was chosen, and notes in `account` that it was sent."""
    name, number = choice
    return GRAMMAR[name].say(account, number)


# ---------------------------------------------------------------- when a message may be sent: `Row.may`


def _each(may: Callable[[HeardUtterance], object]) -> Callable[[Account], Iterator[int]]:
    """Makes `Row.may` for a message about an utterance: it yields those for which `may` is true."""

    def numbers(account: Account) -> Iterator[int]:
        return (number for number, each in enumerate(account.utterances) if may(each))

    return numbers


def _once(may: Callable[[Account], object]) -> Callable[[Account], Iterator[int]]:
    """Makes `Row.may` for a message about no utterance: it yields 0 if `may` is true of the account."""

    def numbers(account: Account) -> Iterator[int]:
        return iter((0,) if may(account) else ())

    return numbers


def _oldest(account: Account) -> Iterator[int]:
    """Yields the oldest utterance that is not final, if it is over."""
    waiting = [number for number, each in enumerate(account.utterances) if each.due]
    return (number for number in waiting[:1] if account.utterances[number].over)


def _younger(account: Account) -> Iterator[int]:
    """Yields the utterances that may become final before an older one; none if finals must come in order."""
    waiting = [] if account.diction.ordered else [n for n, each in enumerate(account.utterances) if each.due]
    return (number for number in waiting[1:] if account.utterances[number].over)


def _divisible(account: Account) -> Iterator[int]:
    return (number for number in _oldest(account) if account.utterances[number].due > 1)


def _joinable(account: Account) -> Iterator[int]:
    return (number for number in _oldest(account) if _is_next_whole(account, number))


def _restatable(account: Account) -> Iterator[int]:
    """Yields the utterances that are final and may be sent again, in one final with the next, which is not."""
    final = _each(lambda each: each.concluded and not each.restated)
    return (number for number in final(account) if _is_next_whole(account, number))


def _is_next_whole(account: Account, number: int) -> bool:
    following = account.utterances[number + 1 : number + 2]
    return bool(following) and following[0].over and following[0].due > 0 and not following[0].final


# ---------------------------------------------------------------- the messages: `Row.say`


def _onset(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.onset = True
    return SpeechOnset(each.start if account.diction.times == "exact" else None)


def _interim(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.shown = len(each.words)
    return account.transcript("interim", each.words)


def _final(account: Account, number: int) -> Said:
    each = account.utterances[number]
    words = each.words[each.final :]
    each.conclude()
    return account.finalize(words, f"u{number}")


def _part(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.final += 1
    return account.finalize(each.words[each.final - 1 : each.final], f"u{number}.{each.final}", ends=False)


def _joined(account: Account, number: int) -> Said:
    first, second = account.utterances[number : number + 2]
    words = (*first.words[first.final :], *second.words)
    first.conclude()
    second.conclude()
    return account.finalize(words, f"u{number}+{number + 1}")


def _doubled(account: Account, number: int) -> Said:
    account.utterances[number].restated = True
    return account.finalize(account.utterances[number].words, f"u{number}")


def _restated(account: Account, number: int) -> Said:
    first, second = account.utterances[number : number + 2]
    first.restated = True
    second.conclude()
    return account.finalize((*first.words, *second.words), f"u{number}+{number + 1}")


def _late_interim(account: Account, number: int) -> Said:
    account.utterances[number].stale = True
    return account.transcript("interim", account.utterances[number].words)


def _late_onset(account: Account, number: int) -> Said:
    account.utterances[number].stale = True
    return _onset(account, number)


def _retraction(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.retracted, each.shown = True, 0
    each.final = 0 if each.words else 1
    return account.transcript("interim", ())


def _ghost(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.shown = 1
    return account.transcript("interim", (Word(GHOST, each.start, each.end),))


def _empty_final(account: Account, number: int) -> Said:
    account.utterances[number].final, account.utterances[number].shown = 1, 0
    return account.transcript("final", ())


def _blank_final(account: Account, _: int) -> Said:
    account.blank = True
    return account.transcript("final", ())


def _speech_over(account: Account, number: int) -> Said:
    each = account.utterances[number]
    each.overtold = True
    return SpeechOver(each.end if account.diction.times == "exact" else None)


def _answer(account: Account, _: int) -> Said:
    del account.requests[0]
    account.ignorable = max(0, account.ignorable - 1)
    return FinalizeAnswered()


def _watermark(account: Account, _: int) -> Said:
    return Acknowledged(account.acknowledge())


def _end(account: Account, _: int) -> Said:
    account.closed = True
    return Closed()


# ---------------------------------------------------------------- the table

GRAMMAR: Mapping[str, Row] = {
    "onset": Row(_each(lambda each: each.words and not each.onset and not each.shown and not each.final), _onset),
    "interim": Row(_each(lambda each: each.words and each.shown != len(each.words) and not each.final), _interim),
    "final": Row(_oldest, _final),
    "crossed final": Row(_younger, _final),
    "partial final": Row(_divisible, _part),
    "joined final": Row(_joinable, _joined),
    "doubled final": Row(_each(lambda each: each.concluded and not each.restated), _doubled, news=False),
    "restated final": Row(_restatable, _restated),
    "late interim": Row(_each(lambda each: each.concluded and not each.stale), _late_interim, news=False),
    "late onset": Row(_each(lambda each: each.words and each.shown and not each.stale), _late_onset, news=False),
    "retraction": Row(_each(lambda each: each.is_pending and each.shown), _retraction, news=False),
    "onset of nothing": Row(_each(lambda each: each.is_sound and not each.onset and not each.final), _onset),
    "ghost": Row(_each(lambda each: each.is_sound and each.is_pending and not each.shown), _ghost),
    "empty final": Row(
        _each(lambda each: each.is_sound and (each.onset or each.shown) and not each.final), _empty_final, news=False
    ),
    "blank final": Row(_once(lambda account: not account.blank), _blank_final, news=False),
    "speech over": Row(
        _each(lambda each: each.over and not each.overtold and (each.onset or each.shown or each.final)),
        _speech_over,
        news=False,
    ),
    "answer": Row(_once(lambda account: account.diction.answers and account.requests), _answer),
    "watermark": Row(_once(lambda account: account.acknowledgeable), _watermark),
    "end": Row(_once(lambda account: account.is_leaving and not account.owes_finals), _end),
    "early end": Row(_once(lambda _: True), _end),
}
"""By name, all messages that a truthful service may send. "empty final" ends a sound that was taken for speech; "blank
final" is about no audio; "early end" closes the session unasked, or before all that is owed was sent."""
