"""What must hold, judged from the script alone: which words were said, and what became of each sample.

It looks at what any user can see, and never at how the machine decides: events taken, `unacknowledged`, the gaps that
are not told yet, and what was written to the service.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from trio_speech._core.provider.messages import RecognitionResult
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.commands import EndLink, SendAudio, Wait
from trio_speech.events import (
    FinalTranscript,
    Gap,
    InterimTranscript,
    PreflightTranscript,
    SpeechEnded,
    SpeechStarted,
    TranscriptEvent,
)
from trio_speech.testing.scripted.account import Diction, HeardUtterance
from trio_speech.testing.scripted.grammar import GHOST, Said

from .ledger import undecided, unread
from .script import RATE, Script, Spoken, audio_of

if TYPE_CHECKING:
    from .world import World

Transcript: TypeAlias = FinalTranscript | InterimTranscript | PreflightTranscript | RecognitionResult

MAY_START_AGAIN = (
    "retraction",
    "onset of nothing",
    "ghost",
    "partial final",
    "blank final",
    "empty final",
    "speech over",
)
"""What ends an utterance of which more may be said, or begins one that is none."""
OLD_NEWS = ("doubled final", "restated final", "late interim", "late onset")
"""What nobody can tell from news where there are neither times nor identities."""
HELD = 1.0
"""Seconds for which a final may wait behind another utterance that was announced."""
JUST = 0.001
SLACK = 3.0
"""Seconds that a wait may take beyond two patiences."""


class Violation(AssertionError):
    """A law is broken."""

    def __init__(self, law: str, what: str) -> None:
        super().__init__(f"{law}: {what}")
        self.law = law


class Oracle:
    """The judge of one history."""

    def __init__(self, script: Script, profile: SttProfile, diction: Diction, now: float) -> None:
        self.script = script
        self.exact = profile.exact_times and diction.times == "exact"
        self.placed = (self.exact and diction.word_times) or diction.identified
        self.answer_within: float = getattr(profile, "answer_within", 10.0)
        self.patience = self.answer_within
        self.delivered = [0] * len(script.words)
        self.gaps: list[tuple[int, int]] = []
        self.speaking = False
        self.starts = 0
        self.news_at = 0.0
        self.input_ended = False
        self.links = 0
        self.faults = 0
        self.begun_with = 0
        self.hearings = [0] * len(script.words)
        self.excuses = 0
        self.announced: set[int] = set()
        """Utterances of which something was shown on the link of the moment."""
        self.shown: dict[int, int] = {}
        """Utterances that are not delivered and of which something was shown, be it on an earlier link: how many words
        at most; 0: an onset."""
        self.haunted = False
        """Something was announced that was no word."""
        self.received: dict[int, float] = {}
        """Words that came in a final and that the user has not taken yet, and when they came."""
        self.awaited: dict[int, float] = {}
        """Words behind which later ones wait, and until when."""
        self.first: set[int] = set()
        """Words that came while later ones waited for them."""
        self.trail: list[str] | None = None
        """What the user was told, for whoever reads a history."""

    # ------------------------------------------------------------ what happens

    def opened(self) -> None:
        self.links += 1

    def ended(self, now: float) -> None:
        self.input_ended = True
        self.news_at = now

    def lost(self, *, fault: bool, now: float) -> None:
        self.announced.clear()
        self.awaited.clear()
        self.faults += fault
        if fault and self.input_ended:
            self.news_at = now

    def sent(self, start: int, end: int, pcm: bytes) -> None:
        if pcm != audio_of(self.script)[2 * start : 2 * end]:
            raise Violation("replay", f"what was sent is not samples {start} to {end}")
        for word in self.script.words:
            if start < word.end <= end:
                self.hearings[word.number] += 1

    def asked(self, at: int) -> None:
        """The session cuts no word of its own accord; the user of a script asks for nothing in the midst of one."""
        for word in self.script.words:
            if word.start < at < word.end:
                raise Violation("cut", f"{_name(word)} is cut at {at} by the session's own request")

    def knows(self, name: str, of: HeardUtterance | None) -> bool:
        """Whether an onset or interim tells nothing that was not told before, be it on another link."""
        if of is None or not of.words or name not in ("onset", "interim"):
            return False
        utterance = self._utterance(of)
        if all(self.delivered[word.number] for word in self.script.words if word.utterance == utterance):
            return True  # what is final is no news, on whatever link
        return self.shown.get(utterance, -1) >= _shows(name, of)

    def _utterance(self, of: HeardUtterance) -> int:
        return self.script.words[int(of.words[0].confidence or 0)].utterance

    def said(self, name: str, said: Said, of: HeardUtterance | None, now: float, late: float, *, news: bool) -> None:
        """The service says something `of` an utterance, which it had owed for `late` seconds."""
        self.excuses += name in MAY_START_AGAIN or (name in OLD_NEWS and not self.placed)
        if of is not None and of.words and name in ("onset", "interim"):
            utterance = self._utterance(of)
            self.announced.add(utterance)
            self.shown[utterance] = max(self.shown.get(utterance, 0), _shows(name, of))
        elif name in ("onset of nothing", "ghost"):
            self.haunted = True
        elif isinstance(said, RecognitionResult) and said.kind == "final":
            self._comes(self._numbers(said), now)
        if news:
            if late > self.answer_within / 1.5 + JUST:
                in_time = late <= self.answer_within + JUST
                self.patience = max(self.patience, (1.5 if in_time else 3) * self.answer_within)
            if self.input_ended:
                self.news_at = now

    def _comes(self, numbers: list[int], now: float) -> None:
        """A final of these words comes in: the user is to have it within a second, and in stream order."""
        for number in numbers:
            if not self.delivered[number]:
                self.received.setdefault(number, now)
                if now < self.awaited.pop(number, 0.0):
                    self.first.add(number)
        new = [number for number in numbers if not self.delivered[number]]
        for word in self.script.words[: max(new, default=0)]:
            waiting = not self.delivered[word.number] and word.number not in self.received
            if waiting and word.utterance in self.announced:
                self.awaited.setdefault(word.number, now + HELD - JUST)

    def note(self, what: object) -> None:
        """Something that whoever reads a history is to know: a command, or why a link is over."""
        if self.trail is not None and what is not None and not isinstance(what, SendAudio | Wait):
            self.trail.append(f"{type(what).__name__}({what.cause})" if isinstance(what, EndLink) else str(what))

    def told(self, event: TranscriptEvent, now: float) -> None:
        """The user takes an event."""
        if self.trail is not None:
            self.trail.append(_plain(event))
        match event:
            case SpeechStarted():
                if self.speaking:
                    raise Violation("speech state", "SpeechStarted twice")
                self.speaking = True
                self.starts += 1
                most = len(self.script.utterances) + self.excuses
                if self.starts > most:
                    raise Violation("speech state", f"SpeechStarted {self.starts} times for {most} utterances")
            case SpeechEnded():
                if not self.speaking:
                    raise Violation("speech state", "SpeechEnded, and nobody speaks")
                self.speaking = False
            case Gap():
                self._gap(event)
            case FinalTranscript():
                self._final(event)
            case InterimTranscript() | PreflightTranscript():
                numbers = self._numbers(event)
                if self.placed and numbers and all(self.delivered[number] for number in numbers):
                    raise Violation("old news", f"an interim of what is final: {event.text!r}")
            case _:
                pass

    def _gap(self, gap: Gap) -> None:
        start, end = round(gap.start * RATE), round(gap.end * RATE)
        for other in self.gaps:
            if start < other[1] and other[0] < end:
                raise Violation("ledger", f"two gaps for {max(start, other[0])}")
        self.gaps.append((start, end))
        for word in self.script.words:
            if word.start < end and start < word.end:
                raise Violation("gap", f"{_name(word)} is in a gap ({gap.reason}), though no log overflowed")
        if not self.haunted:
            raise Violation("gap", f"silence from {gap.start:.2f} to {gap.end:.2f} s is in a gap ({gap.reason})")

    def _final(self, final: FinalTranscript) -> None:
        if not final.text and not final.words:
            return
        for number in self._numbers(final):
            self.delivered[number] += 1
            self.received.pop(number, None)
            self.awaited.pop(number, None)
            if self.exact and number in self.first and any(self.delivered[number + 1 :]):
                raise Violation("order", f"{_name(self.script.words[number])} came in time, and is delivered late")
            self.first.discard(number)
            self._forget(self.script.words[number].utterance)
            if self.delivered[number] > 1 and self.placed:
                raise Violation("doubled", f"{_name(self.script.words[number])} is delivered twice")

    def _forget(self, utterance: int) -> None:
        if all(self.delivered[word.number] for word in self.script.words if word.utterance == utterance):
            self.shown.pop(utterance, None)
            self.announced.discard(utterance)

    def _numbers(self, event: Transcript) -> list[int]:
        numbers = [word.confidence for word in event.words if word.text != GHOST]
        if not event.words:
            numbers = [int(text.strip("-")[1:]) for text in event.text.split() if text.startswith("w")]
        return [int(number or 0) for number in numbers]

    # ------------------------------------------------------------ what always holds

    def check(self, world: World) -> None:
        """After each action."""
        session = world.session
        log = session.log
        start, audio = log.unacknowledged()
        if audio != audio_of(self.script)[2 * start : 2 * log.captured]:
            raise Violation("ledger", "unacknowledged() is not what was captured")
        self._settled(world, start)
        if max(self.hearings, default=0) > 2 + self.faults:
            raise Violation("replays", f"a word was sent {max(self.hearings)} times over {self.faults} lost links")
        if self.received and world.now > min(self.received.values()) + HELD + JUST and "read" not in world.case.user:
            raise Violation("held", f"a final of word {min(self.received)} came, and the user has not got it after 1 s")
        if not world.done and self.input_ended:
            self._waits(world)

    def _waits(self, world: World) -> None:
        if (
            world.link is not None
            and not world.has_other_timers
            and world.deadline is None
            and world.service is not None
            and world.service.due is None
        ):
            raise Violation("hang", "the input has ended, nothing is due and nothing is owed")
        waited = world.now - self.news_at
        if waited > 2 * self.patience + SLACK:
            raise Violation("wait", f"{waited:.1f} s without anything new, and the patience is {self.patience:.1f} s")

    def _settled(self, world: World, start: int) -> None:
        """A word whose samples are settled has been delivered, or is on its way to the user."""
        waiting = self._unread(world)
        for word in self.script.words:
            if word.end > start:
                return
            if not self.delivered[word.number] and word.number not in waiting and not self._in_gap(word, world):
                raise Violation("lost", f"{_name(word)} is settled, and was not delivered")

    def _in_gap(self, word: Spoken, world: World) -> bool:
        runs = [*self.gaps, *undecided(world.session)]
        return any(start < word.end and word.start < end for start, end in runs)

    def _unread(self, world: World) -> set[int]:
        return {
            number
            for event in unread(world.session)
            if isinstance(event, FinalTranscript)
            for number in self._numbers(event)
        }

    def finished(self, world: World) -> None:
        """The session says that it is at its end."""
        log = world.session.log
        if not self.input_ended:
            raise Violation("end", "the session ends before its input")
        for word in self.script.words:
            if word.end <= log.captured and not self.delivered[word.number] and not self._in_gap(word, world):
                raise Violation("lost", f"{_name(word)} was never delivered")
        if log.unacknowledged()[1] or log.settled != log.captured:
            raise Violation("ledger", f"{log.captured - log.settled} samples are unsettled at the end")
        for before, after in pairwise(sorted(self.gaps)):
            if before[1] > after[0]:
                raise Violation("ledger", "gaps overlap")
        if self.speaking:
            raise Violation("speech state", "a SpeechStarted without its SpeechEnded")


def _shows(name: str, of: HeardUtterance) -> int:
    return len(of.words) if name == "interim" else 0


def _name(word: Spoken) -> str:
    return f"word {word.number} ({word.start / RATE:.2f} to {word.end / RATE:.2f} s)"


def _plain(event: TranscriptEvent) -> str:
    match event:
        case SpeechStarted(at):
            return f"SpeechStarted {at:.2f}"
        case SpeechEnded(at):
            return f"SpeechEnded {at:.2f}"
        case Gap(start, end, reason):
            return f"Gap {start:.2f} to {end:.2f} ({reason})"
        case FinalTranscript() | InterimTranscript() | PreflightTranscript():
            return f"{type(event).__name__} {event.text!r} {event.start:.2f} to {event.end:.2f}"
        case _:
            return type(event).__name__
