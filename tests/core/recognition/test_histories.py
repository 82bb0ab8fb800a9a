"""The ledger, over any history: captures, links that come and go, services of every manner, users who read or do not.

The audio carries what was said: each sample of a word holds the word's number, so a service written here, which knows
nothing of the machine, hears exactly what it was sent, and a lost or doubled word is seen by its number. After every
step each sample captured is accounted for, and at the end of every history each word was delivered once.
"""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import Struct
from msgspec.structs import replace

from trio_speech._core.provider.messages import (
    Acknowledged,
    Closed,
    FinalizeAnswered,
    RecognitionResult,
    SpeechOnset,
    SttMessage,
)
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.commands import EndLink, SendAudio, SendClose, SendFinalize, Wait
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.reconciliation import TimedSeam
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech.audio import AudioFormat
from trio_speech.events import FinalTranscript, Gap, SpeechEnded, SpeechStarted, TranscriptEvent, Word
from trio_speech.policy import ReplayPolicy

RATE = 1_000  # so that a sample is a millisecond
FORMAT = AudioFormat.pcm16(RATE)
LOUD = 2_000
SHORTEST = 80
ENDPOINT = 60  # silence that ends an utterance for the service
LATENCY = 0.4


class Manner(Struct, frozen=True):
    """A service, and what its profile says of it."""

    profile: SttProfile
    vocabulary: int | None = None
    """So few different words are said; ``None``: each is said but once."""
    drift: int = 0
    audible: float = 0.01
    """How much of a word must be heard to be heard as something."""
    finalized: str = "after"
    """Where the answer to finalize comes, seen from the final that it brings."""


exact = SttProfile(chunk=0.05)
untimed = replace(exact, exact_times=False, word_times=False)
MANNERS = {
    "span": Manner(exact, vocabulary=2),
    "span, drifting": Manner(
        replace(exact, exact_times=False, drift=0.04), vocabulary=3, drift=SHORTEST // 4 - 1, audible=0.5
    ),
    "span, no word times": Manner(replace(exact, word_times=False)),
    "watermark": Manner(replace(exact, acknowledges="watermark"), vocabulary=2),
    "watermark, no word times": Manner(replace(exact, acknowledges="watermark", word_times=False)),
    "span, asked": Manner(replace(exact, finalizes_itself=False, endpoint_after=0.3), vocabulary=2),
    "finalize": Manner(replace(untimed, acknowledges="finalize")),
    "finalize, asked": Manner(replace(untimed, acknowledges="finalize", finalizes_itself=False, endpoint_after=0.3)),
    "finalize, answered first": Manner(replace(untimed, acknowledges="finalize"), finalized="before"),
    "finalize, answered by finals alone": Manner(replace(untimed, acknowledges="finalize"), finalized="never"),
    "finalize, with word times": Manner(replace(untimed, acknowledges="finalize", word_times=True)),
}


class Spoken(Struct, frozen=True):
    """Word number `number`, in samples of the stream."""

    number: int
    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


class Speech:
    """What is said, without end: pauses and words of the lengths given, over and over."""

    def __init__(self, lengths: list[tuple[int, int]]) -> None:
        self._lengths = lengths
        self.words: list[Spoken] = []
        self.samples = array("h")

    def audio(self, start: int, end: int) -> bytes:
        while len(self.samples) < end:
            number = len(self.words)
            pause, length = self._lengths[number % len(self._lengths)]
            at = len(self.samples) + pause
            self.words.append(Spoken(number, at, at + length))
            self.samples.extend([0] * pause + [LOUD + number] * length)
        return self.samples[start:end].tobytes()


