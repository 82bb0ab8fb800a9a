"""What one link says, judged: nothing old twice, nothing new lost, all of it on the stream's clock."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from trio_speech._core.provider.messages import (
    Acknowledged,
    FinalizeAnswered,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
)
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech.audio import AudioFormat
from trio_speech.events import (
    FinalTranscript,
    Gap,
    InterimTranscript,
    PreflightTranscript,
    SpeechEnded,
    SpeechStarted,
    TranscriptEvent,
    Word,
)
from trio_speech.policy import ReplayPolicy

from .one_link import ORDERED, SPANS, Run, loud, quiet, result

EXACT = SttProfile()
WATERMARK = replace(EXACT, acknowledges="watermark")
BY_TEXT = replace(WATERMARK, exact_times=False, word_times=False)
UNTRUSTED = replace(EXACT, acknowledges="finalize", exact_times=False, word_times=False)


def recognition() -> RecognitionMachine:
    """Two seconds captured, at a sample a millisecond."""
    session = RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(lead_in=0.5))
    session.capture(bytes(4_000))
    return session


class Said:
    """What one link says, to the machine of that link."""

    def __init__(self, session: RecognitionMachine, profile: SttProfile) -> None:
        self.machine = LinkMachine(session, profile, 0.0, patience=10.0, progress_timeout=None)

    @property
    def awaited(self) -> list[str]:
        return [word.text for word in self.machine._reception._results.awaited]

    def onset(self, at: float | None) -> None:
        self.machine.receive(SpeechOnset(at), 0.0)

    def speech_over(self, at: float | None) -> None:
        self.machine.receive(SpeechOver(at), 0.0)

    def acknowledged(self, upto: float) -> None:
        self.machine.receive(Acknowledged(upto), 0.0)

    def interim(self, result: RecognitionResult) -> None:
        self.machine.receive(result, 0.0)

    final = interim


def link(session: RecognitionMachine, profile: SttProfile = EXACT) -> Said:
    """The next link, which has heard all that was captured."""
    if session.tally.links:
        session.link_lost(())
    hearing = Said(session, profile)
    hear(session, hearing, session.log.unsent)
    return hearing


def hear(session: RecognitionMachine, hearing: Said, samples: int) -> None:
    """The link hears so much more."""
    start = session.log.sent
    session.log.take(samples)
    hearing.machine._reception._results.timeline.sent(start, session.log.sent)


def said(text: str, start: float, end: float, *, kind: Any = "final", **fields: Any) -> RecognitionResult:
    """Words of equal lengths, with their times."""
    texts = text.split()
    step = (end - start) / max(1, len(texts))
    words = tuple(Word(each, start + at * step, start + (at + 1) * step) for at, each in enumerate(texts))
    return RecognitionResult(kind=kind, text=text, start=start, end=end, words=fields.pop("words", words), **fields)


def told(session: RecognitionMachine) -> list[TranscriptEvent]:
    return [session.take() for _ in range(len(session.event_queue))]


def finals(session: RecognitionMachine) -> list[tuple[str, float, float]]:
    return [(each.text, each.start, each.end) for each in told(session) if isinstance(each, FinalTranscript)]


# ---------------------------------------------------------------- speech state


def test_speech_begins_where_the_service_says_or_at_what_it_was_sent() -> None:
    session = recognition()
    hearing = link(session)
    hearing.onset(0.5)
    hearing.onset(0.7)
    hearing.speech_over(1.0)
    hearing.onset(None)
    hearing.speech_over(None)
    assert told(session) == [SpeechStarted(0.5), SpeechEnded(1.0), SpeechStarted(2.0), SpeechEnded(2.0)]


def test_an_onset_of_unknown_time_may_be_as_old_as_all_that_is_not_acknowledged() -> None:
    session = recognition()
    hearing = link(session)
    hearing.onset(None)
    hearing.speech_over(0.1)
    assert told(session) == [SpeechStarted(2.0), SpeechEnded(0.1)]


def test_an_onset_of_unknown_time_is_younger_than_what_is_final() -> None:
    session = recognition()
    first = link(session, UNTRUSTED)
    first.final(said("one two", 0.2, 1.0, ends_speech=True))
    told(session)
    first.onset(None)
    hearing = link(session, UNTRUSTED)  # from 0.0 on
    hearing.final(said("one two", 0.2, 1.0, ends_speech=True))
    assert told(session) == [SpeechStarted(2.0)]
    assert session.speaking
    hearing.final(said("three", 1.5, 1.9, ends_speech=True))
    assert told(session)[-1] == SpeechEnded(1.9)


def test_speech_that_was_over_is_not_shown_when_it_is_heard_again() -> None:
    session = recognition()
    first = link(session, UNTRUSTED)
    first.final(said("one two", 0.0, 1.0, ends_speech=True))
    told(session)
    hearing = link(session, UNTRUSTED)  # from 0.0 on
    hearing.onset(0.1)
    hearing.interim(said("won", 0.0, 0.5, kind="interim"))
    assert told(session) == []
    hearing.interim(said("one too", 0.0, 1.1, kind="interim"))
    assert [type(event) for event in told(session)] == [InterimTranscript], "it may be new, and has not started"
    hearing.onset(1.0)
    assert told(session) == [SpeechStarted(1.0)]


def test_what_has_no_times_may_be_new() -> None:
    session = recognition()
    link(session, UNTRUSTED).final(said("one two", 0.0, 1.0, ends_speech=True))
    told(session)
    hearing = link(session, UNTRUSTED)
    hearing.interim(said("one two", 0.0, 0.0, kind="interim"))
    assert told(session) == []
    hearing.interim(said("one two three", 0.0, 0.0, kind="interim"))
    started, shown = told(session)
    assert isinstance(started, SpeechStarted)
    assert isinstance(shown, InterimTranscript)
    assert shown.text == "three"


def test_an_onset_of_known_time_is_not_ended_before_it() -> None:
    session = recognition()
    hearing = link(session)
    hearing.onset(0.5)
    hearing.speech_over(0.5)
    assert told(session) == [SpeechStarted(0.5)]
    assert session.speaking


def test_at_the_seam_only_what_is_plainly_new_counts_as_speech() -> None:
    session = recognition()
    first = link(session)
    first.final(said("one two", 0.0, 1.0))
    hearing = link(session)  # from 0.5 on
    told(session)
    for at in (None, 0.0, 0.4):
        hearing.onset(at)
    hearing.speech_over(0.5)
    assert told(session) == []
    assert session.speaking
    hearing.speech_over(0.6)
    hearing.onset(0.5)
    assert told(session) == [SpeechEnded(1.1), SpeechStarted(1.0)]


def test_a_final_that_ends_speech_ends_it() -> None:
    session = recognition()
    link(session).final(said("one", 0.2, 0.6, ends_speech=True))
    started, final, ended = told(session)
    assert (started, ended) == (SpeechStarted(0.2), SpeechEnded(0.6))
    assert isinstance(final, FinalTranscript)


def test_a_final_without_text_begins_no_speech() -> None:
    session = recognition()
    link(session).final(said("", 0.0, 1.0))
    assert [type(event) for event in told(session)] == [FinalTranscript]
    assert session.log.settled == 1_000


# ---------------------------------------------------------------- guesses


def test_a_guess_is_shown_in_full_and_a_newer_one_takes_its_place() -> None:
    session = recognition()
    hearing = link(session)
    fields: dict[str, Any] = {"language": "en", "confidence": 0.5, "speaker": "S1", "extra": {"a": 1}}
    guess = said("one", 0.2, 0.6, kind="interim", **fields)
    hearing.interim(said("won", 0.2, 0.5, kind="interim"))
    hearing.interim(guess)
    hearing.interim(said("one", 0.2, 0.6, kind="preflight"))
    shown = told(session)
    assert shown[0] == SpeechStarted(0.2)
    assert shown[1] == InterimTranscript(text="one", start=0.2, end=0.6, words=guess.words, **fields)
    assert [type(event) for event in shown[2:]] == [PreflightTranscript]
    assert session.log.committed == 0


def test_a_guess_of_nothing_new_is_not_shown() -> None:
    session = recognition()
    link(session).final(said("one two", 0.0, 1.0))
    hearing = link(session)
    told(session)
    hearing.interim(said("", 0.6, 0.7, kind="interim"))
    hearing.interim(said("two", 0.0, 0.5, kind="interim"))
    assert told(session) == []
    hearing.interim(said("two three", 0.0, 1.0, kind="interim"))
    (shown,) = told(session)
    assert isinstance(shown, InterimTranscript)
    assert (shown.text, shown.start, shown.end) == ("three", 1.0, 1.5)


# ---------------------------------------------------------------- repeated finals


@pytest.mark.parametrize(
    ("profile", "first", "second", "times"),
    [
        (EXACT, said("no", 0.0, 0.4), said("no", 0.4, 0.8), 2),  # people do say things twice
        (EXACT, said("no", 0.0, 0.4), said("No.", 0.0, 0.4), 1),
        (EXACT, said("no", 0.0, 0.4, speaker="A"), said("no", 0.0, 0.4, speaker="B"), 2),
        (EXACT, said("no", 0.0, 0.4, id="1"), said("no", 0.4, 0.8, id="1"), 1),
        (EXACT, said("no", 0.4, 0.4), said("no", 0.4, 0.4), 2),  # a span of nothing identifies nothing
        (UNTRUSTED, said("no", 0.1, 0.4), said("no", 0.1, 0.4), 2),
        (UNTRUSTED, said("no", 0.1, 0.4, id="1"), said("no", 0.1, 0.4, id="1"), 1),
        (UNTRUSTED, said("no", 0.1, 0.4, id="1"), said("no", 0.1, 0.4, id="2"), 2),
    ],
)
def test_a_final_is_repeated_by_identity_or_span_and_never_by_its_text(
    profile: SttProfile, first: RecognitionResult, second: RecognitionResult, times: int
) -> None:
    session = recognition()
    hearing = link(session, profile)
    hearing.final(first)
    hearing.final(second)
    assert len(finals(session)) == times
    assert session.tally.repeated_finals == 2 - times


def test_every_repetition_of_a_final_is_counted() -> None:
    session = recognition()
    hearing = link(session)
    for _ in range(4):
        hearing.final(said("no", 0.0, 0.4))
    assert (len(finals(session)), session.tally.repeated_finals) == (1, 3)


def test_a_new_link_may_say_of_new_audio_what_the_old_one_said_of_old() -> None:
    session = recognition()
    link(session).final(said("no", 0.0, 0.4, id="1"))
    link(session).final(said("no", 0.6, 0.9, id="1"))
    assert [text for text, *_ in finals(session)] == ["no", "no"]


# ---------------------------------------------------------------- the seam


def test_text_is_rebuilt_from_the_words_that_stay() -> None:
    session = recognition()
    link(session).final(said("one two", 0.0, 1.0))
    hearing = link(session)
    hearing.final(said("two, three four!", 0.0, 1.5))
    assert session.tally.repeated_words == 1
    last = [event for event in told(session) if isinstance(event, FinalTranscript)][-1]
    assert (last.text, last.start, last.end) == ("three four!", 1.0, 2.0)
    assert last.words == (Word("three", 1.0, 1.5), Word("four!", 1.5, 2.0))


def test_what_is_new_begins_with_its_first_word_and_a_whole_final_where_it_says() -> None:
    session = recognition()
    link(session).final(said("one two", 0.2, 1.0, words=(Word("one", 0.4, 0.6), Word("two", 0.6, 1.0))))
    link(session).final(said("two three", 0.1, 1.4, words=(Word("two", 0.1, 0.5), Word("three", 0.7, 1.4))))
    assert finals(session) == [("one two", 0.2, 1.0), ("three", 1.2, 1.9)]


@pytest.mark.parametrize(("end", "count"), [(0.5, 1), (0.6, 2)])
def test_a_final_of_nothing_says_something_only_of_new_audio(end: float, count: int) -> None:
    session = recognition()
    link(session).final(said("one two", 0.0, 1.0))
    link(session).final(said("", 0.0, end))
    assert len(finals(session)) == count


def test_a_final_of_old_words_alone_is_not_delivered() -> None:
    session = recognition()
    link(session).final(said("one two", 0.0, 1.0))
    link(session).final(said("two", 0.0, 0.5))
    link(session).final(said("two", 0.0, 0.6))
    assert len(finals(session)) == 1
    assert session.tally.repeated_words == 2


def test_a_word_astride_the_cut_is_delivered_whole() -> None:
    session = recognition()
    link(session).final(said("one two", 0.0, 1.0))
    hearing = link(session)
    hearing.final(said("three", 0.4, 1.0))
    assert finals(session)[1] == ("three", 0.9, 1.5)


def test_where_words_have_no_times_their_order_decides_and_the_text_is_cut() -> None:
    session = recognition()
    link(session, BY_TEXT).final(said("one two", 0.1, 1.0, words=()))
    link(session, BY_TEXT).final(said("One two three", 0.1, 1.6, words=()))
    final = [event for event in told(session) if isinstance(event, FinalTranscript)][1]
    assert (final.text, final.words, final.seam) == ("three", (), True)
    assert (final.start, final.end) == (1.0, 1.6)


@pytest.mark.parametrize("new", ["three", "three two"])
def test_other_words_are_no_repetition(new: str) -> None:
    session = recognition()
    link(session, BY_TEXT).final(said("one two", 0.1, 1.0, words=()))
    link(session, BY_TEXT).final(said(new, 0.1, 1.6, words=()))
    assert [text for text, *_ in finals(session)] == ["one two", new]


def test_what_was_acknowledged_may_be_said_again() -> None:
    session = recognition()
    first = link(session, BY_TEXT)
    first.final(said("yes", 0.1, 0.9, words=()))
    first.acknowledged(1.0)
    link(session, BY_TEXT).final(said("yes", 0.1, 0.9, words=()))
    assert finals(session) == [("yes", 0.1, 0.9), ("yes", 1.1, 1.9)]


def test_old_words_may_come_in_several_finals() -> None:
    session = recognition()
    link(session, BY_TEXT).final(said("one two three four", 0.1, 1.0, words=()))
    hearing = link(session, BY_TEXT)
    hearing.final(said("one two", 0.1, 0.5, words=()))
    assert hearing.awaited == ["three", "four"]
    hearing.final(said("three four five", 0.5, 1.2, words=()))
    hearing.final(said("one", 1.2, 1.5, words=()))
    assert not hearing.awaited
    assert [text for text, *_ in finals(session)] == ["one two three four", "five", "one"]
    assert session.tally.repeated_words == 4


def test_nor_do_they_say_which_words_were_acknowledged() -> None:
    session = recognition()
    link(session, UNTRUSTED).final(said("one two", 0.1, 0.9, words=()))
    session.commit(1_000)
    link(session, UNTRUSTED).final(said("two three", 0.1, 0.9, words=()))
    assert finals(session)[1][0] == "three"


def test_the_times_of_a_service_that_is_not_to_be_trusted_bound_nothing() -> None:
    session = recognition()
    link(session, UNTRUSTED).final(said("one two", 0.1, 1.0, words=()))
    link(session, UNTRUSTED).final(said("one two three", 0.1, 1.6, words=()))
    assert finals(session)[1] == ("three", 0.1, 1.6)


def test_behind_the_seam_finals_are_marked_no_longer() -> None:
    session = recognition()
    link(session, BY_TEXT).final(said("one two", 0.1, 1.0, words=()))
    hearing = link(session, BY_TEXT)
    hearing.final(said("one two three", 0.1, 1.5, words=()))
    hearing.final(said("four", 1.6, 1.9, words=()))
    assert [event.seam for event in told(session) if isinstance(event, FinalTranscript)] == [False, True, False]


# ---------------------------------------------------------------- what is acknowledged


@pytest.mark.parametrize(
    ("profile", "committed"), [(EXACT, 1_000), (WATERMARK, 0), (BY_TEXT, 0), (UNTRUSTED, 0)], ids=str
)
def test_a_final_acknowledges_only_where_spans_are_trusted(profile: SttProfile, committed: int) -> None:
    session = recognition()
    link(session, profile).final(said("one", 0.2, 1.0))
    assert session.log.committed == committed


@pytest.mark.parametrize(("overlapping", "committed"), [(False, 600), (True, 200)])
def test_a_request_is_answered_for_what_a_final_covers_also_where_a_watermark_rules_but_not_if_speakers_may_overlap(
    overlapping: bool, committed: int
) -> None:
    run = Run(replace(SPANS, acknowledges="watermark", overlapping=overlapping))
    run.capture(quiet(200) + loud(200) + quiet(200))
    run.session.finalize()
    run.at(0.1)
    run.says(result(0.2, 0.4), FinalizeAnswered(), now=0.2)
    assert run.committed == committed


def test_an_onset_of_speech_that_later_finals_have_passed_is_news() -> None:
    run = Run(SPANS)
    run.capture(quiet(200) + loud(200) + quiet(400) + loud(200) + quiet(200))
    run.says(result(0.8, 1.0, ends_speech=True), SpeechOnset(0.8))
    assert [type(event) for event in run.told()] == [SpeechStarted, FinalTranscript, SpeechEnded]
    run.says(SpeechOnset(0.2))
    assert run.told() == [SpeechStarted(0.2)]


@pytest.mark.parametrize(("exact", "told"), [(True, [SpeechStarted, InterimTranscript]), (False, [])])
def test_a_guess_at_speech_that_later_finals_of_an_earlier_link_have_passed_is_shown_if_times_are_exact(
    exact: bool, told: list[type]
) -> None:
    run = Run(replace(SPANS, exact_times=exact))
    run.capture(quiet(200) + loud(200) + quiet(400) + loud(200) + quiet(200))
    run.says(result(0.8, 1.0, ends_speech=True))
    run = run.again()
    run.at(0.0)
    run.told()
    run.says(result(0.8 - run.base, 1.0 - run.base, kind="interim"))
    assert run.told() == []
    run.says(result(0.2 - run.base, 0.4 - run.base, "two", kind="interim"))
    assert [type(event) for event in run.told()] == told


def test_an_onset_may_be_told_as_much_earlier_as_times_drift() -> None:
    run = Run(replace(ORDERED, exact_times=False, drift=0.1))
    run.capture(quiet(200) + loud(200) + quiet(200) + loud(200))
    run.says(result(0.2, 0.4, ends_speech=True))
    run.told()
    run.says(SpeechOnset(0.2))
    assert run.told() == []
    run.says(SpeechOnset(0.35))
    assert run.told() == [SpeechStarted(0.35)]


def test_what_has_been_heard_is_judged_by_a_final_less_the_drift_of_its_times() -> None:
    run = Run(replace(ORDERED, exact_times=False, drift=0.1))
    run.capture(loud(400) + quiet(100))
    run.says(result(0.1, 0.4), now=0.1)
    assert run.link.feed.heard_by == pytest.approx(0.1 + 0.2 / 0.5)


def test_a_final_acknowledges_what_can_be_played_no_more_where_a_watermark_rules() -> None:
    session = RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(limit=2.0, overflow="drop_oldest"))
    session.capture(bytes(4_000))
    hearing = link(session, WATERMARK)
    session.capture(bytes(600))
    hearing.final(said("one", 0.1, 0.9))
    assert (session.log.kept, session.log.committed, session.gaps.total) == (300, 900, 0)


def test_a_gap_that_no_doubt_is_left_of_comes_before_the_final_behind_it() -> None:
    session = RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(limit=2.0, overflow="drop_oldest"))
    session.capture(bytes(4_000))
    hearing = Said(session, replace(EXACT, ordered=True))
    hear(session, hearing, 300)
    session.capture(bytes(1_200))  # which pushes out the first 600, of which the link has heard one half
    hear(session, hearing, 2_000)
    hearing.final(said("one", 0.5, 0.9))
    gap, final = (event for event in told(session) if isinstance(event, Gap | FinalTranscript))
    assert gap == Gap(0.3, 0.6, "overflow")
    assert (final.start, final.end) == (0.8, 1.2)


def test_a_watermark_acknowledges_as_it_says() -> None:
    session = recognition()
    hearing = link(session, WATERMARK)
    hearing.acknowledged(0.7)
    hearing.acknowledged(0.3)
    assert session.log.committed == 700


def test_times_that_the_service_does_not_tell_are_counted() -> None:
    session = recognition()
    hearing = link(session, UNTRUSTED)
    hearing.final(said("one", 0.0, 0.5, words=()))
    hearing.final(said("two", 0.0, 0.25, words=()))
    hearing.final(said("three", 0.0, 0.0, words=()))
    hearing.final(said("four", 0.875, 1.0, words=()))  # which is told
    hearing.final(said("five", 0.0, 0.25, words=()))
    assert finals(session) == [
        ("one", 0.0, 0.5),
        ("two", 0.5, 0.75),
        ("three", 0.75, 2.0),  # the end of what was sent bounds it
        ("four", 0.875, 1.0),
        ("five", 0.875, 1.125),
    ]


def test_words_keep_who_said_them_and_how_sure_the_service_is() -> None:
    session = recognition()
    words = (Word("one", 0.1, 0.3, 0.9, "S1"), Word("two", 0.3, 0.5, 0.4, "S2"))
    link(session).final(said("one two", 0.1, 0.5, words=words))
    (final,) = (each for each in told(session) if isinstance(each, FinalTranscript))
    assert final.words == words


def test_a_final_from_before_its_link_lasts_as_long_as_it_says() -> None:
    session = recognition()
    hearing = link(session, UNTRUSTED)
    hearing.final(said("one", 0.0, 0.5))
    hearing.final(said("two", -0.25, 0.25, words=()))
    assert finals(session) == [("one", 0.0, 0.5), ("two", 0.5, 1.0)]


def test_the_identities_of_finals_are_not_remembered_for_ever() -> None:
    session = recognition()
    hearing = link(session)
    for number in (*range(2_100), 2_099, 0):
        hearing.final(said("one", 0.1, 0.1, id=str(number)))
    assert session.tally.repeated_finals == 1
