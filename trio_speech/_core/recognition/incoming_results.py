"""What one link says, put on the stream's clock and judged: the ear of a `LinkMachine`.

Laws
    1. Words are judged at the seam before anything else sees them.
    2. A repeated final is known by identity or by exact span, never by its text alone: people do say things twice.
    3. Text out of which words were cut is rebuilt from the words that stay.
    4. Speech that was over is not shown, nor said to start, when it is heard again.
    5. A final acknowledges the audio before its end only where the profile trusts spans.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from ...events import Word
from ..provider.messages import RecognitionResult
from ..provider.profile import SttProfile
from .reconciliation import ComparedWord, plain
from .session import RecognitionMachine
from .timeline import Timeline
from .transcript import PlacedTranscript

_REMEMBERED_FINALS = 64


class IncomingResults:
    """Judges the transcripts of one link, which hears from `base`; all before `cut` had been recognized by others."""

    def __init__(self, session: RecognitionMachine, profile: SttProfile, base: int, cut: int) -> None:
        self._session = session
        self._profile = profile
        self._trusted = profile.acknowledges != "finalize"
        self._cut = cut
        self._new_from = max(cut, session.delivered_words.said)
        self._over_until = session.over_until
        self._seam = session.delivered_words.seam(profile, base, cut)
        self._recent: list[tuple[object, ...]] = []
        self._consumed = 0.0
        self.timeline = Timeline(base, session.rate)

    @property
    def awaited(self) -> Sequence[ComparedWord]:
        """Words that another link delivered, and this one may still hear again."""
        return () if self._seam is None else self._seam.awaited

    def onset(self, at: float | None) -> None:
        """Somebody began to speak; at the seam, only if it is plain that this is new."""
        position = self._session.log.sent if at is None else self.timeline.start_at(at)
        if at is None and self._seam is not None:
            return
        if position >= self._cut and not self._is_over(position):
            self._session.speech_started(position, since=self._session.over_until if at is None else position)

    def speech_over(self, at: float | None) -> None:
        """The utterance ended; at the seam, only if it is one that the link before did not end."""
        position = self._session.log.sent if at is None else self.timeline.end_at(at)
        if self._seam is None or position > self._cut:
            self._session.speech_ended(position)

    def acknowledged(self, upto: float) -> None:
        """A watermark."""
        self._session.commit(self.timeline.end_at(upto))

    def interim(self, hypothesis: RecognitionResult) -> None:
        """An interim or preflight transcript: what is new of it is shown."""
        said = self._place(hypothesis)
        old = 0 if self._seam is None else self._repeated(said, self._heard(said))
        if old is not None and not self._is_past(said, said.end):
            kept = self._behind(said, old)
            if kept.hypothesis.text:
                self._show(kept)

    def final(self, hypothesis: RecognitionResult) -> tuple[ComparedWord, ...]:
        """A final: what is new is delivered, what it acknowledges is committed. Returns its words, old and new."""
        if self._is_repeated(hypothesis):
            self._session.tally.repeated_finals += 1
            return ()
        said = self._place(hypothesis)
        heard = self._heard(said)
        self._consumed += max(0.0, hypothesis.end - hypothesis.start)
        at_seam = self._seam is not None
        old = self._repeated(said, heard)
        if self._seam is not None:
            self._seam.passed(heard)
            self._seam = self._seam if self._seam.open else None
        upto = self._acknowledged_by(said)
        self._session.tally.repeated_words += len(heard) if old is None else old
        if old is not None:
            kept = self._behind(said, old)
            self._deliver(kept, heard[old:], seam=at_seam and not self._profile.exact_times, upto=upto)
        if upto is not None:
            self._session.commit(upto)
        if hypothesis.ends_speech:
            self._session.speech_ended(said.end)
        return heard

    def _acknowledged_by(self, said: PlacedTranscript) -> int | None:
        match self._profile.acknowledges:
            case "span":
                return said.end
            case "watermark" if self._profile.exact_times:
                return min(said.end, self._session.log.kept)
            case _:
                return None

    def _deliver(
        self, said: PlacedTranscript, heard: tuple[ComparedWord, ...], *, seam: bool, upto: int | None
    ) -> None:
        if said.hypothesis.text:
            self._session.speech_started(said.start)
        self._session.final(said, seam=seam, upto=upto)
        self._session.delivered_words.delivered(heard, said.end if self._trusted else None)

    def _show(self, said: PlacedTranscript) -> None:
        if not self._is_past(said, said.start):
            self._session.speech_started(said.start)
        self._session.event_queue.put(said.guess(self._session.rate))

    def _is_over(self, position: int) -> bool:
        """Whether this link hears again there what was said, and over, before it opened."""
        return self._seam is not None and position < self._over_until

    def _is_past(self, said: PlacedTranscript, position: int) -> bool:
        """As `_is_over`, of what has times: some services tell those of finals alone."""
        return said.end > said.start and self._is_over(position)

    def _is_repeated(self, hypothesis: RecognitionResult) -> bool:
        keys: list[tuple[object, ...]] = []
        if hypothesis.id is not None:
            keys.append(("id", hypothesis.id))
        if self._trusted and hypothesis.end > hypothesis.start:
            keys.append(("span", hypothesis.start, hypothesis.end, hypothesis.speaker))
        if any(key in self._recent for key in keys):
            return True
        self._recent.extend(keys)
        del self._recent[:-_REMEMBERED_FINALS]
        return False

    def _place(self, hypothesis: RecognitionResult) -> PlacedTranscript:
        start, end = hypothesis.start, hypothesis.end
        if not self._trusted and start <= 0.0:
            start, end = self._consumed, self._consumed + end - start
        times = [(word.start, word.end) for word in hypothesis.words]
        (first, last), *spans = self.timeline.spans([(start, end), *times])
        rate = self._session.rate
        words = [
            Word(word.text, begins / rate, ends / rate, word.confidence, word.speaker)
            for word, (begins, ends) in zip(hypothesis.words, spans, strict=True)
        ]
        return PlacedTranscript(hypothesis, first, last, tuple(words))

    def _heard(self, said: PlacedTranscript) -> tuple[ComparedWord, ...]:
        """What seams compare: words with their times, with the end of their final at least, or without."""
        texts = [plain(text) for text in said.texts]
        if not self._profile.places_words:
            return tuple(ComparedWord(text, None, said.end if self._trusted else None) for text in texts)
        spans = said.spans(self._session.rate) or [(said.start, said.end)] * len(texts)
        return tuple(ComparedWord(text, *span) for text, span in zip(texts, spans, strict=True))

    def _repeated(self, said: PlacedTranscript, heard: Sequence[ComparedWord]) -> int | None:
        """How many leading words had been delivered before; ``None``: all that there is."""
        if self._seam is None:
            return 0
        old = self._seam.repeated(heard)
        return None if old == len(heard) and (old or said.end <= self._new_from) else old

    def _behind(self, said: PlacedTranscript, old: int) -> PlacedTranscript:
        """What follows on `old` words: it begins where all that was said ends, but for a word astride."""
        hypothesis, words = said.hypothesis, said.words[old:]
        start = max(said.start, self._new_from)
        if words:
            first = round(words[0].start * self._session.rate)
            start = first if old else min(start, first)
        if old:
            hypothesis = replace(hypothesis, text=" ".join(text.strip() for text in said.texts[old:]))
        return PlacedTranscript(hypothesis, start, max(start, said.end), words)
