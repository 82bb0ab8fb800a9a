from __future__ import annotations

import array
import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, field

from trio_speech._core.provider.messages import (
    Aligned,
    Audio,
    Closed,
    Done,
    Failure,
    Going,
    Opened,
    TtsMessage,
    Unknown,
)
from trio_speech._core.provider.profile import TtsProfile
from trio_speech._core.retry.causes import Ended, Malformed, Reported, Silent
from trio_speech._core.synthesis.clip import ClipBuilder
from trio_speech._core.synthesis.rendition import LONGEST, MOST_UNALIGNED
from trio_speech._core.synthesis.resume import Resume
from trio_speech._core.synthesis.session import BUFFER, SegmentRequest, SynthesisMachine
from trio_speech.audio import AudioFormat
from trio_speech.events import AudioChunk, Word

PCM = AudioFormat.pcm16(1_000)
BARE = TtsProfile()
ALIGNED = TtsProfile(aligned=True)
STEADY = TtsProfile(deterministic=True)


# ---------------------------------------------------------------- a voice whose samples say which word they are of


def pcm(number: int, samples: int) -> bytes:
    return array.array("h", [number] * samples).tobytes()


def numbers_in(audio: bytes) -> list[tuple[int, int]]:
    """The runs of equal samples: (word, samples)."""
    samples = array.array("h", audio)
    return [(number, len(list(run))) for number, run in itertools.groupby(samples)]


