"""What one link's service says, and what is settled by it: row by row of the tables of `link`, `evidence` and `asking`.

A sample is a millisecond. Speech is loud; what is quiet is silence.
"""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trio_speech._core.provider.messages import (
    Acknowledged,
    Closed,
    Failure,
    FinalizeAnswered,
    Going,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    SttMessage,
    Unheard,
)
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.commands import Command, EndLink, SendAudio, SendClose, SendFinalize, Wait
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech._core.retry.causes import Ended, Reported, Rollover, Silent
from trio_speech.audio import AudioFormat
from trio_speech.events import FinalTranscript, Gap, InterimTranscript, SpeechEnded, SpeechStarted, Word
from trio_speech.policy import ReplayPolicy

SPANS = SttProfile(chunk=0.1, replay_speed=None)
ORDERED = replace(SPANS, ordered=True)
UNTRUSTED = replace(SPANS, acknowledges="finalize", exact_times=False, word_times=False)
BY_CLOSE = replace(ORDERED, ends_by="close", may_ignore_finalize=True)
ASKED = replace(ORDERED, finalizes_itself=False, endpoint_after=0.3)
CAPPED = replace(ORDERED, session_cap=100.0)  # to be left at 90 s, by 97 s
IDLE = replace(SPANS, idle_codes=(1011, "idle"))


def loud(samples: int) -> bytes:
    return array("h", [5_000] * samples).tobytes()


def quiet(samples: int) -> bytes:
    return bytes(2 * samples)


class Run:
    """One link at work on a session, whose commands are carried out at once."""

    def __init__(self, profile: SttProfile, session: RecognitionMachine | None = None, now: float = 0.0, **fields: Any):
        self.session = session or RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(lead_in=0.0))
        self.profile = profile
        self.base = self.session.log.committed / 1e3  # where the link's clock begins: there is no lead-in
        self.link = LinkMachine(
            self.session, profile, now, **{"patience": 10.0, "progress_timeout": None, "opened_at": None, **fields}
        )

    def again(self, now: float = 0.0, **fields: Any) -> Run:
        """The next link of the session."""
        self.link.lost()
        return Run(self.profile, self.session, now, **fields)

    def capture(self, audio: bytes, now: float = 0.0) -> list[Command]:
        self.session.capture(audio)
        return self.at(now)

    def end(self, now: float = 0.0) -> list[Command]:
        self.session.end_input()
        return self.at(now)

    def at(self, now: float) -> list[Command]:
        """What is done at that moment, but for audio that goes out and the wait at the end."""
        done: list[Command] = []
        while not done or not isinstance(done[-1], Wait | EndLink):
            done.append(self.link.next(now))
        return [each for each in done if not isinstance(each, SendAudio | Wait)]

    def wakes(self, now: float) -> float | None:
        self.at(now)
        wait = self.link.next(now)
        assert isinstance(wait, Wait)
        return wait.until

    def says(self, *messages: SttMessage, now: float = 0.0) -> None:
        for message in messages:
            assert self.link.receive(message, now) is None

    @property
    def committed(self) -> int:
        return self.session.log.committed

    def told(self) -> list[Any]:
        return [self.session.take() for _ in range(len(self.session.event_queue))]

    def texts(self) -> list[str]:
        return [event.text for event in self.told() if isinstance(event, FinalTranscript)]

    def gaps(self) -> list[tuple[float, float, str]]:
        self.session.end()
        return [(event.start, event.end, event.reason) for event in self.told() if isinstance(event, Gap)]


def result(start: float, end: float, text: str = "one", *, kind: Any = "final", **fields: Any) -> RecognitionResult:
    return RecognitionResult(kind=kind, text=text, start=start, end=end, **fields)


def interim(start: float, end: float, text: str = "one", **fields: Any) -> RecognitionResult:
    return result(start, end, text, kind="interim", **fields)


# ---------------------------------------------------------------- what is committed by what


def test_a_watermark_commits_what_lies_before_it() -> None:
    run = Run(replace(SPANS, acknowledges="watermark"))
    run.capture(loud(500))
    run.says(interim(0.0, 0.3), Acknowledged(0.4))
    assert run.committed == 400


