"""Law 1, for recognizers: each word is recognized exactly once, even when connections fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from ..._core.provider.profile import SttProfile
from ...audio import AudioFormat
from ...errors import SpeechError
from ...events import FinalTranscript, Gap, TranscriptEvent
from ...statistics import TranscriptStatistics
from ..assertions import (
    assert_exactly_once,
    assert_in_stream_order,
    assert_ledger,
    assert_speech_alternates,
    assert_times_within,
    assert_turns_end_once,
    assert_unique_ids,
)
from ..picture import picture
from ..scripted.faults import (
    Await,
    BlackHole,
    Close,
    CloseSession,
    Delay,
    Drop,
    Garble,
    Hear,
    InBandError,
    MidWord,
    NeverAnswer,
    Outage,
    Refuse,
    Step,
)
from ..scripted.plan import random_plan
from ..scripted.visits import Visit
from ..speech import LabeledSpeech, speech
from .laws import PROFILE, Case, LawBroken, demand, session_failed
from .running import run
from .setup import Setup

_SECONDS = 9.0

_TIMES = 0.05
"""Seconds by which the times of a word may be off, besides the drift of the profile."""

PLANS: Mapping[str, tuple[Step, ...]] = {
    "a reset in the middle of a word": (Hear(2.0), MidWord(), Drop()),
    "a reset after a final": (Await("final"), Drop()),
    "two resets": (Hear(3.0), Drop(), Hear(1.0), Drop()),
    "a close with an error": (Hear(3.0), Close(1011)),
    "a close without one": (Hear(3.0), Close(1000)),
    "an end that the service says": (Hear(3.0), CloseSession()),
    "an error that the service says": (Hear(3.0), InBandError()),
    "an error, and then a close": (Hear(3.0), InBandError(), Close(1011)),
    "messages that come late, and a reset": (Hear(2.0), Delay(1.5), Hear(3.0), Drop()),
    "a connection that falls silent": (Hear(3.0), BlackHole()),
    "a message that is no JSON": (Hear(3.0), Garble("json")),
    "a message of another shape": (Hear(3.0), Garble("types")),
    "refused dials": (Refuse(503), Refuse(429, retry_after=1.0)),
    "a dial that is not answered": (NeverAnswer(),),
    "an outage": (Hear(3.0), Outage(5.0)),
}


def check_undisturbed_recognition(setup: Setup) -> None:
    """Raises `LawBroken` where a word is lost, or has a wrong time, although nothing fails. Each encoding is tried."""
    run(Case("recognition, nothing fails"), partial(_recognize, setup, setup.audio_format))
    for audio_format in setup.other_formats("recognizer"):
        run(Case(f"recognition, {audio_format}, nothing fails"), partial(_recognize, setup, audio_format))


def check_recognition(setup: Setup) -> None:
    """Raises `LawBroken` where a word is lost or comes twice, or a session does not end."""
    for name, plan in PLANS.items():
        run(Case(f"recognition, {name}", plan), partial(_recognize, setup, setup.audio_format))
    for seed in range(setup.runs):
        case = Case("recognition, random faults", random_plan(seed), seed)
        run(case, partial(_recognize, setup, setup.audio_format))


async def _recognize(setup: Setup, audio_format: AudioFormat, case: Case) -> None:
    said = speech(_SECONDS, seed=case.seed, audio_format=audio_format)
    async with setup.client(case.plan) as (client, gateway):
        try:
            async with client.transcribe(said, said.audio_format, **setup.asked.recognition) as transcript:
                events = [event async for event in transcript]
        except SpeechError as error:
            raise session_failed(error) from error
    profile = setup.provider("recognizer", audio_format).profile
    _judge(profile, said, events, transcript.statistics(), gateway.visits)
    if not case.plan and setup.has_exact_times and profile.places_words:
        finals = [event for event in events if isinstance(event, FinalTranscript) and event.text]
        timed = all(final.words for final in finals)
        demand(timed, "by the profile finals have words with times, and the codec gives none", PROFILE)
        bound = audio_format.samples(_TIMES + 2 * profile.drift)
        assert_times_within(bound, events, said, gateway.visits)


def _judge(
    profile: SttProfile,
    said: LabeledSpeech,
    events: Sequence[TranscriptEvent],
    statistics: TranscriptStatistics,
    visits: Sequence[Visit],
) -> None:
    assert_unique_ids(events)
    assert_ledger(statistics, events, said.seconds)
    assert_speech_alternates(events)
    assert_turns_end_once(events)
    if profile.exact_times and profile.word_times:
        assert_exactly_once(events, said, visits)
        assert_in_stream_order(events)
    else:
        _assert_nothing_lost_nor_doubled_unmarked(said, events, visits)


def _assert_nothing_lost_nor_doubled_unmarked(
    said: LabeledSpeech, events: Sequence[TranscriptEvent], visits: Sequence[Visit]
) -> None:
    finals = [event for event in events if isinstance(event, FinalTranscript)]
    told = Counter(word for final in finals for word in final.text.split())
    spoken = Counter(word.text for word in said.words)
    missing = [word for word in (spoken - told) if word not in _named_by_gaps(said, events)]
    if missing:
        raise LawBroken(f"not delivered: {' '.join(missing)}\n\n{picture(said, events, visits)}")
    marked = {word for final in finals if final.seam for word in final.text.split()}
    doubled = [word for word in (told - spoken) if word not in marked]
    if doubled:
        raise LawBroken(f"delivered twice: {' '.join(doubled)}\n\n{picture(said, events, visits)}")


def _named_by_gaps(said: LabeledSpeech, events: Sequence[TranscriptEvent]) -> set[str]:
    gaps, rate = [event for event in events if isinstance(event, Gap)], said.audio_format.sample_rate
    return {
        word.text for word in said.words for gap in gaps if gap.start * rate < word.end and word.start < gap.end * rate
    }