def voice(text: str, durations: Iterator[int], cuts: Iterator[int], *, aligned: bool) -> list[TtsMessage]:
    """Speaks each word ``w7`` as so many samples of 7, with silence before it; cut into messages at odd places."""
    audio, words = b"", []
    for word in text.split():
        audio += pcm(0, next(durations) % 4)
        start = len(audio) // 2
        audio += pcm(int(word.strip(".")[1:]), next(durations))
        words.append(Word(word, start / 1_000, len(audio) / 2_000))
    audio += pcm(0, 3)
    messages: list[TtsMessage] = []
    while audio or (aligned and words):
        size = next(cuts)
        if aligned and words and (size % 3 == 0 or not audio):
            messages.append(Aligned(tuple(words[: size // 3 + 1])))
            del words[: size // 3 + 1]
        else:
            messages.append(Audio(audio[:size]))
            audio = audio[size:]
    return [*messages, Done()]


class Plan(Struct):
    """What a history is made of; all sequences are drawn from without end."""

    segments: list[int]
    durations: list[int]
    cuts: list[int]
    drops: list[int]
    takes: list[bool]
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = itertools.count(1)
        self.texts = [" ".join(f"w{next(numbers)}" for _ in range(size)) + ". " for size in self.segments]


plans = st.builds(
    Plan,
    segments=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    durations=st.lists(st.integers(1, 9), min_size=1, max_size=30),
    cuts=st.lists(st.integers(1, 20), min_size=1, max_size=12),
    drops=st.lists(st.integers(0, 12), max_size=6),
    takes=st.lists(st.booleans(), min_size=1, max_size=9),
)


def play(machine: SynthesisMachine, plan: Plan, *, aligned: bool, steady: bool = False) -> list[AudioChunk]:
    """Runs the whole history: every drop falls after so many messages of a request, until there are no more drops."""
    durations, cuts, takes = itertools.cycle(plan.durations), itertools.cycle(plan.cuts), itertools.cycle(plan.takes)
    drops = iter(plan.drops)
    chunks: list[AudioChunk] = []
    now = 0.0
    for text in plan.texts:
        machine.add(text)
    machine.end()
    while not machine.complete:
        request = machine.next_request(now)
        if request is None:
            assert machine.has_answer
            chunks += taken(machine, 1)
            continue
        lengths = itertools.cycle(plan.durations) if steady else durations
        last = next(drops, None)
        for message in voice(request.text, lengths, cuts, aligned=aligned)[:last]:
            now += 0.01
            assert machine.receive(request.generation, message, now) is None
            chunks += taken(machine, int(next(takes)), now)
            assert machine.expired(now) is None
        if machine.speaking:
            assert machine.lost()
        assert_spoken_was_heard(machine, chunks)
    chunks += iter(lambda: machine.take(0.0), None)
    assert machine.has_answer
    return chunks


def taken(machine: SynthesisMachine, limit: int, now: float = 0.0) -> list[AudioChunk]:
    return [chunk for _ in range(limit) if (chunk := machine.take(now))]


def assert_spoken_was_heard(machine: SynthesisMachine, chunks: list[AudioChunk]) -> None:
    heard = {number for number, _ in numbers_in(b"".join(chunk.audio for chunk in chunks))}
    assert {int(word.strip(".")[1:]) for word in machine.spoken().split()} <= heard


def assert_once_in_order(machine: SynthesisMachine, plan: Plan, chunks: list[AudioChunk]) -> None:
    builder = ClipBuilder(PCM)
    for chunk in chunks:
        builder.add(chunk)
        assert chunk.torn <= MOST_UNALIGNED
    runs = [run for run in numbers_in(builder.clip().audio) if run[0]]
    assert [number for number, _ in runs] == list(range(1, sum(plan.segments) + 1))
    assert all(samples in plan.durations for _, samples in runs)
    starts = [chunk.start for chunk in chunks]
    lengths = [len(chunk.audio) / 2_000 for chunk in chunks]
    assert starts == pytest.approx([0.0, *itertools.accumulate(lengths)][:-1])
    assert [chunk.segment for chunk in chunks] == sorted(chunk.segment for chunk in chunks)
    assert [chunk.segment for chunk in chunks if chunk.ends_segment] == list(range(len(plan.texts)))
    assert not any(chunk.restart for chunk in chunks)
    assert machine.spoken() == "".join(plan.texts)


def assert_words_fit(plan: Plan, chunks: list[AudioChunk]) -> None:
    samples = array.array("h", b"".join(chunk.audio for chunk in chunks))
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.text for word in words] == "".join(plan.texts).split()
    for word in words:
        here = samples[PCM.samples(word.start) : PCM.samples(word.end)]
        assert set(here) == {int(word.text.strip(".")[1:])}


@given(plans)
def test_by_word_every_word_is_handed_over_once(plan: Plan) -> None:
    machine = SynthesisMachine(PCM, ALIGNED, "word")
    chunks = play(machine, plan, aligned=True)
    assert_once_in_order(machine, plan, chunks)
    assert_words_fit(plan, chunks)


@given(plans)
def test_by_sample_every_word_is_handed_over_once(plan: Plan) -> None:
    plan.durations = [sum(plan.durations)]
    machine = SynthesisMachine(PCM, STEADY, "word")
    assert_once_in_order(machine, plan, play(machine, plan, aligned=False, steady=True))


@given(plans, st.booleans())
def test_by_segment_every_word_is_handed_over_once(plan: Plan, aligned: bool) -> None:
    machine = SynthesisMachine(PCM, BARE, "segment")
    chunks = play(machine, plan, aligned=aligned)
    assert_once_in_order(machine, plan, chunks)
    if aligned:
        assert_words_fit(plan, chunks)


@given(plans)
def test_a_voice_that_fails_to_align_is_handed_over_by_segment(plan: Plan) -> None:
    machine = SynthesisMachine(PCM, ALIGNED, "word")
    assert_once_in_order(machine, plan, play(machine, plan, aligned=False))


@given(plans, st.booleans())
def test_restart_says_where_the_text_begins_again(plan: Plan, aligned: bool) -> None:
    machine = SynthesisMachine(PCM, TtsProfile(aligned=aligned), "restart")
    chunks = play(machine, plan, aligned=aligned)
    begins = [at for at, chunk in enumerate(chunks) if chunk.restart]
    runs = [chunks[a:b] for a, b in itertools.pairwise([0, *begins, len(chunks)])]
    for run in runs:
        heard = [number for number, _ in numbers_in(b"".join(chunk.audio for chunk in run)) if number]
        assert heard == list(range(1, len(heard) + 1))
    assert heard[-1] == sum(plan.segments)
    assert machine.spoken() == "".join(plan.texts)
    assert len(begins) <= machine.statistics().restarts


@given(plans, st.integers(0, 400))
def test_spoken_at_a_moment_has_the_words_handed_over_whole_by_then(plan: Plan, at: int) -> None:
    machine = SynthesisMachine(PCM, ALIGNED, "word")
    plan.drops = []
    audio = b"".join(chunk.audio for chunk in play(machine, plan, aligned=True))
    whole = dict(run for run in numbers_in(audio) if run[0])
    heard = dict(run for run in numbers_in(audio[: 2 * at]) if run[0])
    said = [int(word.strip(".")[1:]) for word in machine.spoken(at / 1_000).split()]
    assert said == [number for number in heard if heard[number] == whole[number]]


@given(plans, st.integers(0, 60))
def test_clear_drops_all_audio_of_the_text_before_it(plan: Plan, when: int) -> None:
    machine = SynthesisMachine(PCM, ALIGNED, "word")
    cuts, durations = itertools.cycle(plan.cuts), itertools.cycle(plan.durations)
    for text in plan.texts:
        machine.add(text)
    late: list[TtsMessage] = []
    while not late and (request := machine.next_request(0.0)):
        messages = voice(request.text, durations, cuts, aligned=True)
        for message in messages[:when]:
            machine.receive(request.generation, message, 0.0)
        late, when = messages[when:], max(0, when - len(messages))
    heard = taken(machine, when)
    said = machine.spoken()
    assert machine.clear() == (said, bool(late))
    for message in late:
        machine.receive(request.generation if request else 0, message, 0.0)
    assert (machine.take(0.0), machine.queued_characters, machine.spoken()) == (None, 0, said)
    machine.add("w99. ")
    again = machine.next_request(0.0)
    assert again is not None
    for message in voice(again.text, durations, cuts, aligned=True):
        machine.receive(again.generation, message, 0.0)
    new = taken(machine, 99)
    assert {number for chunk in new for number, _ in numbers_in(chunk.audio)} <= {0, 99}
    assert new[0].start == pytest.approx(sum(len(chunk.audio) for chunk in heard) / 2_000)
    assert machine.spoken() == (f"{said.rstrip()} w99. " if said else "w99. ")


# ---------------------------------------------------------------- one thing at a time


def started(profile: TtsProfile = BARE, resume: Resume = "word", *texts: str) -> tuple[SynthesisMachine, int]:
    machine = SynthesisMachine(PCM, profile, resume)
    for text in texts or ("Hello. ",):
        machine.add(text)
    request = machine.next_request(100.0)
    assert request is not None
    return machine, request.generation


def test_the_mode_follows_from_what_was_asked_and_the_voice() -> None:
    assert SynthesisMachine(PCM, BARE, "word").mode == "segment"
    assert SynthesisMachine(PCM, STEADY, "word").mode == "word"


def test_one_request_at_a_time() -> None:
    machine = SynthesisMachine(PCM, BARE, "word")
    assert machine.next_request(0.0) is None
    machine.add("One. ")
    machine.add("Two. ")
    assert machine.queued_characters == 10
    first = machine.next_request(0.0)
    assert first == SegmentRequest(1, "One. ")
    assert machine.speaking
    assert machine.next_request(0.0) is None
    machine.receive(1, Audio(pcm(1, 5)), 0.0)
    machine.receive(1, Done(), 0.0)
    assert machine.next_request(0.0) == SegmentRequest(2, "Two. ")
    assert machine.queued_characters == 0


def test_a_slow_user_holds_back_the_next_request_alone() -> None:
    machine, generation = started(STEADY, "word", "One. ", "Two. ")
    machine.receive(generation, Audio(pcm(1, PCM.samples(BUFFER))), 0.0)
    machine.receive(generation, Audio(pcm(2, 10)), 0.0)
    machine.receive(generation, Done(), 0.0)
    assert not machine.ready
    assert machine.next_request(0.0) is None
    machine.take(0.0)
    assert machine.ready
    assert machine.next_request(0.0) is not None


def test_silence_counts_only_while_text_is_outstanding() -> None:
    machine, generation = started()
    assert machine.deadline() == 110.0
    machine.receive(generation, Audio(pcm(1, 5)), 105.0)
    assert machine.deadline() == 115.0
    assert machine.expired(114.9) is None
    assert machine.expired(115.0) == Silent("audio for the text that was sent", 10.0)
    machine.receive(generation, Done(), 116.0)
    assert machine.deadline() is None
    assert machine.expired(999.0) is None


def test_messages_without_audio_do_not_extend_the_deadline() -> None:
    machine, generation = started()
    for message in (Opened("s"), Going(5.0), Unknown("x")):
        assert machine.receive(generation, message, 109.0) is None
    assert machine.deadline() == 110.0


def test_several_dones_complete_one_segment_after_a_quiet() -> None:
    machine, generation = started(TtsProfile(quiet_after_done=0.5))
    machine.receive(generation, Audio(pcm(1, 5)), 100.0)
    machine.receive(generation, Done(), 101.0)
    machine.receive(generation, Audio(pcm(2, 5)), 101.4)
    machine.receive(generation, Done(), 101.5)
    assert machine.deadline() == 102.0
    assert machine.expired(101.9) is None
    assert machine.speaking
    assert machine.expired(102.0) is None
    assert not machine.speaking
    chunk = machine.take(0.0)
    assert chunk is not None
    assert numbers_in(chunk.audio) == [(1, 5), (2, 5)]


@pytest.mark.parametrize("profile", [BARE, TtsProfile(quiet_after_done=0.5)])
def test_done_without_audio_fails_the_first_connection(profile: TtsProfile) -> None:
    machine, generation = started(profile)
    cause = machine.receive(generation, Done(), 100.0) or machine.expired(100.5)
    assert isinstance(cause, Reported)
    assert cause.failure.retryable
    assert machine.lost()
    assert machine.ready


def test_punctuation_alone_is_complete_without_audio() -> None:
    machine, generation = started(BARE, "word", "... ")
    assert machine.receive(generation, Done(), 100.0) is None
    assert not machine.has_answer
    machine.end()
    assert machine.has_answer
    assert machine.take(0.0) is None
    assert machine.spoken() == "... "


def test_a_failure_and_a_close_end_the_link() -> None:
    machine, generation = started()
    failure = Failure(message="no")
    assert machine.receive(generation, failure, 100.0) == Reported(failure)
    assert machine.receive(generation, Closed(), 100.0) == Ended()


def test_audio_without_end_is_malformed() -> None:
    machine, generation = started()
    cause = machine.receive(generation, Audio(pcm(1, PCM.samples(LONGEST) + 1)), 100.0)
    assert isinstance(cause, Malformed)
    assert f"more than {LONGEST:g} s of audio" in cause.reason


def test_words_without_audio_do_not_extend_the_deadline() -> None:
    machine, generation = started()
    assert machine.receive(generation, Aligned((Word("w1", 0.0, 0.1),)), 105.0) is None
    assert machine.deadline() == 110.0
    assert machine.receive(generation, Audio(pcm(1, 5)), 106.0) is None
    assert machine.deadline() == 116.0


def test_a_stray_message_between_requests_is_ignored() -> None:
    machine, generation = started()
    machine.receive(generation, Audio(pcm(1, 5)), 100.0)
    machine.receive(generation, Done(), 100.0)
    assert machine.receive(generation, Audio(pcm(2, 5)), 100.0) is None
    assert [numbers_in(chunk.audio) for chunk in taken(machine, 9)] == [[(1, 5)]]


def test_an_older_generation_is_ignored() -> None:
    machine, old = started(STEADY)
    assert machine.lost()
    machine.receive(old, Audio(pcm(1, 5)), 100.0)
    request = machine.next_request(100.0)
    assert request is not None
    machine.receive(old, Audio(pcm(1, 5)), 100.0)
    machine.receive(old, Failure(message="late"), 100.0)
    machine.receive(request.generation, Audio(pcm(2, 5)), 100.0)
    assert [numbers_in(chunk.audio) for chunk in taken(machine, 9)] == [[(2, 5)]]


def test_a_link_lost_between_requests_counts_no_drop() -> None:
    machine, generation = started()
    machine.receive(generation, Audio(pcm(1, 5)), 100.0)
    machine.receive(generation, Done(), 100.0)
    assert machine.lost()
    assert machine.statistics().drops == 0
    assert not machine.ready


def test_resume_never_repeats_a_segment_without_released_audio() -> None:
    machine, _ = started(BARE, "never")
    assert machine.lost()
    request = machine.next_request(100.0)
    assert request is not None
    machine.receive(request.generation, Audio(pcm(1, 5)), 100.0)
    assert not machine.lost()


def test_a_restart_before_any_handed_over_audio_is_not_told() -> None:
    machine, generation = started(BARE, "restart")
    machine.receive(generation, Audio(pcm(1, 5)), 100.0)
    assert machine.lost()
    request = machine.next_request(100.0)
    assert request is not None
    machine.receive(request.generation, Audio(pcm(1, 9)), 100.0)
    assert [(chunk.restart, numbers_in(chunk.audio)) for chunk in taken(machine, 9)] == [(False, [(1, 9)])]


def test_a_restart_begins_where_the_text_was_cleared() -> None:
    machine, generation = started(BARE, "restart")
    machine.receive(generation, Audio(pcm(1, 5)), 100.0)
    machine.take(0.0)
    assert machine.clear()
    machine.add("World. ")
    request = machine.next_request(100.0)
    assert request is not None
    machine.receive(request.generation, Audio(pcm(2, 5)), 100.0)
    machine.take(0.0)
    assert machine.lost()
    again = machine.next_request(100.0)
    assert again is not None
    assert again.text == "World. "
    machine.receive(again.generation, Audio(pcm(2, 5)), 100.0)
    chunk = machine.take(0.0)
    assert chunk is not None
    assert (chunk.restart, chunk.start, chunk.segment) == (True, 0.01, 1)


@pytest.mark.parametrize(
    ("profile", "resume", "grown"), [(STEADY, "word", [True, False]), (BARE, "restart", [False, False])]
)
def test_repeating_is_no_progress(profile: TtsProfile, resume: Resume, grown: list[bool]) -> None:
    machine, generation = started(profile, resume)
    grew = []
    for _ in range(2):
        before = machine.progress
        machine.receive(generation, Audio(pcm(1, 5)), 100.0)
        grew.append(machine.progress > before)
        machine.take(0.0)
        machine.lost()
        request = machine.next_request(100.0)
        assert request is not None
        generation = request.generation
    assert grew == grown
    machine.receive(generation, Audio(pcm(1, 9)), 100.0)
    before = machine.progress
    machine.receive(generation, Done(), 100.0)
    assert (machine.progress > before) is (resume == "restart")


def test_statistics_tell_the_cost() -> None:
    machine, generation = started(STEADY, "word", "One. ", "Two. ")
    machine.receive(generation, Audio(pcm(1, 30)), 100.0)
    machine.take(0.0)
    machine.lost()
    request = machine.next_request(100.0)
    assert request is not None
    machine.receive(request.generation, Audio(pcm(1, 50)), 100.0)
    figures = machine.statistics()
    assert (figures.segments, figures.requests, figures.drops, figures.restarts) == (2, 2, 1, 0)
    assert (figures.characters, figures.characters_repeated) == (10, 5)
    assert (figures.received, figures.handed_over, figures.buffered) == (0.08, 0.03, 0.02)


@settings(max_examples=20)
@given(plans)
def test_equal_histories_give_equal_chunks(plan: Plan) -> None:
    first, second = (play(SynthesisMachine(PCM, ALIGNED, "word"), plan, aligned=True) for _ in range(2))
    assert first == second


def test_every_drop_and_every_restart_is_counted() -> None:
    machine, generation = started(BARE, "restart")
    for times in (1, 2, 3):
        machine.receive(generation, Audio(pcm(1, 5)), 100.0)
        machine.take(0.0)
        assert machine.lost()
        figures = machine.statistics()
        assert (figures.drops, figures.restarts) == (times, times)
        request = machine.next_request(100.0)
        assert request is not None
        generation = request.generation


def test_new_audio_is_progress() -> None:
    machine, generation = started(STEADY, "word")
    seen = [machine.progress]
    for _ in range(3):
        machine.receive(generation, Audio(pcm(1, 5)), 100.0)
        seen.append(machine.progress)
    assert seen == sorted(set(seen))


def test_a_session_is_complete_only_after_the_end_of_input() -> None:
    machine = SynthesisMachine(PCM, BARE, "word")
    assert machine.complete is False
    machine.add("One. ")
    machine.end()
    assert machine.complete is False
    request = machine.next_request(0.0)
    assert request is not None
    machine.receive(request.generation, Audio(pcm(1, 5)), 0.0)
    machine.receive(request.generation, Done(), 0.0)
    assert machine.complete is True


@pytest.mark.parametrize("over", [SynthesisMachine.clear, SynthesisMachine.lost])
def test_messages_of_earlier_generations_are_ignored(over: Callable[[SynthesisMachine], bool]) -> None:
    machine, generation = started(BARE, "never", *["Hello. "] * 9)
    earlier = [generation]
    for _ in range(4):
        over(machine)
        machine.add("World. ")
        request = machine.next_request(100.0)
        assert request is not None
        for old in earlier:
            machine.receive(old, Audio(pcm(1, 5)), 100.0)
            assert machine.receive(old, Failure(message="late"), 100.0) is None
        earlier.append(request.generation)
    assert len(set(earlier)) == 5
    assert machine.take(0.0) is None


def test_a_restart_after_a_clear_repeats_no_text_before_it() -> None:
    machine, generation = started(BARE, "restart")
    machine.receive(generation, Audio(pcm(1, 5)), 100.0)
    machine.receive(generation, Done(), 100.0)
    machine.take(0.0)
    before = machine.progress
    machine.clear()
    assert machine.progress == before
    machine.add("World. ")
    for _ in range(2):
        request = machine.next_request(100.0)
        assert request is not None
        machine.receive(request.generation, Audio(pcm(2, 5)), 100.0)
        assert machine.lost()
    assert machine.next_request(100.0) is not None
    machine.receive(request.generation + 2, Audio(pcm(2, 9)), 100.0)
    machine.receive(request.generation + 2, Done(), 100.0)
    assert machine.progress > before
    assert [chunk.restart for chunk in taken(machine, 9)] == [False]


def test_only_the_first_chunk_of_a_restart_is_marked() -> None:
    machine, generation = started(BARE, "restart")
    machine.receive(generation, Audio(pcm(1, 1)), 100.0)
    machine.take(0.0)
    machine.lost()
    request = machine.next_request(100.0)
    assert request is not None
    for _ in range(3):
        machine.receive(request.generation, Audio(pcm(1, 5)), 100.0)
    assert [chunk.restart for chunk in taken(machine, 9)] == [True, False, False]


def test_a_link_reported_lost_twice_counts_one_drop() -> None:
    machine, generation = started(STEADY, "word", "One. ", "Two. ")
    machine.receive(generation, Audio(pcm(1, 5)), 100.0)
    assert machine.lost()
    assert machine.lost()
    assert machine.statistics().drops == 1
    again = machine.next_request(100.0)
    assert again is not None
    assert again.text == "One. "


def test_resume_never_fails_after_a_single_released_sample() -> None:
    machine, generation = started(BARE, "never")
    machine.receive(generation, Audio(pcm(1, 1)), 100.0)
    assert not machine.lost()


def test_text_is_spoken_segment_by_segment_as_it_is_handed_over() -> None:
    machine, generation = started(BARE, "word", "One. ", "Two, three. ")
    machine.receive(generation, Audio(pcm(1, 5)), 100.0)
    machine.receive(generation, Done(), 100.0)
    assert machine.spoken() == ""
    machine.take(0.0)
    assert machine.spoken() == "One. "
    request = machine.next_request(100.0)
    assert request is not None
    machine.receive(request.generation, Audio(pcm(2, 5)), 100.0)
    machine.receive(request.generation, Done(), 100.0)
    machine.take(0.0)
    assert machine.spoken() == "One. Two, three. "


@given(st.binary(min_size=2, max_size=40), st.lists(st.integers(0, 40), max_size=9), st.sampled_from([STEADY, BARE]))
def test_samples_come_out_whole_wherever_they_were_cut(heard: bytes, cuts: list[int], profile: TtsProfile) -> None:
    machine, generation = started(profile, "word", "One. ", "Two. ")
    edges = [0, *sorted({min(cut, len(heard)) for cut in cuts}), len(heard)]
    for a, b in itertools.pairwise(edges):
        machine.receive(generation, Audio(heard[a:b]), 100.0)
    machine.receive(generation, Done(), 100.0)
    request = machine.next_request(100.0)
    assert request is not None
    machine.receive(request.generation, Audio(b"next"), 100.0)
    machine.receive(request.generation, Done(), 100.0)
    chunks = [chunk.audio for chunk in taken(machine, 99)]
    assert all(chunk and len(chunk) % 2 == 0 for chunk in chunks)
    assert b"".join(chunks) == heard[: len(heard) & ~1] + b"next"


def test_received_audio_is_counted_in_whole_samples() -> None:
    machine, generation = started()
    machine.receive(generation, Audio(b"\1\0\2"), 100.0)
    assert machine.statistics().received == 0.001


@pytest.mark.parametrize(("samples", "ready"), [(PCM.samples(BUFFER) - 1, True), (PCM.samples(BUFFER), False)])
def test_the_next_segment_is_asked_for_while_less_than_the_buffer_waits(samples: int, ready: bool) -> None:
    machine, generation = started(BARE, "word", "One. ", "Two. ")
    machine.receive(generation, Audio(pcm(1, samples)), 100.0)
    machine.receive(generation, Done(), 100.0)
    assert machine.ready is ready


def test_news_grows_with_audio_to_hand_over_and_with_the_end_of_a_segment() -> None:
    machine, generation = started(ALIGNED, "word")
    word = Word("Hello.", 0.0, 0.005)
    grew = []
    for message in (Audio(pcm(1, 9)), Aligned((word,)), Opened("s"), Audio(pcm(1, 1)), Going(5.0), Done()):
        before = machine.news
        machine.receive(generation, message, 100.0)
        grew.append(machine.news > before)
    assert grew == [True, True, False, True, False, True]


def test_news_only_grows() -> None:
    machine, generation = started(TtsProfile(quiet_after_done=0.5, deterministic=True), "word")
    seen = [machine.news]
    for message in (Audio(pcm(1, 5)), Audio(pcm(1, 5)), Done(), Audio(pcm(1, 5)), Done()):
        machine.receive(generation, message, 100.0)
        seen.append(machine.news)
    assert seen == sorted(set(seen))
