"""A truthful service at the other end of one link: it hears what it was sent, and knows what it may say.

It knows nothing of the machine. What it heard goes into an `Account`; which row of the grammar it takes is for the
search to choose.
"""

from __future__ import annotations

from array import array

from msgspec import Struct

from trio_speech._core.provider.messages import Closed
from trio_speech._core.recognition.noise import PAUSE
from trio_speech.events import Word
from trio_speech.testing.scripted.account import Account, Diction, HeardUtterance
from trio_speech.testing.scripted.grammar import Choice, Said, say

from .script import RATE, SOUND, Script

SPEAKS_OF = ("interim", "final", "crossed final", "partial final", "joined final", "restated final", "doubled final")
ENDPOINT = 200
"""Samples of silence that end an utterance."""


class Pace(Struct, frozen=True):
    """How soon a truthful service speaks."""

    answer_within: float = 10.0
    slowest: float = 0.5


class Service:
    """One link's service. `same`: every word is the same text, so that only its time tells it from others."""

    def __init__(self, script: Script, diction: Diction, pace: Pace, now: float, *, itself: bool, same: bool) -> None:
        self.script = script
        self.pace = pace
        self.itself = itself
        self.same = same
        self.drift = 0.0
        self.account = Account(diction)
        self.heard = 0
        self.value = 0
        self.since = 0
        self.quiet = 0
        self.busy_until = now
        self.news_at = now
        self.unsaid_at_final = False
        """A final came although a later utterance, and its pause, had been sent, of which nothing was said."""

    def hear(self, pcm: bytes, now: float) -> None:
        """Audio came: runs of equal samples are words, sounds and pauses."""
        samples = array("h", pcm)
        self.busy_until = max(self.busy_until, now) + len(samples) / RATE / self.pace.slowest
        at = 0
        while at < len(samples):
            value, run = samples[at], at
            while at < len(samples) and samples[at] == value:
                at += 1
            self._run(value, at - run)
        self.account.position = self.heard / RATE

    def _run(self, value: int, length: int) -> None:
        if value != self.value:
            self._word_over()
            self.value, self.since, self.quiet = value, self.heard, 0
        self.heard += length
        if not value:
            self.quiet += length
            if self.quiet >= ENDPOINT and self.itself:
                self._utterance_over(self.busy_until)
                self.account.pause()

    def _word_over(self) -> None:
        if not self.value:
            return
        number, start, end = self.value - self.script.level, self.since / RATE, self.heard / RATE
        self.value = 0
        if number == SOUND:
            self.account.sound(start, end, self.busy_until)
            return
        text = "no" if self.same else f"w{number}"
        whole = round((end - start) * RATE) == self.script.word
        start, end = max(0.0, start + self.drift), max(0.0, end + self.drift)
        word = Word(text if whole else f"{text}-", start, end, number)
        self.account.hear((word,), self.busy_until)

    def _utterance_over(self, by: float) -> None:
        """Its final is owed from when the service can know that it is over, and not from its last word on."""
        for each in self.account.utterances[-1:]:
            if not each.over:
                each.by = max(each.by, by)

    def finalize(self, now: float) -> None:
        """A final was asked for."""
        self._word_over()
        by = max(now, self.busy_until)
        self._utterance_over(by)
        self.account.request(by)

    def leave(self, now: float) -> None:
        """The end was asked for."""
        self._word_over()
        by = max(now, self.busy_until)
        self._utterance_over(by)
        self.account.leave(by)

    def say(self, choice: Choice, now: float, *, news: bool) -> Said:
        """Says it."""
        if news:
            self.news_at = now
        self._shows_what_it_heard(choice, now)
        said = say(self.account, choice)
        self.unsaid_at_final = bool(self._unsaid()) and (self.unsaid_at_final or choice[0] in SPEAKS_OF[1:])
        return said

    @property
    def would_mislead(self) -> bool:
        """Whether an answer would leave two utterances to one final: where that has no place, it may be of both."""
        return self.unsaid_at_final or len(self._unsaid()) > 1

    def _unsaid(self) -> list[HeardUtterance]:
        """Utterances of which nothing was said, with the pause behind them."""
        heard = self.heard / RATE - PAUSE
        return [each for each in self.account.utterances if each.words and each.end <= heard and not _is_known(each)]

    def _shows_what_it_heard(self, choice: Choice, now: float) -> None:
        """Whoever speaks of audio has heard it: what follows is heard at the slowest pace from there on."""
        account = self.account
        upto = self.heard / RATE if choice[0] == "answer" else 0.0
        if choice[0] in SPEAKS_OF and account.utterances:
            upto = account.utterances[choice[1]].end - self.drift
        if choice[0] == "watermark":
            waiting = [each.words[each.final].start for each in account.utterances if each.due]
            upto = min(waiting, default=account.position)
        if upto <= 0.0:
            return
        self.busy_until = min(self.busy_until, self._hears(self.heard / RATE, upto, now))
        for each in account.utterances:
            each.by = min(each.by, self._hears(each.end - self.drift, upto, now))
        account.requests = [min(by, self.busy_until) for by in account.requests]
        if account.leaving is not None:
            account.leaving = min(account.leaving, self.busy_until)

    def _hears(self, end: float, upto: float, now: float) -> float:
        return now + max(0.0, end - upto) / self.pace.slowest

    @property
    def due(self) -> float | None:
        """The moment before which it must have said something that it owes; ``None``: it owes nothing."""
        owed = [by for _, by in self.account.owed()]
        return max(min(owed), self.news_at) + self.pace.answer_within if owed else None

    def late(self, now: float) -> float:
        """For how long it has kept the oldest thing waiting that it owes."""
        owed = [by for _, by in self.account.owed()]
        return max(0.0, now - max(min(owed), self.news_at)) if owed else 0.0

    def forget(self, now: float) -> None:
        """Drops what makes no difference any more, so that like states are alike."""
        account = self.account
        past = [by for _, by in account.owed() if by <= now]
        self.news_at = max(self.news_at, min(past)) if past else self.news_at if account.owed() else 0.0
        self.busy_until = self.busy_until if self.busy_until > now else 0.0
        account.requests = [by if by > now else 0.0 for by in account.requests]
        if account.leaving is not None and account.leaving <= now:
            account.leaving = 0.0
        for each in account.utterances:
            each.by = each.by if each.by > now else 0.0


def _is_known(utterance: HeardUtterance) -> bool:
    return bool(utterance.shown or utterance.final)


def is_end(said: Said) -> bool:
    return isinstance(said, Closed)