def test_an_ordered_final_commits_what_lies_before_its_end_but_for_what_is_owed() -> None:
    run = Run(ORDERED)
    run.capture(loud(1_000))
    run.says(result(0.2, 0.3))
    assert run.committed == 300
    run.says(interim(0.4, 0.5), interim(0.6, 0.9, "two"))
    run.says(result(0.6, 0.9, "two"), now=0.1)
    run.at(1.1)
    assert run.committed == 400
    run.says(result(0.4, 0.5), now=1.2)
    assert run.committed == 900


def test_an_unordered_final_commits_nothing_behind_sound_of_which_nothing_was_said() -> None:
    run = Run(SPANS)
    run.capture(quiet(200) + loud(100) + quiet(200) + loud(300))
    run.says(result(0.5, 0.8, "two"))
    assert run.committed == 200
    run.says(result(0.2, 0.3))
    assert run.committed == 800
    assert run.texts() == ["two", "one"]


def test_where_speakers_overlap_a_final_commits_nothing() -> None:
    run = Run(replace(ORDERED, overlapping=True))
    run.capture(loud(1_000))
    run.says(result(0.1, 0.9))
    assert run.committed == 0
    run = Run(ORDERED)
    run.capture(loud(1_000))
    run.says(result(0.1, 0.9, speaker="S1"))
    assert run.committed == 0


def test_an_answered_request_commits_what_lies_before_it_once_nothing_is_open_there() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(100) + quiet(100))
    run.session.finalize()
    assert run.at(0.1) == [SendFinalize()]
    run.says(FinalizeAnswered(), now=0.2)
    assert run.committed == 0, "something loud was sent, and nothing was said of it"
    run.says(result(0.0, 0.1), now=0.3)
    assert run.committed == 200


def test_a_final_before_the_answer_speaks_for_the_audio_before_the_last_pause_that_had_been_sent() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200) + quiet(300))
    run.at(0.0)
    run.says(result(0.0, 0.0))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.committed == 500


def test_a_late_final_does_not_speak_for_a_word_that_no_pause_had_followed() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200) + quiet(300) + loud(200))
    run.at(0.0)
    run.says(result(0.0, 0.0))  # of the first word
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.committed == 500
    run.says(result(0.0, 0.0), now=0.3)
    assert run.committed == 700


def test_a_final_that_was_asked_for_speaks_for_what_was_asked_about_even_in_mid_sound() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.session.finalize()
    run.at(0.0)
    run.capture(loud(200))
    run.at(0.1)
    run.says(result(0.0, 0.0), now=0.2)
    run.says(FinalizeAnswered(), now=0.3)
    assert run.committed == 200


def test_a_shown_word_keeps_an_answer_from_committing_it() -> None:
    run = Run(UNTRUSTED)
    run.capture(quiet(200))
    run.says(interim(0.05, 0.15))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.committed == 50
    run.says(interim(0.05, 0.15, ""), now=0.3)
    assert run.committed == 200
    assert [type(event) for event in run.told()] == [SpeechStarted, InterimTranscript, SpeechEnded]


def test_where_no_message_answers_a_final_that_reaches_the_place_does() -> None:
    run = Run(replace(SPANS, answers_finalize=False))
    run.capture(quiet(100) + loud(100))
    run.session.finalize()
    run.at(0.1)
    run.says(result(0.1, 0.2), now=0.2)
    assert run.committed == 200


def test_an_answer_ends_speech_of_which_nothing_is_owed() -> None:
    run = Run(ORDERED)
    run.capture(loud(200) + quiet(100))
    run.says(result(0.0, 0.2))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.told()[-1] == SpeechEnded(0.3)


def test_a_speech_onset_is_owed_until_speech_is_over() -> None:
    run = Run(UNTRUSTED)
    run.capture(quiet(300))
    run.says(SpeechOnset(0.1))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.committed == 100
    run.says(SpeechOver(0.3), now=0.3)
    assert run.committed == 300


