"""Law 1, for recognizers: each word is recognized exactly once, even when connections fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from ..._core.provider.profile import SttProfile
from ...errors import SpeechError
from ...events import FinalTranscript, Gap, TranscriptEvent
from ...statistics import TranscriptStatistics
from ..assertions import (
    assert_exactly_once,
    assert_in_stream_order,
    assert_ledger,
    assert_speech_alternates,
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
from .setup import Setup, run

_SECONDS = 9.0

PLANS: Mapping[str, tuple[Step, ...]] = {
    "nothing fails": (),
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


def check_recognition(setup: Setup, runs: int) -> None:
    """Raises `AssertionError` where a word is lost or comes twice, or a session does not end."""
    for case, plan in PLANS.items():
        run(f"recognition, {case}", partial(_recognize, setup, plan, seed=0))
    for seed in range(runs):
        run(f"recognition, random faults number {seed}", partial(_recognize, setup, random_plan(seed), seed=seed))


async def _recognize(setup: Setup, plan: tuple[Step, ...], seed: int) -> None:
    said = speech(_SECONDS, seed=seed, audio_format=setup.audio_format)
    async with setup.client(plan) as (client, gateway):
        try:
            async with client.transcribe(said, said.audio_format, **setup.asked.recognition) as transcript:
                events = [event async for event in transcript]
        except SpeechError as error:
            raise AssertionError(f"the session ended with an error: {error}") from error
    if setup.recognizer is not None:
        _judge(setup.recognizer.profile, said, events, transcript.statistics(), gateway.visits)


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
    for visit in visits:
        if visit.complaints:
            raise AssertionError(f"the service complains: {visit.complaints}")


def _assert_nothing_lost_nor_doubled_unmarked(
    said: LabeledSpeech, events: Sequence[TranscriptEvent], visits: Sequence[Visit]
) -> None:
    finals = [event for event in events if isinstance(event, FinalTranscript)]
    told = Counter(word for final in finals for word in final.text.split())
    spoken = Counter(word.text for word in said.words)
    missing = [word for word in (spoken - told) if word not in _named_by_gaps(said, events)]
    if missing:
        raise AssertionError(f"not delivered: {' '.join(missing)}\n\n{picture(said, events, visits)}")
    marked = {word for final in finals if final.seam for word in final.text.split()}
    doubled = [word for word in (told - spoken) if word not in marked]
    if doubled:
        raise AssertionError(f"delivered twice: {' '.join(doubled)}\n\n{picture(said, events, visits)}")


def _named_by_gaps(said: LabeledSpeech, events: Sequence[TranscriptEvent]) -> set[str]:
    gaps, rate = [event for event in events if isinstance(event, Gap)], said.audio_format.sample_rate
    return {
        word.text for word in said.words for gap in gaps if gap.start * rate < word.end and word.start < gap.end * rate
    }
