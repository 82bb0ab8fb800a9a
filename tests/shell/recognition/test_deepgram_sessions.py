"""Whole sessions on a second wire: Deepgram's codec and profile, and the same core, against the same faults."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    RECOVERABLE,
    Await,
    BlackHole,
    Close,
    CloseSession,
    Delay,
    Drift,
    Drop,
    Fin,
    Garble,
    Hear,
    InBandError,
    LabeledSpeech,
    Lapse,
    Manner,
    MidWord,
    NeverAnswer,
    Outage,
    Refuse,
    Restart,
    ScriptedGateway,
    Send,
    Step,
    TearFrame,
    Visit,
    random_plan,
    say,
    speech,
)

from ..conftest import Listen, Session

SPEECH = speech(5.0)
HAIR = 0.02
DEEPGRAM = ts.Deepgram("the-key")
FAULTS = tuple(fault for fault in RECOVERABLE if fault is not CloseSession)  # which leaves a service mute, here

ENDS: list[Step] = [Drop(), Fin(), Close(1011, "NET-0000"), Close(1000), TearFrame(), Garble("types"), Restart()]
PHASES: dict[str, tuple[Step, ...]] = {
    "dialing": (),
    "just opened": (Await("create"),),
    "mid-word": (MidWord(3),),
    "mid-frame": (Hear(2.017),),
    "between finals": (Await("final"),),
    "during replay": (Hear(3.0), Outage(4.0), Hear(1.0)),
    "during the drain": (Await("close"),),
}
MANNERS = {
    "exact": Manner(),
    "several finals an utterance": Manner(longest=1.0),
    "finals held back": Manner(held=1.5),
    "finals twice": Manner(twice=True),
    "finalize not answered": Manner(finalized="never"),
    "finalize answered late": Manner(finalized="before", trailing=0.3),
    "silence in long windows": Manner(silence=30.0),
    "drifting a little": Manner(drift=Drift(0.04)),
}


@pytest.fixture
def listen(gateway: ScriptedGateway) -> Listen:
    """Transcribes speech to its end; policies go to the client."""

    async def run(
        spoken: LabeledSpeech, source: AsyncIterable[bytes] | None = None, *, asking: Any = None, **policies: Any
    ) -> Session:
        began = trio.current_time()
        events: list[ts.TranscriptEvent] = []
        times: list[float] = []
        async with ts.open_client(gateway.in_place_of(DEEPGRAM), **policies) as client:
            async with client.transcribe(source or spoken, spoken.audio_format, **(asking or {})) as transcript:
                async for event in transcript:
                    events.append(event)
                    times.append(trio.current_time() - began)
            took = trio.current_time() - began
        return Session(spoken, gateway, events, times, transcript.statistics(), took)

    return run


def asked(visit: Visit) -> dict[str, list[str]]:
    """The query of a dial."""
    return parse_qs(visit.resource.partition("?")[2])


# ---------------------------------------------------------------- exactly once


async def test_a_session_without_faults(gateway: ScriptedGateway, listen: Listen) -> None:
    session = await listen(SPEECH, asking={"model": "deepgram/nova-3:en", "keyterms": ["Trio", "gepu"]})
    session.assert_whole()
    (visit,) = gateway.visits
    assert visit.resource.startswith("/v1/listen?")
    assert visit.headers["authorization"] == "Token the-key"
    assert asked(visit) == {
        "model": ["nova-3"],
        "language": ["en"],
        "encoding": ["linear16"],
        "sample_rate": ["16000"],
        "channels": ["1"],
        "interim_results": ["true"],
        "keyterm": ["Trio", "gepu"],
    }
    assert bytes(visit.audio) == SPEECH.audio
    assert visit.kinds("client")[-2:] == ["audio", "CloseStream"]
    assert session.seconds == pytest.approx(SPEECH.seconds, abs=HAIR)
    assert session.statistics.links == 1


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("fault", ENDS, ids=repr)
async def test_every_end_of_a_link_in_every_phase(
    gateway: ScriptedGateway, listen: Listen, fault: Step, phase: str
) -> None:
    gateway.plan(*PHASES[phase], fault)
    session = await listen(SPEECH)
    session.assert_whole()
    assert gateway.planned == ()
    if fault == Close(1000) and phase == "during the drain":
        assert session.of(ts.LinkLost) == []  # all was sent, and what was not answered is silence
        return
    links = 3 if phase == "during replay" else 2
    assert session.statistics.links in (links - 1, links)  # one that breaks while it is dialed never was a link
    assert len(session.of(ts.LinkLost)) >= links - 1


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("phase", ["mid-word", "between finals", "during replay", "during the drain"])
async def test_every_manner_of_recognizing(gateway: ScriptedGateway, listen: Listen, manner: str, phase: str) -> None:
    gateway.manner = MANNERS[manner]
    gateway.plan(*PHASES[phase], Drop(), Hear(0.73), Drop())
    session = await listen(SPEECH)
    session.assert_whole(samples=1 if gateway.manner.drift is None else None)


@pytest.mark.parametrize("seed", range(8))
async def test_random_faults(gateway: ScriptedGateway, listen: Listen, seed: int) -> None:
    gateway.manner = list(MANNERS.values())[seed % 5]
    gateway.plan(*random_plan(seed, faults=FAULTS))
    session = await listen(speech(10.0, seed=seed), retry=ts.RetryPolicy(max_attempts=None))
    session.assert_whole()


async def test_audio_that_ends_with_its_last_word(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Await("finalize"), Drop())
    session = await listen(say(0.2, "turn left now"))
    session.assert_whole()


async def test_a_word_at_the_joint_says_that_it_is_there(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.manner = Manner(longest=1.0)
    gateway.plan(Await("final"), Drop())
    session = await listen(SPEECH)
    session.assert_whole()
    assert [final.seam for final in session.of(ts.FinalTranscript)[:3]] == [False, True, False]
    assert session.statistics.repeated_words > 0  # heard again with the lead-in, and known by their text


async def test_spans_are_those_of_the_words_though_windows_cover_the_silence(listen: Listen) -> None:
    spoken = say(2.0, "turn left", 1.5, "now", 1.0)
    session = await listen(spoken)
    session.assert_whole()
    spans = [(final.start, final.end) for final in session.of(ts.FinalTranscript)]
    assert spans == [(2.0, pytest.approx(2.48)), (pytest.approx(3.98), pytest.approx(4.13))]
    assert [event.start for event in session.of(ts.SpeechStarted)] == [start for start, _ in spans]
    assert [event.end for event in session.of(ts.SpeechEnded)] == [end for _, end in spans]


# ---------------------------------------------------------------- illness


async def test_half_open_is_found_by_pings(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(3.0), BlackHole())
    session = await listen(SPEECH, liveness=ts.LivenessPolicy(ping_interval=2.0, ping_timeout=1.5))
    session.assert_whole()
    (lost,) = session.of(ts.LinkLost)
    assert lost.cause == "no pong within 0.4 s"
    assert session.at(ts.LinkLost)[0] <= 3.0 + 3.5 + HAIR


async def test_a_handshake_that_is_never_answered(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(NeverAnswer())
    session = await listen(SPEECH, liveness=ts.LivenessPolicy(connect_timeout=4.0, standby=False))
    session.assert_whole()
    assert session.at(ts.LinkLost) == [pytest.approx(4.0, abs=HAIR)]


async def test_pongs_without_results_are_an_illness(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(1.0), Delay(10_000.0), Lapse(10_000.0))
    session = await listen(speech(40.0), liveness=ts.LivenessPolicy(progress_timeout=15.0))
    session.assert_whole()
    (lost,) = session.of(ts.LinkLost)
    assert lost.cause == "no result, though speech is being sent, within 15 s"


async def test_a_refusal_is_tried_again_when_the_service_says(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Refuse(429, retry_after=7.5, body='{"err_code":"TOO_MANY_REQUESTS"}'))
    session = await listen(SPEECH)
    session.assert_whole()
    first, second = (visit.dialed for visit in gateway.visits)
    assert second - first >= 7.5
    assert session.of(ts.LinkLost)[0].retry_in >= 7.5


async def test_bad_credentials_are_told_at_once(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Refuse(401, body='{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials.","request_id":"r1"}'))
    with pytest.raises(ts.AuthenticationError, match="Invalid credentials") as caught:
        await listen(SPEECH)
    assert len(gateway.visits) == 1
    assert caught.value.endpoint == "wss://api.deepgram.com/v1/listen"
    assert "the-key" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("status", [400, 402, 403, 404])
async def test_what_waiting_does_not_mend_is_told_at_once(
    gateway: ScriptedGateway, listen: Listen, status: int
) -> None:
    gateway.plan(Hear(1.0), Drop(), Refuse(status))
    with pytest.raises(ts.ProviderError) as caught:
        await listen(SPEECH)
    assert caught.value.code == status
    assert len(gateway.visits) == 2


async def test_data_that_is_no_audio_is_fatal(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(1.0), Close(1008, "DATA-0000"))
    with pytest.raises(ts.ProviderError, match="DATA-0000") as caught:
        await listen(SPEECH)
    assert caught.value.code == 1008
    assert len(gateway.visits) == 1


async def test_accept_then_close_does_not_loop(gateway: ScriptedGateway) -> None:
    gateway.plan(*[Close(1011, "NET-0000")] * 100)
    with pytest.raises(ts.RetriesExhausted) as caught:
        async with ts.open_client(gateway.in_place_of(DEEPGRAM)) as client:
            await client.recognize(SPEECH)
    assert len(gateway.visits) == caught.value.attempts + 1 <= 21


async def test_an_error_in_band_costs_a_link_and_no_word(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(2.0), InBandError("SchemaError", "no"))
    session = await listen(SPEECH)
    session.assert_whole()
    assert session.of(ts.LinkLost)[0].cause == "error SchemaError from the service: no"


async def test_messages_that_nobody_knows_are_counted(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(2.0), Send(b"\0binary"), Send('{"type":"Warning"}'))
    session = await listen(SPEECH)
    session.assert_whole()
    assert (session.statistics.links, session.statistics.unknown_messages) == (1, 2)


# ---------------------------------------------------------------- while a session lasts


async def test_finalize_settles_what_is_pending(gateway: ScriptedGateway) -> None:
    spoken = say(0.2, "turn left", 0.1)
    async with ts.open_client(gateway.in_place_of(DEEPGRAM)) as client, client.transcribe() as transcript:
        await transcript.send(spoken.audio)
        transcript.finalize()
        with trio.fail_after(1.0):
            await transcript.settled()
        assert [type(await anext(transcript)) for _ in range(3)] == [
            ts.SpeechStarted,
            ts.FinalTranscript,
            ts.SpeechEnded,
        ]
        assert transcript.unacknowledged() == (spoken.seconds, b"")
        await transcript.send(spoken.audio)
        transcript.end_input()
        (final,) = [event async for event in transcript if isinstance(event, ts.FinalTranscript)]
    assert (final.text, final.start) == ("turn left", pytest.approx(spoken.seconds + 0.2))
    assert gateway.visits[0].kinds("client").count("Finalize") == 1


async def test_new_keyterms_are_told_and_stand_in_the_next_address(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(SPEECH.seconds), Drop())
    async with (
        ts.open_client(gateway.in_place_of(DEEPGRAM)) as client,
        client.transcribe(keyterms=["old"]) as transcript,
    ):
        await transcript.send(SPEECH.audio[:32_000])
        await trio.sleep(0.1)
        transcript.update(keyterms=["new", "newer"])
        await transcript.send(SPEECH.audio[32_000:])
        transcript.end_input()
        finals = [event async for event in transcript if isinstance(event, ts.FinalTranscript)]
    assert " ".join(final.text for final in finals) == SPEECH.text
    first, second = gateway.visits
    assert asked(first)["keyterm"] == ["old"]
    assert first.kinds("client").count("Configure") == first.kinds("gateway").count("ConfigureSuccess") == 1
    assert first.keyterms == ("new", "newer")
    assert asked(second)["keyterm"] == ["new", "newer"]
    assert "Configure" not in second.kinds("client")


async def test_keyterms_beyond_the_limit_end_the_session(gateway: ScriptedGateway) -> None:
    gateway.plan(Await("update"), InBandError("CONFIGURE_KEYTERM_LIMIT_EXCEEDED", "too many"))

    async def too_many() -> None:
        async with ts.open_client(gateway.in_place_of(DEEPGRAM)) as client, client.transcribe() as transcript:
            await trio.sleep(0.1)
            transcript.update(keyterms=["x"] * 1_000)
            async for _ in transcript:
                pass

    with pytest.raises(ts.ProviderError, match="the keyterms were not taken: too many"):
        await too_many()
    assert len(gateway.visits) == 1


async def moved(
    gateway: ScriptedGateway, spoken: LabeledSpeech, at: float, *, model: str = "nova-3", **change: Any
) -> Session:
    """A session in real time, one setting of which is changed after so many seconds."""
    events: list[ts.TranscriptEvent] = []
    async with (
        ts.open_client(gateway.in_place_of(DEEPGRAM)) as client,
        trio.open_nursery() as nursery,
        client.transcribe(spoken.source(), spoken.audio_format, model=model) as transcript,
    ):

        @nursery.start_soon
        async def update() -> None:
            await trio.sleep(at)
            transcript.update(**change)

        events += [event async for event in transcript]
    return Session(spoken, gateway, events, [], transcript.statistics(), 0.0)


@pytest.mark.parametrize("at", [0.0, 1.0, 1.37, 2.2, 3.05, 4.9])
async def test_what_cannot_change_in_flight_moves_to_a_fresh_link(gateway: ScriptedGateway, at: float) -> None:
    session = await moved(gateway, SPEECH, at, language="fr")
    session.assert_whole()
    *earlier, last = gateway.visits
    assert asked(last)["language"] == ["fr"]
    assert all("language" not in asked(visit) for visit in earlier)
    assert session.of(ts.LinkLost) == []
    if at:
        (resumed,) = session.of(ts.Resumed)
        assert (resumed.attempt, resumed.downtime) == (0, pytest.approx(0.0, abs=0.1))


async def test_keyterms_of_older_models_move_to_a_fresh_link(gateway: ScriptedGateway) -> None:
    session = await moved(gateway, SPEECH, 2.0, model="nova-2", keyterms=["x"])
    session.assert_whole()
    assert [asked(visit).get("keywords") for visit in gateway.visits] == [None, ["x"]]


@pytest.mark.parametrize("fault", [Drop(), Close(1011, "NET-0000"), BlackHole()], ids=repr)
@pytest.mark.parametrize("phase", [(), (Await("finalize"),), (Await("close"),), (Hear(2.5),)], ids=repr)
async def test_a_move_that_fails_loses_nothing(gateway: ScriptedGateway, phase: tuple[Step, ...], fault: Step) -> None:
    gateway.plan(*phase, fault)
    session = await moved(gateway, SPEECH, 2.2, language="fr")
    session.assert_whole()
    assert asked(gateway.visits[-1])["language"] == ["fr"]


async def test_what_the_service_cannot_do_at_all_is_refused_at_the_call(gateway: ScriptedGateway) -> None:
    async with ts.open_client(gateway.in_place_of(DEEPGRAM)) as client, client.transcribe() as transcript:
        with pytest.raises(ts.ConfigurationError, match="options must not hold 'encoding'"):
            transcript.update(options={"encoding": "flac"})


async def test_a_microphone_muted_for_minutes_keeps_its_connection_and_its_clock(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    before, after = say(0.2, "before", 1.0), say(0.2, "after", 1.0)

    async def source() -> AsyncIterator[bytes]:
        yield before.audio
        await trio.sleep(300.0)
        yield after.audio

    session = await listen(before + after, source())
    session.assert_whole()
    (visit,) = gateway.visits
    assert 300 / 10 < visit.kinds("client").count("KeepAlive") <= 300 / 4
    assert visit.heard == session.speech.seconds


@pytest.mark.parametrize("fault", [Drop(), Close(1011, "NET-0001")])
async def test_a_drop_while_muted(gateway: ScriptedGateway, listen: Listen, fault: Step) -> None:
    before, after = say(0.2, "before", 0.1), say(0.2, "after", 1.0)
    gateway.plan(Lapse(60.0), fault)

    async def source() -> AsyncIterator[bytes]:
        yield before.audio
        await trio.sleep(120.0)
        yield after.audio

    session = await listen(before + after, source())
    session.assert_whole()
    assert session.at(ts.LinkLost) == session.at(ts.Resumed) == [pytest.approx(60.0)]


OPTIONS = {"vad_events": True, "utterance_end_ms": 1_000, "endpointing": 300, "smart_format": True}


@pytest.mark.parametrize("options", [OPTIONS, OPTIONS | {"endpointing": False}], ids=["endpointing", "none"])
async def test_speech_starts_and_ends_once_each_way(
    gateway: ScriptedGateway, listen: Listen, options: dict[str, Any]
) -> None:
    spoken = say(0.3, "this is one utterance", 1.6, "here is another", 1.6)
    gateway.plan(MidWord(2), Drop(), Await("final"), Lapse(0.4), Drop())
    session = await listen(spoken, asking={"options": options})
    session.assert_whole()
    assert [type(event) for event in session.of(ts.SpeechStarted, ts.SpeechEnded)] == [
        ts.SpeechStarted,
        ts.SpeechEnded,
    ] * 2
    starts = [event.start for event in session.of(ts.SpeechStarted)]
    assert starts == [final.start for final in session.of(ts.FinalTranscript)]
    kinds = gateway.visits[-1].kinds("gateway")
    assert "SpeechStarted" in kinds
    assert "UtteranceEnd" in kinds


@pytest.mark.parametrize(
    "longest",
    [0.1, 0.7],
)
async def test_an_utterance_whose_end_was_not_told_before_the_drop_ends_all_the_same(
    gateway: ScriptedGateway, listen: Listen, longest: float
) -> None:
    gateway.manner = Manner(longest=longest)
    gateway.plan(Await("final"), Drop())
    session = await listen(say(0.3, "turn left", 2.0, "again", 1.0))
    session.assert_whole()
    assert [type(event) for event in session.of(ts.SpeechStarted, ts.SpeechEnded)] == [
        ts.SpeechStarted,
        ts.SpeechEnded,
    ] * 2


async def test_a_file_is_sent_faster_than_the_service_hears_it(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.manner = Manner(pace=1.25)
    spoken = say(0.3, "turn left", 4.0, "now", 1.0)
    session = await listen(spoken, spoken.source(speed=None))
    session.assert_whole()