# ---------------------------------------------------------------- words that may be said again


def test_words_behind_an_answered_place_are_looked_for_on_the_next_link() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(100))
    run.session.finalize()
    run.at(0.1)
    run.capture(loud(100), 0.2)
    run.says(result(0.0, 0.0), result(0.0, 0.0, "two"), FinalizeAnswered(), now=0.3)
    assert run.committed == 100
    run = run.again(1.0)
    run.at(1.0)
    run.says(result(0.0, 0.0, "two three"), now=1.1)
    assert run.texts() == ["one", "two", "three"]


def test_words_that_an_answer_covers_may_be_said_again() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(100))
    run.session.finalize()
    run.at(0.1)
    run.says(result(0.0, 0.0), FinalizeAnswered(), now=0.3)
    run = run.again(1.0)
    run.capture(loud(100), 1.0)
    run.says(result(0.0, 0.0), now=1.1)
    assert run.texts() == ["one", "one"]


def test_words_that_a_replay_has_not_come_to_are_still_known_when_it_is_answered_on_its_way() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(3_000))
    run.says(result(0.0, 0.0, "one two three"), now=0.1)
    run.profile = replace(UNTRUSTED, replay_speed=1.0)
    run = run.again(10.0)
    run.at(10.0)
    sent = run.session.log.sent
    assert sent < 3_000
    run.link._evidence.requests.asked(sent, 10.0)
    run.says(result(0.0, 0.0), FinalizeAnswered(), now=10.1)
    assert run.committed == sent
    run = run.again(20.0)
    run.at(20.0)
    run.says(result(0.0, 0.0, "two three four"), now=20.1)
    assert run.texts() == ["one two three", "four"]


# ---------------------------------------------------------------- old news


def test_a_late_interim_of_what_is_final_is_ignored() -> None:
    run = Run(ORDERED)
    run.capture(loud(500))
    words = (Word("one", 0.1, 0.3),)
    run.says(interim(0.1, 0.3, words=words), result(0.1, 0.3, words=words, ends_speech=True))
    run.told()
    run.says(interim(0.1, 0.3, words=words), interim(0.1, 0.2, "on"))
    assert run.told() == []
    assert not run.link._evidence.owed


@pytest.mark.parametrize(("text", "old"), [("One", True), ("two", False)])
def test_where_times_mean_nothing_a_late_interim_is_known_by_its_words_too(text: str, old: bool) -> None:
    run = Run(replace(UNTRUSTED, word_times=True))
    run.capture(loud(500))
    run.says(result(0.1, 0.3, words=(Word("one", 0.1, 0.3),)))
    run.told()
    run.says(interim(0.1, 0.3, text, words=(Word(text, 0.1, 0.3),)))
    assert (run.told() == []) is old


@pytest.mark.parametrize(("end", "old"), [(0.3, True), (0.4, False)])
def test_without_words_a_late_interim_is_known_by_its_span(end: float, old: bool) -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(500))
    run.says(result(0.1, 0.3))
    run.told()
    run.says(interim(0.1, end))
    assert (run.told() == []) is old


def test_a_joined_final_brings_only_what_is_new_of_it() -> None:
    run = Run(replace(ORDERED, exact_times=False, drift=0.05))
    run.capture(loud(1_000))
    one, two = Word("one", 0.1, 0.3), Word("two,", 0.34, 0.5)
    run.says(result(0.1, 0.3, "one", words=(one,)))
    run.says(result(0.13, 0.5, "one two,", words=(replace(one, start=0.13, end=0.34), two)), now=0.1)
    run.says(result(0.1, 0.3, "one", words=(one,)), now=0.2)
    assert run.texts() == ["one", "two,"]
    assert run.session.tally.repeated_finals == 1


def test_an_empty_final_without_times_is_not_delivered_and_ends_speech() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.says(SpeechOnset(0.0), result(0.0, 0.0, ""))
    assert run.told() == [SpeechStarted(0.0), SpeechEnded(0.2)]


