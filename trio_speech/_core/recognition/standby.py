"""A second link beside a suspect one: it is sent the same audio, and serves from the moment at which it proves better.

A link is a *suspect* while nothing comes from its service (see `health`). The suspect gets no more audio, and a second
connection, the *standby*, is sent all audio from the commit point on. What its service says is kept, not told.

Laws
    1. One link serves. While the standby only stands by, nothing it says reaches the user or the replay log's cursors.
    2. The standby proves better with the first transcript of words that were not delivered yet. Onsets prove nothing,
       and neither do repetitions of delivered words: a service says those again to whoever sends it the audio again.
    3. It then serves as a link that has been sent the audio up to `sent`, and has said all of `messages` just now.
    4. What is kept of its messages is bounded. A service that says more than that is alive, and proves better too.
    5. Where the suspect answers pings, so that nobody else may be able to say more, the standby is given up where it
       has not proved better within a time.
    6. Once the suspect has delivered or committed anything, the standby is *void*: it was sent audio that no link needs
       any more, and where words have no times, nothing tells which of its words are old. So it is once audio is evicted
       that the suspect was not sent: that audio is lost, and a `Gap` says so.

    who is heard first                       what follows
    ──────────────────────────────────────   ──────────────────────────────────────────────────────────────────
    the suspect: anything                    it goes on where its audio was stopped; the standby is closed
    the standby: words not delivered yet     the suspect is lost; a `LinkMachine` takes over from the standby
    neither, until the suspect counts dead   the same, with whatever the standby has said until then
    neither, in the time that it was given   it goes on where its audio was stopped; the standby is closed
    the standby ends                         the suspect goes on waiting, as if there had been no standby
"""

from __future__ import annotations

import math
from typing import TypeAlias

from ..provider.messages import Closed, Failure, Opened, RecognitionResult, SttMessage
from ..provider.profile import SttProfile
from ..retry.causes import Cause, Ended, Reported
from .commands import SendAudio, Wait
from .event_queue import memory_of
from .outgoing_audio import DIGESTS, IN_ADVANCE
from .session import RecognitionMachine
from .text import words_of
from .timeline import Timeline

MOST_KEPT = 2**20
"""Bytes of messages that are kept. A transcript takes some 500, and a standby lasts for seconds."""
_MESSAGE = 200  # bytes that a message without text takes, a little too many

Step: TypeAlias = SendAudio | Wait


class Standby:
    """What one standby is sent, and what its service says. Give it to `LinkMachine` where it takes over.

    `within`: the seconds from its first audio within which it is expected to prove better; infinite for no limit.
    """

    def __init__(
        self, session: RecognitionMachine, profile: SttProfile, now: float, *, within: float = math.inf
    ) -> None:
        self.session = session
        base, self._cut = session.start_of_next_link(profile)
        self.timeline = Timeline(base, session.rate)
        self.sent = base
        """The sample before which all audio was sent to the standby."""
        self.replayed_until = session.log.furthest
        """Audio before this sample was sent on an earlier link too."""
        self.messages: list[tuple[int, SttMessage]] = []
        """What the service has said so far, in order, each with `sent` as it was then."""
        self._profile = profile
        self._begins_with = self._progress
        self._stop = session.log.sent
        self._brought_words = False
        self._kept = 0
        self._opened = not profile.waits_for_opened
        self._may_repeat = session.delivered_words.may_repeat(self._cut)
        self._slowness = 1.0 / (profile.slowest * session.rate)
        self._digested_by = now
        self.busy_until = now
        """Until when the service may be too busy to answer a ping: see `OutgoingAudio.busy_until`."""
        self._within = within
        self._proves_by = math.inf
        self._chunk = session.frame(profile)
        self._pacer = session.pacer(profile)
        self._pacer.engage(now, session.log.captured - base)

    @property
    def is_void(self) -> bool:
        """Whether the session has made progress without the standby, so that it must not take over."""
        return self._progress != self._begins_with or self.session.log.kept > self._stop

    @property
    def proved(self) -> bool:
        """Whether it has proved better than the suspect."""
        return (self._brought_words or self._kept > MOST_KEPT) and not self.is_void

    @property
    def samples(self) -> int:
        """How many samples it was sent."""
        return self.timeline.heard

    def is_useless(self, now: float) -> bool:
        """Whether it has not proved better in the time that it had for that."""
        return now >= self._proves_by and not self.proved

    def stay(self) -> None:
        """Has it stand by for as long as it takes."""
        self._within = self._proves_by = math.inf

    @property
    def _progress(self) -> tuple[int, int]:
        return self.session.tally.finals, self.session.log.committed

    def next(self, now: float) -> Step:
        """Returns the next audio to send, or until when to wait. Audio counts as sent."""
        log = self.session.log
        start = max(self.sent, log.kept)  # audio that was evicted meanwhile is skipped, as on any link
        samples = min(self._chunk, log.captured - start)
        if not self._opened or samples < (1 if self.session.input_ended else self._chunk):
            return Wait(now + self._chunk / self.session.rate)
        delay = self._pacer.delay(now, samples)
        if delay > 0.0:
            return Wait(now + delay)
        if self.sent == self.timeline.base:
            self._proves_by = now + self._within
        pcm = log.read_beside(start, samples)
        self.sent = start + samples
        self.timeline.sent(start, self.sent)
        self._digested_by = max(self._digested_by, now) + samples / self.session.rate / DIGESTS
        if self._digested_by > now + IN_ADVANCE:
            self.busy_until = max(self.busy_until, now) + samples * self._slowness
        self._pacer.sent(samples, log.captured - self.sent)
        return SendAudio(pcm)

    def receive(self, message: SttMessage) -> Cause | None:
        """Call with each message that arrives. Returns why the standby is over; ``None`` while it is not."""
        match message:
            case Closed():
                return Ended()
            case Failure():
                return Reported(message)
            case Opened():
                self._opened = True
            case _:
                pass
        if self.is_void or self._kept > MOST_KEPT:
            return None
        self.messages.append((self.sent, message))
        if isinstance(message, RecognitionResult):
            self._kept += memory_of(message)
            self._brought_words |= self._brings_words(message)
        else:
            self._kept += _MESSAGE
        return None

    def _brings_words(self, result: RecognitionResult) -> bool:
        if not result.text:
            return False
        if not self._profile.trusts_spans or result.end <= result.start:
            return len(words_of(result.text)) > self._may_repeat
        times = [(word.start, word.end) for word in result.words if word.end > word.start]
        return any(map(self._is_news, self.timeline.spans(times or [(result.start, result.end)])))

    def _is_news(self, span: tuple[int, int]) -> bool:
        """Whether most of a word's span lies behind the cut and in no final that was delivered."""
        start, end = span
        known = self.session.delivered_words.stretches
        return 2 * sum(last - first for first, last in known.missing(max(start, self._cut), end)) > end - start