class Service:
    """Hears one link's audio and says what is in it, in order, each message some time after it knows."""

    def __init__(self, manner: Manner, speech: Speech, drift: int) -> None:
        self._manner, self._speech, self._drift = manner, speech, drift
        self._heard = 0
        self._value = 0
        self._since = 0
        self._pieces: list[tuple[int, int, int]] = []  # word, start, end, of the utterance in progress
        self._clock = 0.0
        self.messages: deque[tuple[float, SttMessage]] = deque()

    def hear(self, pcm: bytes, now: float, delay: float) -> None:
        for value in array("h", pcm):
            if value != self._value:
                self._word_over()
                if value and not self._pieces:
                    self._say(SpeechOnset(self._seconds(self._heard)), now, delay)
                self._value, self._since = value, self._heard
            self._heard += 1
            if not value and self._heard - self._since == ENDPOINT and self._manner.profile.finalizes_itself:
                self._final(now, delay)
        if self._pieces:
            self._say(self._hypothesis("interim"), now, delay)

    def finalize(self, now: float, delay: float) -> None:
        self._word_over()
        self._since = self._heard
        answer: list[SttMessage] = [] if self._manner.finalized == "never" else [FinalizeAnswered()]
        if self._manner.finalized == "before" and answer:
            self._say(answer.pop(), now, delay)
        self._final(now, delay)
        for message in answer:
            self._say(message, now, delay)

    def close(self, now: float, delay: float) -> None:
        """No more audio comes: tells the rest, and ends."""
        self._word_over()
        self._final(now, delay)
        self._say(Closed(), now, delay)

    def _word_over(self) -> None:
        number, length = self._value - LOUD, self._heard - self._since
        if self._value and length >= self._manner.audible * self._speech.words[number].length:
            self._pieces.append((number, self._since, self._heard))
        self._since = self._heard

    def _final(self, now: float, delay: float) -> None:
        if self._pieces:
            self._say(self._hypothesis("final"), now, delay)
            if self._manner.profile.acknowledges == "watermark":
                self._say(Acknowledged(self._seconds(self._pieces[-1][2])), now, delay)
            self._pieces = []

    def _hypothesis(self, kind: Any) -> RecognitionResult:
        words = tuple(map(self._word, *zip(*self._pieces, strict=True)))
        timed = self._manner.profile.word_times
        return RecognitionResult(
            kind=kind,
            text=" ".join(word.text for word in words),
            start=words[0].start,
            end=words[-1].end,
            words=words if timed else (),
            ends_speech=kind == "final",
        )

    def _word(self, number: int, start: int, end: int) -> Word:
        truth = self._speech.words[number]
        text = f"w{number % (self._manner.vocabulary or 1_000_000)}"
        whole = end - start == truth.length
        return Word(text if whole else f"{text}~{end - start}", self._seconds(start), self._seconds(end), number)

    def _seconds(self, sample: int) -> float:
        return max(0, sample + self._drift) / RATE

    def _say(self, message: SttMessage, now: float, delay: float) -> None:
        self._clock = max(self._clock, now + delay)
        self.messages.append((self._clock, message))


