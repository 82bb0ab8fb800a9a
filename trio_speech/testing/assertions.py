"""The guarantees of every session, as assertions. A failed one shows a picture of what happened.

An assertion that has nothing to check fails too: else a test would pass that proves nothing.

`events` are all events that iterating a transcript gave, to its end. `speech` is the audio that was sent. All raise
`AssertionError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol

from msgspec import Struct

from .._core.synthesis.clip import ClipBuilder
from ..audio.formats import AudioFormat, Encoding
from ..events import AudioChunk, FinalTranscript, Gap, SpeechEnded, SpeechStarted, TranscriptEvent, TurnEnded, Word
from .picture import picture
from .scripted.visits import Visit
from .speech import LabeledSpeech
from .word_signal import AudibleWord, hear

_TOLERANCE = 1e-6
"""Seconds, for rounding: less than half a sample at any rate."""


class LedgerFigures(Protocol):
    """The figures of `TranscriptStatistics` that must add up, and are defined there; all are seconds of audio."""

    @property
    def captured(self) -> float: ...
    @property
    def settled(self) -> float: ...
    @property
    def in_gaps(self) -> float: ...
    @property
    def unsettled(self) -> float: ...


class _Expected(Struct, frozen=True):
    """A word that must be delivered. A `doubtful` one touches a gap: it may be missing, or come in pieces."""

    word: AudibleWord
    doubtful: bool


def assert_exactly_once(events: Iterable[TranscriptEvent], speech: LabeledSpeech, visits: Iterable[Visit] = ()) -> None:
    """Each word of `speech` was delivered exactly once, in order, and nothing else was.

    Words that touch a `Gap` may be missing or come in pieces. `visits` (``gateway.visits``) only add to the message.
    """
    _compare(list(events), speech, visits)


def assert_times_within(
    samples: int, events: Iterable[TranscriptEvent], speech: LabeledSpeech, visits: Iterable[Visit] = ()
) -> None:
    """The times of each delivered word are at most `samples` samples away from where `speech` has it."""
    events = list(events)
    comparison = _compare(events, speech, visits)
    rate = speech.audio_format.sample_rate
    for told, spoken in comparison.pairs:
        off = max(abs(told.start * rate - spoken.start), abs(told.end * rate - spoken.end))
        if off > samples + _TOLERANCE * rate:
            truth = f"{spoken.start / rate:.4f} to {spoken.end / rate:.4f}"
            failure = f"{told.text!r} was spoken from {truth}, and delivered as {told.start:.4f} to {told.end:.4f}"
            raise AssertionError(f"{failure}: {off:.1f} samples off\n\n{picture(speech, events, visits)}")


def _compare(events: Sequence[TranscriptEvent], speech: LabeledSpeech, visits: Iterable[Visit]) -> _Comparison:
    comparison = _Comparison(events, speech)
    if comparison.failure is not None:
        raise AssertionError(f"{comparison.failure}\n\n{picture(speech, events, visits)}")
    return comparison


def assert_in_stream_order(events: Iterable[TranscriptEvent], *, overlap: float = 0.0) -> None:
    """Finals and gaps come in stream order: none starts more than `overlap` seconds before the one before it ends.

    The words of each final are in order, do not overlap, and lie within the final.
    """
    told = [event for event in _some(events) if isinstance(event, FinalTranscript | Gap)]
    for event, after in pairwise(told):
        if after.start < event.end - overlap - _TOLERANCE:
            raise AssertionError(f"out of order: {event} is followed by {after}")
    for event in told:
        if event.start > event.end:
            raise AssertionError(f"ends before it starts: {event}")
        if isinstance(event, FinalTranscript):
            _assert_words_inside(event)


def _assert_words_inside(final: FinalTranscript) -> None:
    for word, after in pairwise(final.words):
        if word.end > after.start + _TOLERANCE:
            raise AssertionError(f"{word} and {after} overlap in {final}")
    for word in final.words:
        if not final.start - _TOLERANCE <= word.start <= word.end <= final.end + _TOLERANCE:
            raise AssertionError(f"{word} is outside {final}")


def assert_unique_ids(events: Iterable[TranscriptEvent]) -> None:
    """Each final has an id, and no two have the same."""
    ids = [event.id for event in _some(events) if isinstance(event, FinalTranscript)]
    if not all(ids):
        raise AssertionError("a final has no id")
    if len(set(ids)) != len(ids):
        raise AssertionError(f"ids come twice: {sorted(each for each in set(ids) if ids.count(each) > 1)}")


def assert_speech_alternates(events: Iterable[TranscriptEvent]) -> None:
    """`SpeechStarted` and `SpeechEnded` alternate, and the first is a `SpeechStarted`."""
    states = [event for event in _some(events) if isinstance(event, SpeechStarted | SpeechEnded)]
    for state, after in pairwise(states):
        if type(state) is type(after):
            raise AssertionError(f"{state} is followed by {after}")
    if states and not isinstance(states[0], SpeechStarted):
        raise AssertionError(f"{states[0]} came first")


def assert_turns_end_once(events: Iterable[TranscriptEvent]) -> None:
    """Each `TurnEnded` comes behind a final of its own, and ends later than the one before. There may be none."""
    told, ended = False, -1.0
    for event in _some(events):
        if isinstance(event, FinalTranscript):
            told = told or bool(event.text)
        elif isinstance(event, TurnEnded):
            if not told or event.end <= ended:
                raise AssertionError(f"a turn ends twice, or without a word: {event} after {ended}")
            told, ended = False, event.end


def assert_ledger(statistics: LedgerFigures, events: Iterable[TranscriptEvent], captured: float) -> None:
    """Each of the `captured` seconds of audio is settled, named by exactly one `Gap`, or still unsettled.

    A session that has ended must have nothing unsettled; that is not checked here.
    """
    if captured <= 0:
        raise AssertionError("no audio was captured: there is nothing to account for")
    gaps = sum(event.end - event.start for event in events if isinstance(event, Gap))
    if abs(statistics.captured - captured) >= _TOLERANCE:
        raise AssertionError(f"{captured} s were sent, {statistics.captured} s captured")
    total = statistics.settled + statistics.in_gaps + statistics.unsettled
    if abs(total - captured) >= _TOLERANCE:
        raise AssertionError(f"{captured} s captured, but {total} s accounted for: {statistics}")
    if abs(gaps - statistics.in_gaps) >= _TOLERANCE:
        raise AssertionError(f"the gaps delivered last {gaps} s, and the statistics count {statistics.in_gaps} s")


def assert_spoken_once(
    chunks: Iterable[AudioChunk], text: str, sample_rate: int, encoding: Encoding = "pcm_s16le"
) -> None:
    """The audio of `chunks` says each word of `text` once, whole and in order, and has no hole on the session's clock.

    Audio that a later chunk reports as `torn` is left out. Where the chunks carry word times, these agree to the
    sample with the audio. The audio must be mono, in `encoding` (``"pcm_s16le"``, ``"mulaw"`` or ``"alaw"``), and
    spoken by the scripted gateway.
    """
    wanted = " ".join(text.split())
    if not wanted:
        raise AssertionError("text has no words, so none could be lost or doubled")
    audio_format = AudioFormat(encoding, sample_rate)
    builder, at = ClipBuilder(audio_format), 0
    for chunk in chunks:
        if abs(chunk.start * sample_rate - at) >= 0.5:
            raise AssertionError(f"a chunk starts at {chunk.start} s after {at} samples")
        builder.add(chunk)
        at += len(chunk.audio) // audio_format.frame_size
    clip = builder.clip()
    spoken = hear(clip.audio, 0, audio_format)
    said = " ".join(word.token for word in spoken)
    if said != wanted:
        raise AssertionError(f"asked for: {text}\nspoken:    {said}")
    aligned = clip.words
    for word, truth in zip(aligned, spoken, strict=False):
        if word.text.strip() != truth.text:
            raise AssertionError(f"{truth.text!r} is aligned as {word}")
        off = max(abs(word.start * sample_rate - truth.start), abs(word.end * sample_rate - truth.end))
        if off > 1:
            raise AssertionError(f"{truth} is aligned as {word}, {off:.1f} samples off")
    if len(aligned) not in (0, len(spoken)):
        raise AssertionError(f"{len(spoken)} words spoken, {len(aligned)} aligned")


def _some(events: Iterable[TranscriptEvent]) -> list[TranscriptEvent]:
    found = list(events)
    if not found:
        raise AssertionError("events is empty: pass a list of all events (an iterator can be read only once)")
    return found


class _Comparison:
    """Matches the delivered words with the spoken ones, in order. `failure`: the first difference, or ``None``."""

    def __init__(self, events: Sequence[TranscriptEvent], speech: LabeledSpeech) -> None:
        self.pairs: list[tuple[Word, AudibleWord]] = []
        gaps = [(event.start, event.end) for event in events if isinstance(event, Gap)]
        rate = speech.audio_format.sample_rate
        self._expected = [_Expected(word, _touches(word, gaps, rate)) for word in speech.words]
        self.failure = self._nothing() or self._match([e for e in events if isinstance(e, FinalTranscript)])

    def _nothing(self) -> str | None:
        if not self._expected:
            return "the speech has no words, so nothing could be lost or doubled: use longer speech"
        if all(each.doubtful for each in self._expected):
            return "every word of the speech touches a gap, so none had to be delivered"
        return None

    def _match(self, finals: Sequence[FinalTranscript]) -> str | None:
        at, pieces = 0, 0
        for told in _words(finals):
            # A doubtful word is passed over until one matches: which of them is missing, the gap does not say.
            while (expected := self._expected[at : at + 1]) and expected[0].doubtful:
                if told.text == expected[0].word.text or _is_piece(told.text, expected[0].word.text, pieces):
                    break
                at, pieces = at + 1, 0
            if not expected:
                return f"{told.text!r} was delivered at {told.start:.3f}, after the last word{self._twice(told)}"
            word = expected[0].word
            if told.text == word.text:
                self.pairs.append((told, word))
                at, pieces = at + 1, 0
            elif expected[0].doubtful:
                pieces += len(told.text.strip("-"))
            else:
                return f"{word.text!r} was expected, {told.text!r} delivered at {told.start:.3f}{self._twice(told)}"
        missing = [each.word.text for each in self._expected[at:] if not each.doubtful]
        return f"not delivered: {' '.join(missing)}" if missing else None

    def _twice(self, told: Word) -> str:
        before = [word for word, spoken in self.pairs if spoken.text == told.text]
        return f", as before at {before[-1].start:.3f}" if before else ""


def _touches(word: AudibleWord, gaps: Sequence[tuple[float, float]], rate: int) -> bool:
    return any(start * rate < word.end + 0.5 and word.start - 0.5 < end * rate for start, end in gaps)


def _is_piece(told: str, word: str, taken: int) -> bool:
    letters = told.strip("-")
    return told != letters and letters in word and taken + len(letters) <= len(word)


def _words(finals: Sequence[FinalTranscript]) -> Iterator[Word]:
    """The words of the finals; for a final without word times, those of its text, with the times of the final."""
    for final in finals:
        yield from final.words or (Word(text, final.start, final.end) for text in final.text.split())
