"""Turns: each ends once, behind its finals, whatever links hear it. A sample is a millisecond."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import RecognitionResult, TurnOver
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech.audio import AudioFormat
from trio_speech.events import FinalTranscript, TranscriptEvent, TurnEnded, Word
from trio_speech.policy import ReplayPolicy

PROFILE = SttProfile(chunk=0.1, replay_speed=None)


def recognition() -> RecognitionMachine:
    """A session that holds ten seconds."""
    session = RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(lead_in=2.0))
    session.capture(bytes(20_000))
    return session


def opened(session: RecognitionMachine) -> tuple[LinkMachine, float]:
    """A link that was sent all that its session holds, and the second of the stream at which its clock begins."""
    link = LinkMachine(session, PROFILE, 0.0, patience=10.0, progress_timeout=None)
    base = session.log.sent / 1_000
    while session.log.unsent:
        link.next(0.0)
    return link, base


def said(kind: str, start: float, end: float, *, of: float | None = None) -> RecognitionResult:
    word = Word(f"w{start if of is None else of:g}", start, end)
    return RecognitionResult(kind=kind, text=word.text, start=start, end=end, words=(word,))  # type: ignore[arg-type]


def told(session: RecognitionMachine) -> list[TranscriptEvent]:
    events = [session.take() for _ in range(len(session.event_queue))]
    return [event for event in events if isinstance(event, FinalTranscript | TurnEnded)]


def test_a_turn_ends_behind_its_finals() -> None:
    link, _ = opened(recognition())
    for message in (said("final", 1.0, 2.0), said("final", 2.0, 3.0), TurnOver(3.0, 0.9), TurnOver(3.0, 0.9)):
        link.receive(message, 0.0)
    *finals, ended = told(link.session)
    assert [type(event) for event in finals] == [FinalTranscript] * 2
    assert ended == TurnEnded(3.0, 0.9)


def test_finals_that_wait_for_earlier_speech_come_before_the_end_of_their_turn() -> None:
    link, _ = opened(recognition())
    link.receive(said("interim", 0.5, 1.0), 0.0)
    link.receive(said("final", 2.0, 3.0), 0.0)
    assert told(link.session) == []
    link.receive(TurnOver(3.0), 0.0)
    assert [type(event) for event in told(link.session)] == [FinalTranscript, TurnEnded]


def test_a_turn_without_words_is_none() -> None:
    link, _ = opened(recognition())
    link.receive(TurnOver(1.0), 0.0)
    assert told(link.session) == []


def test_without_a_time_it_ends_with_what_was_sent() -> None:
    link, _ = opened(recognition())
    link.receive(said("final", 1.0, 2.0), 0.0)
    link.receive(TurnOver(), 0.0)
    assert told(link.session)[1] == TurnEnded(10.0)


def heard_again(script: list[RecognitionResult | TurnOver], base: float) -> Iterator[RecognitionResult | TurnOver]:
    """What of it a link says whose clock begins at `base`."""
    for message in script:
        match message:
            case RecognitionResult(start=start, end=end) if start >= base:
                yield said("final", start - base, end - base, of=start)
            case TurnOver(at) if at is not None and at >= base + 0.5:
                yield TurnOver(at - base)
            case _:
                pass


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers(0, 16), st.booleans())
def test_each_turn_ends_once_across_links(turns: list[bool], lost_after: int, read: bool) -> None:
    """Each second holds a word; `turns` says after which of them a turn ends."""
    script: list[RecognitionResult | TurnOver] = []
    for second, ends in enumerate(turns):
        script += [said("final", second, second + 0.5), *([TurnOver(second + 0.5)] if ends else [])]
    session = recognition()
    link, _ = opened(session)
    for message in script[:lost_after]:
        link.receive(message, 0.0)
    events = told(session) if read else []
    link.lost()
    link, base = opened(session)
    for message in heard_again(script, base):
        link.receive(message, 0.0)
    events += told(session)
    said_so = [event for second, ends in enumerate(turns) for event in (second + 0.5, *(["end"] if ends else []))]
    assert [event.end if isinstance(event, FinalTranscript) else "end" for event in events] == said_so
    ended = [event.end for event in events if isinstance(event, TurnEnded)]
    assert ended == [second + 0.5 for second, ends in enumerate(turns) if ends]
