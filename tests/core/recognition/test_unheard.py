"""Audio that the service has given up: one `Gap`, in the place of a final. A sample is a millisecond."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trio_speech._core.provider.messages import Acknowledged, RecognitionResult, SpeechOnset, Unheard
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech.audio import AudioFormat
from trio_speech.events import FinalTranscript, Gap, SpeechEnded, SpeechStarted, TranscriptEvent
from trio_speech.policy import ReplayPolicy

ORDERED = SttProfile(chunk=0.1, replay_speed=None, ordered=True)
UNORDERED = replace(ORDERED, ordered=False)
BY_WATERMARK = replace(ORDERED, acknowledges="watermark")
BY_FINALS = replace(ORDERED, answers_finalize=False)


def opened(profile: SttProfile, samples: int, session: RecognitionMachine | None = None) -> LinkMachine:
    """A link that was sent so much speech, or all that its session holds."""
    fresh = session is None
    session = session or RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(lead_in=0.0))
    link = LinkMachine(session, profile, 0.0, patience=10.0, progress_timeout=None)
    if fresh:
        session.capture(array("h", [5_000] * samples).tobytes())
    while session.log.unsent:
        link.next(0.0)
    return link


def final(start: float, end: float) -> RecognitionResult:
    return RecognitionResult(kind="final", text="word", start=start, end=end)


def taken(link: LinkMachine) -> list[TranscriptEvent]:
    return [link.session.take() for _ in range(len(link.session.event_queue))]


def test_it_becomes_a_gap_and_is_not_sent_again() -> None:
    link = opened(ORDERED, 3_000)
    link.receive(SpeechOnset(1.0), 0.0)
    link.receive(Unheard(1.0, 2.0), 0.0)
    link.receive(final(2.0, 2.5), 0.0)
    assert [event for event in taken(link) if isinstance(event, Gap | SpeechEnded)] == [
        SpeechEnded(2.0),
        Gap(1.0, 2.0, "unheard"),
    ]
    assert link.session.log.committed == 2_500
    link.lost()
    again = opened(ORDERED, 0, link.session)
    again.receive(Unheard(0.0, 0.5), 0.0)  # on its clock, that is from 2.5 s on
    assert taken(again)[:1] == [Gap(2.5, 3.0, "unheard")]


def test_what_a_final_covers_is_no_gap() -> None:
    link = opened(ORDERED, 3_000)
    link.receive(final(0.5, 1.0), 0.0)
    link.receive(Unheard(0.5, 1.5), 0.0)
    assert [event for event in taken(link) if isinstance(event, Gap)] == [Gap(1.0, 1.5, "unheard")]


def test_it_waits_for_what_is_open_before_it() -> None:
    link = opened(UNORDERED, 3_000)
    link.receive(Unheard(1.0, 2.0), 0.0)
    assert (taken(link), link.session.log.committed) == ([], 0)
    link.receive(final(0.0, 1.0), 0.0)
    assert link.session.log.committed == 2_000
    said = [event for event in taken(link) if isinstance(event, FinalTranscript | Gap)]
    assert [(event.start, event.end) for event in said] == [(0.0, 1.0), (1.0, 2.0)]


def test_a_watermark_passes_over_it() -> None:
    link = opened(BY_WATERMARK, 3_000)
    link.receive(Unheard(1.0, 2.0), 0.0)
    assert taken(link) == []
    link.receive(Acknowledged(2.5), 0.0)
    assert taken(link) == [Gap(1.0, 2.0, "unheard")]
    assert link.session.gaps.total == 1_000


def test_it_answers_a_request_where_finals_do() -> None:
    link = opened(BY_FINALS, 1_000)
    link.session.finalize()
    link.next(0.0)
    link.receive(Unheard(0.0, 1.0), 0.0)
    assert link.session.log.committed == 1_000


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans()), max_size=12),
    st.sampled_from([ORDERED, UNORDERED, BY_WATERMARK]),
    st.integers(0, 12),
)
def test_each_sample_is_settled_or_in_one_gap_across_links(
    said: list[tuple[int, int, bool]], profile: SttProfile, lost_after: int
) -> None:
    link, base = opened(profile, 3_000), 0.0
    for number, (one, other, is_final) in enumerate(said):
        start, end = sorted((one, other))
        at = (max(0.0, start / 10 - base), max(0.0, end / 10 - base))
        link.receive(final(*at) if is_final else Unheard(*at), 0.0)
        if number == lost_after:
            link.lost()
            base = link.session.log.committed / 1_000
            link = opened(profile, 0, link.session)
    session = link.session
    session.commit(3_000)
    session.end()
    gaps = [event for event in taken(link) if isinstance(event, Gap)]
    named = [sample for gap in gaps for sample in range(round(gap.start * 1_000), round(gap.end * 1_000))]
    assert len(named) == len(set(named)) == session.gaps.total
    log = session.log
    assert (log.settled, log.owed) == (3_000, 0)


def test_it_ends_the_utterance_that_was_announced() -> None:
    link = opened(ORDERED, 2_000)
    link.receive(SpeechOnset(0.2), 0.0)
    link.receive(Unheard(0.2, 1.0), 0.0)
    assert taken(link)[:1] == [SpeechStarted(0.2)]
    assert not link.session.speaking


@pytest.mark.parametrize("span", [(-5.0, 1e300), (1.5, 0.5)])
def test_times_that_cannot_be_are_clamped(span: tuple[float, float]) -> None:
    link = opened(ORDERED, 2_000)
    link.receive(Unheard(*span), 0.0)
    assert 0 <= link.session.log.committed <= 2_000
