"""Places the results of one link on the stream's clock, and finds the words in them that were delivered before.

A word is *old* where it was delivered before. A *seam* finds the words of an earlier link that this one repeats, and
the *cut* is the sample before which they are all old: see `reconciliation`.

Laws
    1. Each result is judged before it has any other effect. The seam finds words that an earlier link delivered, and
       `finals_of_link` those that this link itself has made final.
    2. Where an utterance is final, later results about it are old, word by word: a late interim, or a final that
       repeats or joins earlier ones. The same text alone makes nothing old, since people do say things twice.
    3. Where old words are cut out of a text, the rest is the service's own text.
    4. When a new link hears speech again that was over, it is not shown, and no start of speech is told.
    5. A result without times is placed between the end of the last final and the audio sent when it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from ...events import Word
from ..provider.messages import RecognitionResult
from ..provider.profile import SttProfile
from .announcements import ONSET_REACH
from .finals_of_link import FinalsOfLink
from .reconciliation import ComparedWord
from .session import RecognitionMachine
from .speakers import SpeakerLabels
from .text import plain
from .timeline import Timeline
from .transcript import PlacedTranscript, with_known_times

_SPEAKER, _TIMES = attrgetter("speaker"), attrgetter("start", "end")


class Judged(Struct, frozen=True):
    """A result, and for each of its words whether it is new. `compared`: all its words, in the form to compare.

    `compared` and `is_new` are empty for an interim behind all finals, of which nothing can be old.
    `repeats_final`: it repeats a whole final. `at_seam`: see `FinalTranscript.seam`.
    """

    said: PlacedTranscript
    compared: tuple[ComparedWord, ...]
    is_new: tuple[bool, ...]
    repeats_final: bool = False
    repeats_words: bool = False
    """Whether all its words were in finals of this same link."""
    at_seam: bool = False

    @property
    def nothing_new(self) -> bool:
        """Whether all of it was delivered before. False for a result without words that repeats no final."""
        return self.repeats_final or (bool(self.is_new) and not any(self.is_new))

    @property
    def new_words(self) -> tuple[ComparedWord, ...]:
        """The words that were not delivered before."""
        return tuple(word for word, new in zip(self.compared, self.is_new, strict=True) if new)


class IncomingResults:
    """Judges the results of one link.

    `timeline`: the link's. `cut`: earlier links have delivered all words before this sample.
    """

    def __init__(self, session: RecognitionMachine, profile: SttProfile, timeline: Timeline, cut: int) -> None:
        base = timeline.base
        self._session = session
        self._profile = profile
        self.overlaps = profile.overlapping
        """Whether speakers may overlap, so that the span of a final says nothing about the words of other speakers."""
        self._over_until = session.over_until
        self._seam = session.delivered_words.seam(profile, base, cut, overlapping=profile.overlapping)
        self._cut = cut
        self._margin = session.audio_format.samples(profile.drift)
        self._onset_reach = session.audio_format.samples(ONSET_REACH)
        self._new_from = max(cut, session.delivered_words.said)
        self._finals = FinalsOfLink(profile)
        is_first = session.tally.links == 1
        self._known_until = 0 if is_first else session.delivered_words.said
        """The sample before which earlier links may have delivered finals."""
        self._consumed = 0.0
        self._untimed_from = base
        self._speakers = SpeakerLabels(session.speakers, is_first=is_first)
        self.timeline = timeline

    @property
    def awaited(self) -> Sequence[ComparedWord]:
        """The words that an earlier link delivered and this one may still repeat."""
        return () if self._seam is None else self._seam.awaited

    @property
    def untimed_from(self) -> int:
        """The earliest sample that a message without times can be about."""
        return self._untimed_from

    def onset(self, at: float | None) -> int | None:
        """Returns the sample at which speech began; ``None`` where an earlier link may have told it.

        `at`: in seconds of the link; ``None``: the service did not tell.
        """
        if at is None:
            return None if self._seam is not None else self._session.log.sent
        position = self.timeline.start_at(at)
        over_until = self._session.over_until
        return position if position >= over_until - self._margin or self._was_skipped(position, over_until) else None

    def _was_skipped(self, position: int, over_until: int) -> bool:
        """Whether speech at sample `position` has no final, although later speech has: finals may come out of order."""
        if position < self._session.log.committed - self._margin or not self._profile.trusts_spans or self.overlaps:
            return False
        end = min(over_until, position + self._onset_reach)
        return self._session.first_possible_speech(position, end, self._margin) is not None

    def speech_over(self, at: float | None) -> int | None:
        """Returns the sample at which speech ended; ``None`` where an earlier link has told it.

        `at`: in seconds of the link; ``None``: the service did not tell.
        """
        position = self._session.log.sent if at is None else self.timeline.end_at(at)
        return position if self._seam is None or position > self._cut else None

    def judge(self, result: RecognitionResult) -> Judged:
        """Places a result on the stream's clock, and finds out which of its words are new."""
        result = with_known_times(result)
        said = self._place(result)
        is_live = self._seam is None and said.start >= self._known_until and self._finals.is_passed_by(result)
        if is_live and result.kind != "final" and not self._tells_speakers(result):
            return Judged(said, (), ())  # most results are of this kind, so no words are compared for them
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
        repeats = result.kind == "final" and (self._finals.repeated_by(result) or self._was_final(said))
        return Judged(said, compared, is_new, repeats, here, at_seam and not self._profile.exact_times)

    def kept(self, judged: Judged) -> PlacedTranscript:
        """Returns a result with its new words only. It starts no earlier than the end of what was delivered.

        A first new word that begins before that end keeps its own start.
        """
        said = judged.said
        if all(judged.is_new):
            return said
        return said.kept(judged.is_new, self._session.rate, min(said.end, max(said.start, self._new_from)))

    def final(self, judged: Judged) -> None:
        """Call when a final was handled, so that later results are judged by it too."""
        result = judged.said.result
        self._consumed += max(0.0, result.end - result.start)
        self._finals.add(result)
        self._untimed_from = max(self._untimed_from, judged.said.end)
        if self._seam is not None:
            self._seam.passed(judged.compared)
            self._seam = self._seam if self._seam.open else None

    def is_shown_again(self, said: PlacedTranscript, position: int) -> bool:
        """Whether sample `position` of a result lies in speech that was over before this link opened.

        It was not where an earlier link has made later speech final first. Only exact times tell that apart from speech
        that is heard again at another place than before.
        """
        if not said.placed or not self._is_over(position):
            return False
        return not self._profile.exact_times or not self._was_skipped(said.start, self._over_until)

    def is_old_interim(self, judged: Judged) -> bool:
        """Whether an interim tells nothing new: its utterance is final already, or was over before this link opened."""
        said = judged.said
        if judged.nothing_new or self.is_shown_again(said, said.end):
            return True
        if said.result.words or not said.placed:
            return False
        return self._finals.cover(said.result, overlaps=self.overlaps) or self._was_final(said)

    def _was_final(self, said: PlacedTranscript) -> bool:
        """Whether delivered finals cover the whole span of a result without word times, on a link that is not the
        first: it is sent again what they were of.
        """
        if said.result.words or not said.placed or self.overlaps or not self._profile.trusts_spans:
            return False
        if said.end > self._known_until:
            return False
        return said.start < said.end and not any(self._session.delivered_words.stretches.missing(said.start, said.end))

    def _is_over(self, position: int) -> bool:
        return self._seam is not None and position < self._over_until

    def _tells_speakers(self, result: RecognitionResult) -> bool:
        return self.overlaps or result.speaker is not None or any(map(_SPEAKER, result.words))

    def _place(self, result: RecognitionResult) -> PlacedTranscript:
        sent, rate = self._session.log.sent, self._session.rate
        if result.end <= result.start:
            return PlacedTranscript(result, min(self._untimed_from, sent), sent, (), placed=False)
        start, end = result.start, result.end
        if not self._profile.trusts_spans and start <= 0.0 and not result.words:
            start, end = self._consumed, self._consumed + end - start  # some count from the last final on
        (first, last), *spans = self.timeline.spans([(start, end), *map(_TIMES, result.words)])
        words = [
            Word(word.text, begins / rate, ends / rate, word.confidence, word.speaker)
            for word, (begins, ends) in zip(result.words, spans, strict=True)
        ]
        return PlacedTranscript(result, first, last, tuple(words))

    def _compared(self, said: PlacedTranscript) -> tuple[ComparedWord, ...]:
        """Returns the words in the form to compare.

        They have their times where these can be trusted, else the end of their final, or no times at all.
        """
        texts = [plain(text) for text in said.texts]
        speaker = said.result.speaker
        if not self._profile.places_words or not said.placed:
            end = said.end if self._profile.trusts_spans and said.placed else None
            return tuple(ComparedWord(text, None, end, speaker) for text in texts)
        spans = said.spans(self._session.rate) or [(said.start, said.end)] * len(texts)
        return tuple(ComparedWord(text, *span, speaker) for text, span in zip(texts, spans, strict=True))

    def _named(
        self, said: PlacedTranscript, compared: tuple[ComparedWord, ...]
    ) -> tuple[PlacedTranscript, tuple[ComparedWord, ...]]:
        """Returns both with the session's own labels for the speakers (see `speakers`)."""
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