def test_times_of_nought_are_bounded_by_the_streams_own_clock() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.says(interim(0.0, 0.0), result(0.0, 0.0, words=(Word("one", 0.0, 0.0),), ends_speech=True))
    run.capture(loud(200))
    run.says(interim(0.0, 0.0, "two"), result(0.0, 0.0, "two", ends_speech=True))
    started, final, ended, again, second, over = run.told()
    assert (started, ended, again, over) == (
        SpeechStarted(0.0),
        SpeechEnded(0.2),
        SpeechStarted(0.2),
        SpeechEnded(0.4),
    )
    assert (final.start, final.end, final.words, second.start, second.end) == (0.0, 0.2, (), 0.2, 0.4)


def test_words_with_times_place_a_final_that_has_none() -> None:
    run = Run(ORDERED)
    run.capture(loud(500))
    run.says(result(0.0, 0.0, words=(Word("one", 0.1, 0.3),)))
    (final,) = [event for event in run.told() if isinstance(event, FinalTranscript)]
    assert (final.start, final.end) == (0.1, 0.3)


def test_speakers_of_two_links_are_the_same_only_by_a_word_heard_again() -> None:
    run = Run(replace(ORDERED, overlapping=True), None)
    run.capture(loud(1_000))
    run.says(result(0.1, 0.5, "so I", speaker="A", words=(Word("so", 0.1, 0.2, None, "A"), Word("I", 0.3, 0.5))))
    run = run.again(1.0)
    run.at(1.0)
    run.says(
        result(0.1, 0.8, "so go", speaker="X", words=(Word("so", 0.1, 0.2, None, "X"), Word("go", 0.6, 0.8))), now=1.1
    )
    run.says(result(0.6, 0.8, "no", speaker="A", words=(Word("no", 0.6, 0.8),)), now=1.2)
    told = [(event.text, event.speaker) for event in run.told() if isinstance(event, FinalTranscript)]
    assert told == [("so I", "A"), ("go", "A"), ("no", "A.2")]


# ---------------------------------------------------------------- order


def test_a_final_waits_a_second_at_most_behind_words_that_were_shown_before_it() -> None:
    run = Run(ORDERED)
    run.capture(loud(1_000))
    run.says(interim(0.1, 0.3), interim(0.5, 0.8, "two"))
    run.says(result(0.5, 0.8, "two"), now=1.0)
    assert run.texts() == []
    run.at(1.99)
    assert run.texts() == []
    run.at(2.0)
    assert run.texts() == ["two"]
    run.says(result(0.1, 0.3), now=2.1)
    assert run.texts() == ["one"]


def test_it_comes_when_the_words_before_it_have_come_or_were_taken_back() -> None:
    run = Run(ORDERED)
    run.capture(loud(2_000))
    run.says(interim(0.1, 0.3), interim(0.5, 0.8, "two"))
    run.says(result(0.5, 0.8, "two"), result(0.1, 0.3), now=0.1)
    assert run.texts() == ["one", "two"]
    assert run.committed == 800


def test_a_final_that_waits_is_delivered_when_the_link_is_lost() -> None:
    run = Run(ORDERED)
    run.capture(loud(1_000))
    run.says(interim(0.1, 0.3), interim(0.5, 0.8, "two"), result(0.5, 0.8, "two"))
    assert (run.committed, run.texts()) == (0, [])
    run.link.lost()
    assert run.texts() == ["two"]


# ---------------------------------------------------------------- what the service gives up on


FATES = st.lists(st.sampled_from(["final", "unheard", "reset"]), min_size=1, max_size=8)