class Histories(RuleBasedStateMachine):
    """Everything that may happen to a session, in any order."""

    def __init__(self, manner: Manner) -> None:
        super().__init__()
        self.manner = manner
        self.now = 100.0
        self.link: LinkMachine | None = None
        self.service: Service | None = None
        self.told: list[TranscriptEvent] = []
        self.finalized_at: set[int] = set()
        self.committed = 0
        self.links = 0
        self.ended = False

    @initialize(
        lengths=st.lists(st.tuples(st.integers(1, 150), st.integers(SHORTEST, 200)), min_size=1, max_size=8),
        policy=st.builds(
            ReplayPolicy,
            limit=st.sampled_from([0.5, 2.0, 60.0]),
            overflow=st.sampled_from(["wait", "drop_oldest", "error"]),
            speed=st.sampled_from([None, 1.0, 2.0]),
            lead_in=st.sampled_from([0.0, 0.1, 0.5]),
            max_replayed=st.sampled_from([None, None, 0.0, 0.3]),
        ),
        progress_timeout=st.sampled_from([None, 5.0]),
    )
    def begin(self, lengths: list[tuple[int, int]], policy: ReplayPolicy, progress_timeout: float | None) -> None:
        if self.manner.drift and not policy.lead_in:
            policy = replace(policy, lead_in=0.5)
        self.speech = Speech(lengths)
        self.session = RecognitionMachine(FORMAT, policy)
        self.progress_timeout = progress_timeout

    # ------------------------------------------------------------ what may happen

    @rule(samples=st.integers(1, 700))
    def capture(self, samples: int) -> None:
        log, overflow = self.session.log, self.session.policy.overflow
        if self.session.input_ended or (overflow != "drop_oldest" and self.session.room < samples):
            return
        self.session.capture(self.speech.audio(log.captured, log.captured + samples))

    @precondition(lambda self: self.link is None)
    @rule(drift=st.floats(-1, 1))
    def dial(self, drift: float) -> None:
        self.links += 1
        self.service = Service(self.manner, self.speech, round(drift * self.manner.drift))
        self.link = LinkMachine(
            self.session, self.manner.profile, self.now, patience=10.0, progress_timeout=self.progress_timeout
        )

    @precondition(lambda self: self.link is not None)
    @rule(steps=st.integers(1, 30), delay=st.floats(0, LATENCY))
    def write(self, steps: int, delay: float) -> None:
        for _ in range(steps):
            if self._step(delay) is not None:
                return

    @precondition(lambda self: self.link is not None)
    @rule(seconds=st.floats(0.01, 8))
    def wait(self, seconds: float) -> None:
        self._run(self.now + seconds)

    @precondition(lambda self: self.link is not None)
    @rule()
    def lose_link(self) -> None:
        assert self.link is not None
        self.link.lost()
        self.link = self.service = None

    @rule(events=st.integers(1, 20))
    def read(self, events: int) -> None:
        for _ in range(min(events, len(self.session.event_queue))):
            self.told.append(self.session.take())

    @precondition(lambda self: not self.session.input_ended)
    @rule()
    def finalize(self) -> None:
        self.session.finalize()

    @precondition(lambda self: not self.session.input_ended)
    @rule()
    def end_input(self) -> None:
        self.session.end_input()

    # ------------------------------------------------------------ how it happens

    def _step(self, delay: float) -> Wait | EndLink | None:
        """One step of the writer; what it returns is a reason to pause."""
        assert self.link is not None
        assert self.service is not None
        before = self.session.log.sent
        step = self.link.next(self.now)
        match step:
            case SendAudio(pcm):
                sent = self.session.log.sent
                assert pcm == self.speech.audio(sent - len(pcm) // 2, sent)
                assert 0 < len(pcm) // 2 <= 50
                assert sent - len(pcm) // 2 == before
                self.service.hear(pcm, self.now, delay)
            case SendClose():
                self.finalized_at.add(self.session.log.sent)
                self.service.close(self.now, delay)
            case SendFinalize():
                self.finalized_at.add(self.session.log.sent)
                self.service.finalize(self.now, delay)
            case EndLink(cause):
                self.link.lost()
                self.link = self.service = None
                assert cause is not None or self.session.finished
            case _:
                pass
        return step if isinstance(step, Wait | EndLink) else None

    def _run(self, until: float) -> None:
        """Reader and writer at work, on time."""
        while self.link is not None and self.service is not None:
            pause = None
            while pause is None:
                pause = self._step(LATENCY / 2)
            if isinstance(pause, EndLink):
                break
            wake = pause.until
            due = self.service.messages[0][0] if self.service.messages else None
            moment = min((each for each in (wake, due) if each is not None), default=until)
            assert wake is None or wake > self.now
            if moment >= until:
                break
            self.now = max(self.now, moment)
            if due is not None and due <= self.now:
                _, message = self.service.messages.popleft()
                if self.link.receive(message, self.now) is not None:
                    self.lose_link()
        self.now = max(self.now, until)

    # ------------------------------------------------------------ what always holds

    @invariant()
    def all_is_accounted_for(self) -> None:
        self.cursors_are_in_order()
        self.what_is_unacknowledged_is_there()
        self.each_sample_is_lost_once()
        self.no_word_is_let_go_unsaid()
        self.finals_and_gaps_are_in_order()
        self.speech_state_alternates()

    def cursors_are_in_order(self) -> None:
        log = self.session.log
        assert log.kept <= log.sent <= log.captured
        assert log.settled <= log.committed <= log.captured
        assert log.committed >= self.committed
        self.committed = log.committed
        if self.session.policy.overflow == "drop_oldest":
            assert log.owed <= self.session.limit

    def what_is_unacknowledged_is_there(self) -> None:
        log = self.session.log
        start, audio = log.unacknowledged()
        assert audio == self.speech.audio(start, log.captured)
        assert len(audio) // 2 == log.owed
        for run in (*self._gaps(), *self._lost()):
            assert run[1] <= start

    def each_sample_is_lost_once(self) -> None:
        runs = sorted((*self._gaps(), *self._lost()))
        assert all(before[1] <= after[0] for before, after in pairwise(runs))
        assert sum(end - start for start, end in runs) == self.session.gaps.total

    def no_word_is_let_go_unsaid(self) -> None:
        start = self.session.log.unacknowledged()[0]
        said = self._said()
        gaps = self.session.gaps
        doubtful = [*self._gaps(), *self._lost(), *((run.start, run.end) for run in gaps._unreplayable)]
        for word in self.speech.words:
            if word.end <= start and not self._is_torn(word) and not touches(word, doubtful):
                assert said[word.number], f"{word} is let go, and was not said"

    def finals_and_gaps_are_in_order(self) -> None:
        gaps = self._gaps()
        assert gaps == sorted(gaps)
        if self.manner.profile.exact_times:
            told = [event for event in self._all_told() if isinstance(event, FinalTranscript | Gap)]
            pieces = [(word.start, word.end) for word in self.speech.words if self._is_torn(word)]
            for before, after in pairwise(told):
                assert before.start <= after.start or touches(Spoken(-1, *span(after)), pieces)

    def speech_state_alternates(self) -> None:
        states = [type(event) for event in self._all_told() if isinstance(event, SpeechStarted | SpeechEnded)]
        assert states[::2] == [SpeechStarted] * len(states[::2])
        assert states[1::2] == [SpeechEnded] * len(states[1::2])

    def teardown(self) -> None:
        if not hasattr(self, "session"):
            return
        if not self.session.input_ended:
            self.end_input()
        began = self.now
        while not self.session.finished:
            if self.link is None:
                assert self.links < 80, "reconnects for ever"
                self.dial(1.0 if self.links % 2 else -1.0)
            self._run(self.now + 1.0)
            assert self.now - began < 600, "waits for ever"
        if self.link is not None:
            self.lose_link()
        self.session.end()
        self.read(len(self.session.event_queue))
        self._check_end()

    def _check_end(self) -> None:
        log = self.session.log
        assert log.settled == log.captured
        assert log.owed == 0
        gaps, said = self._gaps(), self._said()
        assert sum(end - start for start, end in gaps) == self.session.gaps.total
        most = 1 if self.manner.profile.places_words or not gaps else self.links  # by text alone, a gap may hide a seam
        for word in self.speech.words:
            if not touches(word, gaps) and not self._is_torn(word) and word.end <= log.captured:
                assert 1 <= said[word.number] <= most, f"{word} was said {said[word.number]} times"

    # ------------------------------------------------------------ looking

    def _all_told(self) -> Iterator[TranscriptEvent]:
        yield from self.told
        event_queue = self.session.event_queue
        yield from (item.event for item in event_queue._queue)
        yield from event_queue._tail

    def _gaps(self) -> list[tuple[int, int]]:
        gaps = [event for event in self._all_told() if isinstance(event, Gap)]
        return [(round(gap.start * RATE), round(gap.end * RATE)) for gap in gaps]

    def _lost(self) -> list[tuple[int, int]]:
        return [(run.start, run.end) for run in self.session.gaps._lost]

    def _said(self) -> Counter[int]:
        said: Counter[int] = Counter()
        for final in self._all_told():
            if isinstance(final, FinalTranscript):
                tokens = [word.text for word in final.words] or final.text.split()
                numbers = [word.confidence for word in final.words] or [int(t[1:].split("~")[0]) for t in tokens]
                said.update(int(number or 0) for number in numbers)
        return said

    def _is_torn(self, word: Spoken) -> bool:
        """Whether the service was asked to finalize in the middle of it: it falls into pieces."""
        return any(word.start < at < word.end for at in self.finalized_at) or word.end > self.session.log.captured


def touches(word: Spoken, runs: list[tuple[int, int]]) -> bool:
    return any(start <= word.end and word.start <= end for start, end in runs)


def span(event: FinalTranscript | Gap) -> tuple[int, int]:
    return round(event.start * RATE), round(event.end * RATE)


@pytest.mark.parametrize("manner", MANNERS.values(), ids=MANNERS)
def test_every_sample_is_accounted_for_and_every_word_said_once(manner: Manner) -> None:
    run_state_machine_as_test(lambda: Histories(manner), settings=SETTINGS)


@pytest.mark.parametrize(
    ("part", "name", "instead"),
    [
        (TimedSeam, "repeated", lambda _, words: [False] * len(words)),
        (RecognitionMachine, "_tell_gaps", lambda *_: None),
    ],
    ids=["seam", "gaps"],
)
def test_it_shows_when_a_part_is_switched_off(
    monkeypatch: pytest.MonkeyPatch, part: type, name: str, instead: Callable[..., Any]
) -> None:
    monkeypatch.setattr(part, name, instead)
    with pytest.raises(AssertionError):
        one_history()


def test_nothing_shows_while_every_part_is_at_work() -> None:
    one_history()


def one_history() -> None:
    """Links that are lost before and after their finals came, and a log that overflows."""
    history = Histories(MANNERS["span"])
    history.begin([(100, 100)], ReplayPolicy(limit=3.0, overflow="drop_oldest", lead_in=0.5), None)
    for seconds in (0.1, 0.3, 0.1, 0.3):
        history.capture(600)
        history.dial(0.0)
        history.wait(seconds)
        history.all_is_accounted_for()
        history.lose_link()
    for _ in range(6):
        history.capture(600)
        history.all_is_accounted_for()
    history.teardown()


SETTINGS = settings(
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
