"""What one link says: placed on the stream's clock, and told apart from what was said before.

Laws
    1. Words are judged before anything else sees them: what was delivered by an earlier link is found by the seam, what
       this link itself made final by its times.
    2. What comes about an utterance that is final is old, word by word: a late interim, a restated or joined final.
       Words are the same if their times are, within the profile's drift; without word times an utterance is the same
       if it has the same identity or the same span. Text alone never is: people do say things twice.
    3. Text out of which words were cut is the service's own text, cut.
    4. Speech that was over is not shown, nor said to start, when it is heard again.
    5. Where the service tells no times, the stream's own clock bounds what is said: from the end of the last final to
       what had been sent when it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from ...events import Word
from ..provider.messages import RecognitionResult
from ..provider.profile import SttProfile
from .finals_of_link import FinalsOfLink
from .reconciliation import ComparedWord
from .session import RecognitionMachine
from .speakers import SpeakerLabels
from .text import plain
from .timeline import Timeline
from .transcript import PlacedTranscript, with_known_times

_SPEAKER = attrgetter("speaker")


class Judged(Struct, frozen=True):
    """A result, and which of its words are new; `compared` are all its words, as seams compare them.

    Both are empty for a live interim, of which nothing can be old.
    """

    said: PlacedTranscript
    compared: tuple[ComparedWord, ...]
    is_new: tuple[bool, ...]
    repeats_final: bool = False
    repeats_words: bool = False
    """All its words were in finals of this very link."""
    at_seam: bool = False

    @property
    def nothing_new(self) -> bool:
        """Whether all of it was delivered before. A result without words says nothing old."""
        return self.repeats_final or (bool(self.is_new) and not any(self.is_new))

    @property
    def new_words(self) -> tuple[ComparedWord, ...]:
        """The words that were not delivered before."""
        return tuple(word for word, new in zip(self.compared, self.is_new, strict=True) if new)


class IncomingResults:
    """Judges the results of one link, which hears from `base`; all before `cut` had been recognized by others."""

    def __init__(self, session: RecognitionMachine, profile: SttProfile, base: int, cut: int) -> None:
        self._session = session
        self._profile = profile
        self.overlaps = profile.overlapping
        """Speakers may overlap, so that a span says nothing of who spoke in it."""
        self._over_until = session.over_until
        self._seam = session.delivered_words.seam(profile, base, cut, overlapping=profile.overlapping)
        self._cut = cut
        self._new_from = max(cut, session.delivered_words.said)
        self._finals = FinalsOfLink(profile)
        self._consumed = 0.0
        self._untimed_from = base
        self._speakers = SpeakerLabels(session.speakers, is_first=session.tally.links == 1)
        self.timeline = Timeline(base, session.rate)

    @property
    def awaited(self) -> Sequence[ComparedWord]:
        """Words that another link delivered, and this one may still hear again."""
        return () if self._seam is None else self._seam.awaited

    @property
    def untimed_from(self) -> int:
        """The earliest sample that something said without times can be about."""
        return self._untimed_from

    def onset(self, at: float | None) -> int | None:
        """The sample at which speech began; ``None`` where it is not plain that this is new."""
        if at is None:
            return None if self._seam is not None else self._session.log.sent
        position = self.timeline.start_at(at)
        return None if position < max(self._cut, self._session.over_until) else position

    def speech_over(self, at: float | None) -> int | None:
        """The sample before which speech ended; ``None`` where an earlier link had said so."""
        position = self._session.log.sent if at is None else self.timeline.end_at(at)
        return position if self._seam is None or position > self._cut else None

    def judge(self, result: RecognitionResult) -> Judged:
        """Places a result, and tells what is new of it."""
        result = with_known_times(result)
        said = self._place(result)
        is_live = self._seam is None and self._finals.is_passed_by(result)
        if is_live and result.kind != "final" and not self._tells_speakers(result):
            return Judged(said, (), ())  # the most of all results, and nothing in it is to be compared
        compared = self._compared(said)
        said, compared = self._named(said, compared)
        at_seam = self._seam is not None
        if is_live:
            return Judged(said, compared, (True,) * len(compared))
        old = self._finals.words_in(result) if result.words else [False] * len(compared)
        here = bool(old) and all(old)
        if self._seam is not None:
            old = [one or other for one, other in zip(old, self._seam.repeated(compared), strict=True)]
            if said.placed and said.end <= self._new_from and not compared and self._profile.exact_times:
                return Judged(said, compared, (), repeats_final=True)
        is_new = tuple(not each for each in old)
        repeats = result.kind == "final" and self._finals.repeated_by(result)
        return Judged(said, compared, is_new, repeats, here, at_seam and not self._profile.exact_times)

    def kept(self, judged: Judged) -> PlacedTranscript:
        """What is new of a result; it starts no earlier than what was delivered, but for a word astride its end."""
        said = judged.said
        if all(judged.is_new):
            return said
        return said.kept(judged.is_new, self._session.rate, min(said.end, max(said.start, self._new_from)))

    def final(self, judged: Judged) -> None:
        """A final was taken in: what comes later is judged by it too."""
        result = judged.said.result
        self._consumed += max(0.0, result.end - result.start)
        self._finals.add(result)
        self._untimed_from = max(self._untimed_from, judged.said.end)
        if self._seam is not None:
            self._seam.passed(judged.compared)
            self._seam = self._seam if self._seam.open else None

    def is_shown_again(self, said: PlacedTranscript, position: int) -> bool:
        """Whether this link hears again, at `position`, speech that was over before it opened."""
        return said.placed and self._is_over(position)

    def is_old_interim(self, judged: Judged) -> bool:
        """Whether an interim tells nothing new of an utterance that is final."""
        said = judged.said
        if judged.nothing_new or self.is_shown_again(said, said.end):
            return True
        timed = said.result.words or not said.placed
        return not timed and self._finals.cover(said.result, overlaps=self.overlaps)

    def _is_over(self, position: int) -> bool:
        return self._seam is not None and position < self._over_until

    def _tells_speakers(self, result: RecognitionResult) -> bool:
        return self.overlaps or result.speaker is not None or any(map(_SPEAKER, result.words))

    @property
    def _trusts_spans(self) -> bool:
        return self._profile.acknowledges != "finalize"

    def _place(self, result: RecognitionResult) -> PlacedTranscript:
        sent, rate = self._session.log.sent, self._session.rate
        if result.end <= result.start:
            return PlacedTranscript(result, min(self._untimed_from, sent), sent, (), placed=False)
        start, end = result.start, result.end
        if not self._trusts_spans and start <= 0.0 and not result.words:
            start, end = self._consumed, self._consumed + end - start  # some count from the last final on
        times = [(word.start, word.end) for word in result.words]
        (first, last), *spans = self.timeline.spans([(start, end), *times])
        words = [
            Word(word.text, begins / rate, ends / rate, word.confidence, word.speaker)
            for word, (begins, ends) in zip(result.words, spans, strict=True)
        ]
        return PlacedTranscript(result, first, last, tuple(words))

    def _compared(self, said: PlacedTranscript) -> tuple[ComparedWord, ...]:
        """What seams compare: words with their times, with the end of their final at least, or without."""
        texts = [plain(text) for text in said.texts]
        speaker = said.result.speaker
        if not self._profile.places_words or not said.placed:
            end = said.end if self._trusts_spans and said.placed else None
            return tuple(ComparedWord(text, None, end, speaker) for text in texts)
        spans = said.spans(self._session.rate) or [(said.start, said.end)] * len(texts)
        return tuple(ComparedWord(text, *span, speaker) for text, span in zip(texts, spans, strict=True))

    def _named(
        self, said: PlacedTranscript, compared: tuple[ComparedWord, ...]
    ) -> tuple[PlacedTranscript, tuple[ComparedWord, ...]]:
        """The same with the session's own labels for its speakers."""
        raw = [word.speaker or said.result.speaker for word in said.words] or [said.result.speaker] * len(compared)
        if said.result.speaker is None and not any(raw):
            return said, compared
        self.overlaps = True
        memory = self._session.delivered_words
        labels = [self._speakers.label(each, memory.speaker_at(word)) for each, word in zip(raw, compared, strict=True)]
        words = tuple(
            Word(word.text, word.start, word.end, word.confidence, label if word.speaker else None)
            for word, label in zip(said.words, labels, strict=False)
        )
        whole = self._speakers.label(said.result.speaker, None)
        compared = tuple(replace(word, speaker=label) for word, label in zip(compared, labels, strict=True))
        return replace(said, words=words, speaker=whole), compared