@given(FATES, st.sampled_from([SPANS, ORDERED]))
def test_each_utterance_ends_in_its_final_or_in_one_gap_whatever_drops(fates: list[str], profile: SttProfile) -> None:
    run, at, given_up = Run(profile), 0, list[tuple[float, float, str]]()
    for number, fate in enumerate(fates):
        run.capture(quiet(100) + loud(200), number)
        start, end = at + 0.1, at + 0.3
        if fate == "reset":
            run.says(interim(start - run.base, end - run.base), now=number)
            run = run.again(number)
            run.at(number)
        said = result(start - run.base, end - run.base, f"w{number}")
        run.says(said if fate != "unheard" else Unheard(said.start, said.end), now=number)
        given_up += [(start, end, "unheard")] if fate == "unheard" else []
        at = end
    run.end(len(fates))
    run.says(FinalizeAnswered(), now=len(fates))
    assert run.committed == run.session.log.captured
    run.session.end()
    told = run.told()
    assert [each.text for each in told if isinstance(each, FinalTranscript)] == [
        f"w{number}" for number, fate in enumerate(fates) if fate != "unheard"
    ]
    gaps = [(gap.start, gap.end, gap.reason) for gap in told if isinstance(gap, Gap)]
    assert gaps == [(pytest.approx(start), pytest.approx(end), why) for start, end, why in given_up]


# ---------------------------------------------------------------- when the session asks


def test_muted_in_mid_utterance_the_session_asks_after_a_second_and_a_half() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.says(interim(0.0, 0.2))
    assert run.wakes(0.1) == 1.5
    assert run.at(1.5) == [SendFinalize()]


def test_an_interim_that_stands_is_asked_to_be_final_where_the_service_never_ends_utterances() -> None:
    run = Run(ASKED)
    run.capture(loud(600) + quiet(400), 0.9)
    run.says(interim(0.0, 0.5), now=1.0)
    assert run.wakes(1.0) == 1.3
    assert run.at(1.3) == [SendFinalize()]
    assert run.at(1.4) == [], "it is not asked for twice"


def test_where_the_next_word_has_begun_and_is_not_shown_yet_the_request_waits_for_a_pause_but_not_for_ever() -> None:
    run = Run(ASKED)
    run.capture(loud(1_000), 0.9)
    run.says(interim(0.0, 0.5), now=1.0)
    assert run.at(1.3) == [], "the audio is loud: a word would be cut"
    assert run.capture(loud(500) + quiet(300), 1.8) == [SendFinalize()]
    run = Run(ASKED)
    run.says(interim(0.0, 0.5), now=1.0)
    for tenth in range(10, 33):
        assert run.capture(loud(100), tenth / 10) == []
    assert run.capture(loud(100), 3.3) == [SendFinalize()]


def test_a_service_that_neither_ends_utterances_nor_shows_interims_is_asked_in_a_pause() -> None:
    run = Run(replace(ASKED, shows_interims=False), progress_timeout=60.0)
    assert run.capture(quiet(1_000), 0.9) == []
    assert run.capture(loud(200) + quiet(300), 1.0) == [], "speech is given some time"
    assert run.wakes(1.0) == 1.3
    assert run.capture(loud(300), 1.3) == [], "the audio is loud"
    assert run.capture(quiet(300), 1.6) == [SendFinalize()]
    run.says(result(1.0, 1.8), FinalizeAnswered(), now=1.7)
    assert run.capture(quiet(9_000), 9.0) == [], "nothing was said since"


def test_what_is_owed_for_half_of_the_patience_is_asked_for_in_a_pause_of_the_audio() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.says(interim(0.0, 0.2))
    for now in range(1, 7):
        assert run.capture(loud(1_000), now) == []
    assert run.capture(quiet(300), 6.1) == [SendFinalize()]


def test_a_full_log_is_asked_for_in_a_pause_and_where_it_is_almost_full_in_any_case() -> None:
    run = Run(SPANS, RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(limit=10.0)))
    assert run.capture(loud(8_000), 6.0) == []
    assert run.wakes(6.0) == pytest.approx(6.1)
    assert run.capture(loud(1_400), 6.1) == []
    assert run.capture(loud(100), 6.2) == [SendFinalize()]
    run = Run(SPANS, RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(limit=10.0)))
    assert run.capture(loud(7_700) + quiet(300), 6.0) == [SendFinalize()]


def test_a_service_that_takes_no_request_is_not_asked() -> None:
    run = Run(replace(ORDERED, finalizes=False))
    run.capture(loud(200))
    run.says(interim(0.0, 0.2))
    assert run.at(1.5) == []
    run.session.finalize()
    assert run.at(1.6) == []
    assert run.end(1.7) == [SendClose()]


