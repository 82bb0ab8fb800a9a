"""The laws as assertions: each holds for what is right, and fails for each way of being wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech import AudioChunk, FinalTranscript, Gap, LinkLost, Resumed, SpeechEnded, SpeechStarted, TurnEnded, Word
from trio_speech.events import TranscriptEvent
from trio_speech.testing.assertions import (
    assert_exactly_once,
    assert_in_stream_order,
    assert_ledger,
    assert_speech_alternates,
    assert_spoken_once,
    assert_times_within,
    assert_turns_end_once,
    assert_unique_ids,
)
from trio_speech.testing.picture import picture
from trio_speech.testing.speech import LabeledSpeech, say, speech
from trio_speech.testing.word_signal import AudibleWord, silence, word_audio

SPOKEN = speech(12.0)
RATE = 16_000
REPLACE = msgspec.structs.replace


def final(words: Sequence[AudibleWord], number: int = 0) -> FinalTranscript:
    told = tuple(Word(word.token, word.start / RATE, word.end / RATE) for word in words)
    text = " ".join(word.text for word in told)
    return FinalTranscript(text=text, start=told[0].start, end=told[-1].end, words=told, id=f"f{number}")


def finals_of(spoken: LabeledSpeech, size: int = 3) -> list[TranscriptEvent]:
    return [final(spoken.words[at : at + size], at) for at in range(0, len(spoken.words), size)]


RIGHT = finals_of(SPOKEN)
ALL_IN_A_GAP = (Gap(start=0.0, end=12.0, reason="overflow"),)


@pytest.mark.parametrize(
    ("check", "complaint"),
    [
        (lambda: assert_exactly_once([], say(3.0)), "the speech has no words"),
        (lambda: assert_times_within(0, [], say(3.0)), "the speech has no words"),
        (lambda: assert_exactly_once(ALL_IN_A_GAP, SPOKEN), "every word of the speech touches a gap"),
        (lambda: assert_times_within(0, ALL_IN_A_GAP, SPOKEN), "every word of the speech touches a gap"),
        (lambda: assert_in_stream_order([]), "events is empty"),
        (lambda: assert_unique_ids(iter(())), "events is empty"),
        (lambda: assert_speech_alternates(()), "events is empty"),
        (lambda: assert_ledger(Figures(0.0, 0.0, 0.0, 0.0), [], 0.0), "no audio was captured"),
        (lambda: assert_spoken_once([], " \n", RATE), "text has no words"),
    ],
)
def test_an_assertion_with_nothing_to_check_fails(check: Callable[[], None], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check()


@given(size=st.integers(1, 40))
def test_each_word_once_is_right_however_it_is_cut(size: int) -> None:
    events = finals_of(SPOKEN, size)
    assert_exactly_once(events, SPOKEN)
    assert_times_within(0, events, SPOKEN)
    assert_in_stream_order(events)
    assert_unique_ids(events)


def test_finals_without_words_are_compared_by_their_text() -> None:
    events = [REPLACE(event, words=()) for event in RIGHT if isinstance(event, FinalTranscript)]
    assert_exactly_once(events, SPOKEN)
    with pytest.raises(AssertionError, match="not delivered"):
        assert_exactly_once(events[:-1], SPOKEN)


@given(data=st.data())
def test_a_lost_or_doubled_or_swapped_word_is_found(data: st.DataObject) -> None:
    words = list(SPOKEN.words)
    at = data.draw(st.integers(0, len(words) - 2))
    wrong = data.draw(st.sampled_from(["lost", "doubled", "swapped", "cut", "foreign"]))
    changed = {
        "lost": words[:at] + words[at + 1 :],
        "doubled": words[: at + 1] + words[at:],
        "swapped": [*words[:at], words[at + 1], words[at], *words[at + 2 :]],
        "cut": [*words[:at], REPLACE(words[at], text=words[at].text[:2], offset=False), *words[at + 1 :]],
        "foreign": [*words[:at], REPLACE(words[at], text="hm"), *words[at:]],
    }[wrong]
    with pytest.raises(AssertionError, match=r"expected|not delivered|after all") as caught:
        assert_exactly_once([final(changed)], SPOKEN)
    assert "spoken" in str(caught.value)
    if wrong == "doubled":
        assert "as before at" in str(caught.value)


def gap(first: int, last: int) -> Gap:
    """Over the words from `first` to `last`, each but for a quarter of the outer ones."""
    words = SPOKEN.words
    quarter = (words[first].end - words[first].start) // 4
    return Gap((words[first].start + quarter) / RATE, (words[last].end - quarter) / RATE, "overflow")


def test_words_that_touch_a_gap_may_be_missing_or_come_in_pieces() -> None:
    words = list(SPOKEN.words)
    head = REPLACE(words[3], text=words[3].text[:1], offset=False)
    tail = REPLACE(words[6], text=words[6].text[2:], onset=False)
    for around in ([], [head], [tail], [head, tail], [words[3]], [words[3], words[6]], [head, words[4], tail]):
        before = [word for word in around if word.start < words[5].start]
        after = [word for word in around if word.start >= words[5].start]
        events = [final(words[:3] + before), gap(3, 6), final(after + words[7:])]
        assert_exactly_once(events, SPOKEN)


@pytest.mark.parametrize("kept", [2, 4])
def test_words_clear_of_a_gap_may_not_be_missing(kept: int) -> None:
    words = list(SPOKEN.words)
    events = [final(words[:kept]), gap(kept + 1, kept + 2), final(words[kept + 3 :])]
    with pytest.raises(AssertionError, match="expected"):
        assert_exactly_once(events, SPOKEN)


def test_words_that_touch_a_gap_may_not_come_twice() -> None:
    words = list(SPOKEN.words)
    for twice in ([words[3], words[3]], [REPLACE(words[3], text=words[3].text[:3], offset=False)] * 2):
        with pytest.raises(AssertionError, match=r"expected|after all"):
            assert_exactly_once([final(words[:3] + twice), gap(3, 6), final(words[7:])], SPOKEN)


def test_times_may_be_off_by_so_much_and_no_more() -> None:
    late = tuple(Word(word.text, (word.start + 4) / RATE, (word.end - 3) / RATE) for word in SPOKEN.words)
    event = FinalTranscript(text=SPOKEN.text, start=late[0].start, end=late[-1].end, words=late)
    assert_times_within(4, [event], SPOKEN)
    with pytest.raises(AssertionError, match=r"4\.0 samples off"):
        assert_times_within(3, [event], SPOKEN)
    with pytest.raises(AssertionError, match="not delivered"):
        assert_times_within(4, [], SPOKEN)


def test_events_out_of_stream_order_are_found() -> None:
    events = [*RIGHT[:2], Gap(RIGHT[1].end, RIGHT[2].start, "overflow"), *RIGHT[2:]]  # type: ignore[union-attr]
    assert_in_stream_order(events)
    with pytest.raises(AssertionError, match="out of order"):
        assert_in_stream_order(events[::-1])
    overlapping = [Gap(0.0, 1.0, "overflow"), Gap(0.9, 2.0, "overflow")]
    with pytest.raises(AssertionError, match="out of order"):
        assert_in_stream_order(overlapping)
    assert_in_stream_order(overlapping, overlap=0.1)


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        (Gap(2.0, 1.0, "overflow"), "ends before it starts"),
        (FinalTranscript(text="a", start=1, end=2, words=(Word("a", 0.9, 1.5),)), "outside"),
        (FinalTranscript(text="a", start=1, end=2, words=(Word("a", 1.5, 2.1),)), "outside"),
        (FinalTranscript(text="a b", start=1, end=2, words=(Word("a", 1, 1.6), Word("b", 1.5, 2))), "overlap"),
    ],
)
def test_an_impossible_final_or_gap_is_found(event: TranscriptEvent, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        assert_in_stream_order([event])


def test_missing_or_repeated_ids_are_found() -> None:
    with pytest.raises(AssertionError, match=r"ids come twice: \['f0'\]"):
        assert_unique_ids([RIGHT[0], RIGHT[0]])
    with pytest.raises(AssertionError, match="no id"):
        assert_unique_ids([FinalTranscript(text="a", start=0, end=1)])


def test_speech_starts_and_ends_in_turn() -> None:
    started, ended = SpeechStarted(0.0), SpeechEnded(1.0)
    assert_speech_alternates([started, *RIGHT, ended, started])
    for wrong in ([started, started], [ended], [started, ended, ended]):
        with pytest.raises(AssertionError, match=r"followed|came first"):
            assert_speech_alternates(wrong)


class Figures(msgspec.Struct):
    captured: float
    settled: float
    in_gaps: float
    unsettled: float


@pytest.mark.parametrize(
    ("figures", "complaint"),
    [
        (Figures(10.0, 7.0, 2.0, 1.0), None),
        (Figures(9.0, 7.0, 2.0, 0.0), "captured"),
        (Figures(10.0, 7.0, 2.0, 0.9), "accounted for"),
        (Figures(10.0, 8.0, 1.0, 1.0), "gaps"),
    ],
)
def test_the_ledger_adds_up(figures: Figures, complaint: str | None) -> None:
    events = [Gap(3.0, 4.5, "overflow"), Gap(6.0, 6.5, "replay-limit")]
    if complaint is None:
        assert_ledger(figures, events, 10.0)
    else:
        with pytest.raises(AssertionError, match=complaint):
            assert_ledger(figures, events, 10.0)


# ---------------------------------------------------------------- speech that was asked for

ASKED = say("Hello there. How are you?")


def chunks_of(spoken: LabeledSpeech, *, aligned: bool = True) -> list[AudioChunk]:
    chunks, at, words = [], 0, list(spoken.words)
    for pcm in spoken.chunks(0.1):
        start, at = at, at + len(pcm) // 2
        ending = [Word(word.text, word.start / RATE, word.end / RATE) for word in words if start < word.end <= at]
        chunks.append(AudioChunk(pcm, start / RATE, 0, tuple(ending) if aligned else ()))
    return chunks


@pytest.mark.parametrize("aligned", [True, False])
def test_spoken_once_accepts_complete_speech(aligned: bool) -> None:
    assert_spoken_once(chunks_of(ASKED, aligned=aligned), ASKED.text, RATE)


def moved(chunks: list[AudioChunk]) -> list[AudioChunk]:
    return [
        REPLACE(chunk, words=tuple(REPLACE(word, start=word.start + 0.01) for word in chunk.words)) for chunk in chunks
    ]


def misspelled(chunks: list[AudioChunk]) -> list[AudioChunk]:
    return [REPLACE(chunk, words=tuple(REPLACE(word, text="?") for word in chunk.words)) for chunk in chunks]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda chunks: chunks[:-4], "asked for"),
        (lambda chunks: chunks[:4] + chunks[5:], "a chunk starts at"),
        (lambda chunks: chunks_of(say("Hello there. there. How are you?")), "asked for"),
        (lambda chunks: chunks_of(LabeledSpeech(ASKED.audio[6_000:], ASKED.audio_format, ())), "asked for"),
        (moved, "samples off"),
        (misspelled, "aligned as"),
        (lambda chunks: [*chunks[:-2], *(REPLACE(chunk, words=()) for chunk in chunks[-2:])], "words spoken"),
    ],
)
def test_spoken_once_finds_each_fault(change: Callable[[list[AudioChunk]], list[AudioChunk]], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        assert_spoken_once(change(chunks_of(ASKED)), ASKED.text, RATE)


# ---------------------------------------------------------------- the picture


def test_the_picture_shows_what_was_spoken_and_what_became_of_it() -> None:
    spoken = LabeledSpeech(
        silence(16_000) + word_audio("one", 16_000) + silence(16_000) + word_audio("two", 16_000) + silence(16_000),
        SPOKEN.audio_format,
        (AudibleWord("one", 16_000, 32_000), AudibleWord("two", 48_000, 64_000)),
    )
    events = [
        FinalTranscript(text="one", start=1.0, end=2.0, seam=True),
        LinkLost("connection broken", 1, 0.0),
        Resumed(0.5, 0.1, 1),
        Gap(3.0, 4.0, "overflow"),
    ]
    twenty = " " * 20
    assert picture(spoken, events).splitlines() == [
        "seconds    " + "".join(f"{tick / 2:<10}" for tick in range(11)).rstrip(),
        "spoken    |" + twenty + "=" * 20 + twenty + "=" * 20,
        "finals    |" + twenty + "f" * 20,
        "gaps      |" + twenty * 3 + "!" * 20,
        "      1.000 to     2.000  final 'one' (seam)",
        "  LinkLost(cause='connection broken', attempt=1, retry_in=0.0)",
        "  Resumed(replayed=0.5, downtime=0.1, attempt=1)",
        "      3.000 to     4.000  gap: overflow",
    ]


def test_the_picture_lists_at_most_sixty_events() -> None:
    assert picture(SPOKEN, [Gap(float(at), at + 1.0, "overflow") for at in range(100)]).endswith("… and 40 more")


def test_turns_end_once_behind_their_finals() -> None:
    first, second = (FinalTranscript(text=text, start=0.0, end=1.0) for text in ("one", "two"))
    assert_turns_end_once([first, TurnEnded(1.0), second, TurnEnded(2.0), second])
    assert_turns_end_once([first])
    for wrong in (
        [TurnEnded(1.0)],
        [first, TurnEnded(1.0), TurnEnded(2.0)],
        [first, TurnEnded(1.0), second, TurnEnded(1.0)],
        [FinalTranscript(text="", start=0.0, end=1.0), TurnEnded(1.0)],
    ):
        with pytest.raises(AssertionError, match="a turn ends twice, or without a word"):
            assert_turns_end_once(wrong)