# ---------------------------------------------------------------- making room for another link


def test_a_link_is_replaced_in_a_pause_once_all_that_it_heard_is_settled() -> None:
    run = Run(CAPPED)
    run.capture(loud(500), 89.0)
    assert run.wakes(89.9) == 90.0
    assert run.capture(loud(100) + quiet(300), 91.0) == [SendFinalize()]
    assert run.link.retiring
    assert run.capture(loud(100), 91.1) == []
    run.says(result(0.0, 0.6), FinalizeAnswered(), now=91.2)
    assert run.at(91.2) == [EndLink(Rollover())]
    assert run.session.log.unsent == 100


def test_without_a_pause_it_is_replaced_in_time_and_the_next_one_hears_the_rest_again() -> None:
    run = Run(CAPPED)
    run.capture(loud(500), 96.9)
    assert run.capture(loud(100), 97.0) == [EndLink(Rollover())]


def test_a_link_told_to_go_goes_in_a_pause_or_after_half_of_the_time() -> None:
    run = Run(ORDERED)
    run.capture(loud(500), 5.0)
    run.says(Going(20.0), now=5.0)
    assert run.capture(loud(100), 14.9) == []
    assert run.capture(loud(100), 15.0) == [EndLink(Rollover())]


def test_a_link_that_has_nothing_to_settle_is_replaced_at_once() -> None:
    run = Run(ORDERED)
    run.link.retire(1.0, 9.0)
    assert run.at(1.0) == [EndLink(Rollover())]


# ---------------------------------------------------------------- the end of input


def test_the_end_is_told_by_finalize_and_by_the_close_message_once_that_is_answered() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    assert run.end(0.1) == [SendFinalize()]
    run.says(result(0.0, 0.2), FinalizeAnswered(), now=0.2)
    assert run.at(0.2) == [SendClose()]
    assert run.link.closing
    assert run.wakes(0.2) == pytest.approx(0.7), "it owes nothing: its own end is not waited for as long"
    assert run.link.receive(Closed(), 0.3) is None
    assert run.at(0.3) == [EndLink()]


def test_what_comes_before_the_services_own_end_is_delivered() -> None:
    run = Run(UNTRUSTED)
    run.capture(quiet(200))
    run.end(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    run.at(0.2)
    run.says(result(0.0, 0.0), now=1.9)
    assert run.at(2.3) == []
    assert run.at(4.0) == [EndLink()]
    assert run.texts() == ["one"]


def test_a_service_that_ends_by_its_close_message_is_sent_that_alone() -> None:
    run = Run(BY_CLOSE)
    run.capture(loud(200))
    assert run.end(0.1) == [SendClose()]
    run.says(result(0.0, 0.2), now=0.2)
    assert run.link.receive(Closed(), 0.3) is None
    assert run.at(0.3) == [EndLink()]


def test_a_protocol_without_a_close_message_ends_at_once() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.end(0.1)
    run.says(result(0.0, 0.2), now=0.2)
    assert run.at(0.2) == [SendClose()]
    run.link.cannot_close(0.2)
    assert run.at(0.2) == [EndLink()]


@pytest.mark.parametrize(
    ("messages", "done"),
    [
        ([result(0.0, 0.2), FinalizeAnswered()], True),
        ([FinalizeAnswered()], False),
        ([result(0.0, 0.1)], False),
        ([interim(0.0, 0.2), FinalizeAnswered()], False),
        ([], False),
    ],
)
def test_a_polite_end_is_the_end_only_after_an_answer_with_nothing_open(messages: list[Any], done: bool) -> None:
    for code, failure in ((1000, None), (1011, None), (None, Failure(message="idle", code="idle"))):
        run = Run(IDLE)
        run.capture(loud(200))
        run.end(0.1)
        run.says(*messages, now=0.2)
        if code is not None:
            end = run.link.peer_closed(code, 0.3)
            assert end is not None
            assert (end.cause is None) is done
        else:
            assert failure is not None
            assert (run.link.receive(failure, 0.3) is None) is done
        assert run.session.finished is done


def test_an_end_that_is_not_polite_is_none() -> None:
    run = Run(IDLE)
    assert run.link.peer_closed(1006, 0.0) is None
    idle = Failure(message="idle", code="idle")
    assert run.link.receive(idle, 0.0) == Reported(idle), "input has not ended"


def test_unasked_a_polite_end_loses_nothing() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.session.finalize()
    run.at(0.1)
    assert run.link.receive(Closed(), 0.2) == Ended()
    assert run.again(1.0).at(1.0) == [SendFinalize()], "it is asked for again"


# ---------------------------------------------------------------- when patience ends


def test_a_patience_without_news_ends_the_link_by_its_close_message() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.session.finalize()
    run.at(1.0)
    run.says(FinalizeAnswered(), now=2.0)
    assert run.wakes(2.0) == 12.0
    assert run.at(12.0) == [SendClose()]
    assert run.link.receive(Closed(), 12.5) == Silent("final for what was sent", 10.0)
    run = run.again(20.0)
    assert run.at(20.0) == [SendFinalize()]
    run.says(FinalizeAnswered(), now=20.1)
    assert run.at(31.0) == [SendClose()]
    run.says(now=31.0)
    assert run.link.receive(Closed(), 31.1) is None or run.session.log.committed == 200
    assert (run.committed, run.gaps()) == (200, [])


def test_news_begins_patience_anew_and_what_was_said_before_does_not() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), interim(0.0, 0.2, "two"), now=5.0)
    run.says(interim(0.0, 0.2, "two"), now=9.0)
    assert run.at(14.9) == []
    assert run.at(15.0) == [SendClose()]
    run.says(interim(0.0, 0.2, "three"), now=20.0)
    assert run.at(29.9) == []
    assert run.at(30.0) == [EndLink(Silent("end of the session that was asked for", 15.0))]


def test_patience_waits_until_the_service_can_have_heard_what_was_sent() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(5_000))
    run.session.finalize()
    assert run.at(0.0) == [SendFinalize()]
    assert run.wakes(0.0) == pytest.approx(20.0), "five seconds at half of real time, and a patience"


def test_what_was_answered_for_and_stays_open_is_doubted_however_much_else_is_said() -> None:
    run = Run(SPANS)
    run.capture(loud(200) + quiet(800))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    for now in range(1, 31):
        run.capture(loud(500) + quiet(500), float(now))
        run.says(result(now, now + 0.5, f"w{now}"), now=float(now))
    assert run.at(30.1) == []
    assert run.at(30.2) == [SendClose()]


def test_a_link_that_leaves_its_request_unanswered_though_results_come_is_replaced_in_a_pause() -> None:
    run = Run(ORDERED)
    run.capture(quiet(100) + loud(200))
    run.session.finalize()
    run.at(0.3)
    for now in range(1, 12):
        run.capture(loud(1_000), float(now))
        run.says(interim(0.1, now, f"w{now}"), now=float(now))
    assert run.at(11.0) == []
    assert run.capture(quiet(300), 11.5) == [SendClose()]
    run.says(result(0.1, 11.3), now=11.6)
    assert run.link.receive(Closed(), 11.7) == Rollover()


def test_after_the_end_of_input_such_a_link_is_sent_the_close_message() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.end(0.1)
    run.says(interim(0.0, 0.2), now=5.0)
    run.says(result(0.0, 0.2), now=9.0)
    assert run.at(10.6) == [SendClose()]
    assert run.link.receive(Closed(), 10.7) is None
    assert (run.committed, run.texts()) == (200, ["one"])


def test_silence_is_the_answer_of_a_service_that_may_ignore_a_request_for_nothing() -> None:
    run = Run(BY_CLOSE)
    run.capture(quiet(200))
    run.session.finalize()
    run.at(0.0)
    assert run.wakes(0.0) == pytest.approx(10.4)
    assert run.at(10.5) == []
    assert run.committed == 200


def test_quiet_audio_that_is_not_answered_for_is_asked_for_by_the_end_of_the_link() -> None:
    run = Run(ORDERED)
    run.capture(quiet(200))
    run.session.finalize()
    run.at(0.0)
    assert run.at(10.5) == [SendClose()]
    assert run.link.receive(Closed(), 11.0) == Rollover()
    assert run.committed == 200


def test_speech_of_which_nothing_at_all_is_said_ends_the_link() -> None:
    run = Run(SPANS, progress_timeout=4.0)
    run.capture(loud(200) + quiet(300))
    assert run.wakes(0.0) == 2.0
    assert run.at(2.0) == [SendFinalize()]
    assert run.at(4.0) == [EndLink(Silent("result, though speech is being sent,", 4.0))]


def test_where_it_has_said_something_before_the_service_is_asked_to_end() -> None:
    run = Run(ORDERED, progress_timeout=4.0)
    run.capture(loud(200))
    run.says(result(0.0, 0.2))
    run.capture(loud(200), 1.0)
    run.at(3.0)
    assert run.at(5.0) == [SendClose()]
    assert run.link.receive(Closed(), 5.5) == Silent("result, though speech is being sent,", 4.0)


def test_a_service_that_never_ends_is_left_when_patience_does() -> None:
    run = Run(SPANS)
    for now in (0.0, 100.0):
        if now:
            run = run.again(now)
        run.session.capture(b"" if now else loud(200))
        run.session.finalize()
        run.at(now)
        assert run.at(now + 11.0) == [SendClose()]
        (end,) = run.at(now + 30.0)
        assert end == EndLink(Silent("end of the session that was asked for", 19.0))
    assert run.gaps() == [(0.0, 0.2, "unanswered")]


def test_words_shown_and_never_final_become_a_gap_on_the_second_link() -> None:
    run = Run(UNTRUSTED)
    run.capture(quiet(400))
    for now in (0.0, 100.0):
        if now:
            run = run.again(now)
        run.at(now)
        run.says(interim(*((0.0, 0.2) if now else (0.1, 0.3))), now=now)
        run.session.finalize()
        run.at(now + 0.1)
        run.says(FinalizeAnswered(), now=now + 0.2)
        run.at(now + 11.0)
        run.link.receive(Closed(), now + 11.1)
    assert (run.committed, run.gaps()) == (400, [(0.1, 0.4, "doubt")])


def test_words_answered_for_without_a_final_become_a_gap_when_the_next_link_has_none_either() -> None:
    run = Run(UNTRUSTED)
    run.capture(quiet(400))
    run.says(interim(0.1, 0.3))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.link.receive(Closed(), 0.3) == Ended()
    run = run.again(1.0)
    run.at(1.0)
    run.says(FinalizeAnswered(), now=1.1)
    assert (run.committed, run.gaps()) == (400, [(0.1, 0.3, "doubt")])


def test_only_the_link_knows_when_its_watch_ends_where_the_log_can_no_longer_be_heard_again() -> None:
    session = RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(limit=0.5, overflow="drop_oldest"))
    run = Run(replace(SPANS, acknowledges="watermark"), session)
    run.capture(loud(500))
    session.capture(loud(300))
    run.says(result(0.0, 0.4))
    assert (session.log.kept, run.committed) == (300, 300)


def test_an_answer_that_was_not_asked_for_says_nothing() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.says(FinalizeAnswered())
    assert (run.committed, run.told()) == (0, [])


def test_a_word_that_the_close_message_may_have_cut_is_left_to_the_next_link() -> None:
    run = Run(replace(ORDERED, finalizes=False))
    run.capture(quiet(300) + loud(100))
    run.link.retire(1.0, 9.0)
    assert run.at(1.1) == [SendClose()]
    run.says(result(0.3, 0.4, "on"), now=1.2)
    run.link.receive(Closed(), 1.3)
    assert (run.committed, run.texts()) == (300, [])
    run = run.again(2.0)
    run.capture(loud(100) + quiet(300), 2.0)
    run.says(result(0.0, 0.2, "one"), now=2.1)
    assert run.texts() == ["one"]
