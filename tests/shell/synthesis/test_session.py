"""Whole syntheses against the scripted gateway, whose audio carries the words: none may be lost or come twice."""

# ruff: noqa: PT012  # what is left by an exception is a block

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import wait_all_tasks_blocked

import trio_speech as ts
from trio_speech._core.provider.profile import TtsProfile
from trio_speech._core.synthesis.session import BUFFER
from trio_speech._shell.synthesis.channel import BACKLOG
from trio_speech.testing import (
    Await,
    BlackHole,
    Close,
    CloseSession,
    Delay,
    Delivery,
    Drop,
    Fault,
    Fin,
    Freeze,
    Garble,
    Hang,
    InBandError,
    Lapse,
    NeverAnswer,
    Outage,
    Refuse,
    Restart,
    ScriptedGateway,
    Send,
    Speak,
    Step,
    TearFrame,
    Trigger,
    assert_spoken_once,
    hear,
)
from trio_speech.testing.scripted.faults import Moment

FORMAT = ts.AudioFormat.pcm16(8_000)
TEXT = "Dr. Smith saw a cat. Was it yours? No, ours is at home."

ALIGNED = Delivery()
RESTLESS = Delivery(variation=0.4)
SPELT = Delivery(alignment="chars")
STEADY = Delivery(alignment=None)
BARE = Delivery(alignment=None, variation=0.4)
SPEED = 2.0
SLOW = Delivery(speed=SPEED, latency=0.3)
EARLY = Delivery(aligns="before", variation=0.4)
TWICE_DONE = Delivery(done="text", variation=0.4)

Say = Callable[..., Awaitable["Said"]]


class Said:
    """What one synthesis gave."""

    def __init__(self, speech: ts.Speech, chunks: list[ts.AudioChunk], seconds: float) -> None:
        self.speech = speech
        self.chunks = chunks
        self.seconds = seconds

    def assert_once(self, text: str = TEXT) -> None:
        assert_spoken_once(self.chunks, text, FORMAT.sample_rate)
        assert self.speech.spoken() == text
        statistics = self.speech.statistics()
        audio = sum(len(chunk.audio) for chunk in self.chunks)
        assert statistics.handed_over == pytest.approx(audio / 2 / FORMAT.sample_rate)
        assert statistics.buffered == 0.0


@pytest.fixture
def say(gateway: ScriptedGateway) -> Say:
    """Speaks a text to its end; policies go to the client."""

    async def run(
        text: Any = TEXT, *, delivery: Delivery = ALIGNED, resume: Any = "word", tts: Any = None, **policies: Any
    ) -> Said:
        gateway.delivery = delivery
        began = trio.current_time()
        async with ts.open_client(gateway.backend(tts=tts), **policies) as client:
            async with client.synthesize(text, audio_format=FORMAT, resume=resume) as speech:
                chunks = [chunk async for chunk in speech]
            took = trio.current_time() - began
        assert [visit.complaints for visit in gateway.visits if visit.complaints] == []
        return Said(speech, chunks, took)

    return run


# ---------------------------------------------------------------- every end of a link, in every phase, with every voice

ENDS: list[Fault | tuple[Step, ...]] = [
    Drop(),
    Fin(),
    Close(1011),
    Close(1001),
    Close(1000, lingers=60.0),
    BlackHole(),
    Hang(),
    TearFrame(),
    Garble("json"),
    Garble("types"),
    InBandError(),
    InBandError(503),
    CloseSession(),
    Outage(1.0),
    Outage(3.0, silent=True),
    Restart(0.5),
    (Drop(), Refuse(503, retry_after=2.0)),
    (Drop(), NeverAnswer()),
    (Freeze(30.0), Lapse(60.0)),
]
PHASES: list[Trigger] = [
    Await("create"),
    Await("text"),
    Await("flush"),
    Speak(0.35),
    Speak(1.0),
    Speak(1.2),
    Await("alignment", 2),
    Await("done"),
    Await("text", 2),
    Await("done", 3),
]
VOICES = {
    "aligned": ALIGNED,
    "restless": RESTLESS,
    "spelled": SPELT,
    "steady": STEADY,
    "bare": BARE,
    "slow": SLOW,
    "early": EARLY,
    "twice done": TWICE_DONE,
}


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("phase", PHASES, ids=str)
async def test_every_end_of_a_link_in_every_phase(
    gateway: ScriptedGateway, say: Say, phase: Trigger, voice: str
) -> None:
    first = (PHASES.index(phase) + list(VOICES).index(voice)) % 4
    for end in ENDS[first::4]:  # each pair of an end and a phase comes with some voices, and each of a voice likewise
        gateway.plan(phase, *(end if isinstance(end, tuple) else (end,)))
        said = await say(delivery=VOICES[voice])
        said.assert_once()
        assert said.seconds < 75.0


@pytest.mark.parametrize("voice", VOICES)
async def test_drop_after_drop(gateway: ScriptedGateway, say: Say, voice: str) -> None:
    gateway.plan(*(step for at in range(1, 12) for step in (Speak(0.17 * at), Drop())))
    said = await say(delivery=VOICES[voice])
    said.assert_once()
    assert said.speech.statistics().drops >= 5


MOMENTS: tuple[Moment, ...] = ("create", "text", "flush", "alignment", "done")


def random_plan(random: Random, acts: int) -> list[Step]:
    plan: list[Step] = []
    for _ in range(acts):
        triggers: list[Trigger] = [Speak(random.uniform(0.0, 2.0)), Await(random.choice(MOMENTS), random.randint(1, 4))]
        plan.append(random.choice(triggers))
        end = random.choice(ENDS)
        plan += end if isinstance(end, tuple) else [end]
    return plan


@pytest.mark.parametrize("seed", range(40))
async def test_any_history(gateway: ScriptedGateway, say: Say, seed: int) -> None:
    random = Random(seed)
    gateway.plan(*random_plan(random, 8))
    gateway.connect_time = random.choice([0.0, 0.2])
    said = await say(
        tokens(TEXT, random.choice([0.0, 0.05])),
        delivery=random.choice(list(VOICES.values())),
        resume=random.choice(["word", "segment"]),
        retry=ts.RetryPolicy(deadline=None),
    )
    said.assert_once()


@pytest.mark.parametrize("seed", range(5))
async def test_many_sessions_share_few_connections(gateway: ScriptedGateway, seed: int) -> None:
    random = Random(seed)
    gateway.plan(*random_plan(random, 25))
    gateway.delivery = Delivery(variation=0.4, latency=0.1, speed=3.0)
    gateway.connect_time = 0.1

    async def session(client: ts.Client, number: int) -> None:
        text = f"This is session {number}. It says a little. Now it is done with that."
        async with client.synthesize(tokens(text, 0.01), audio_format=FORMAT) as speech:
            chunks = [chunk async for chunk in speech]
        assert_spoken_once(chunks, text, FORMAT.sample_rate)

    policy = ts.PoolPolicy(max_size=3, acquire_timeout=1_000.0, min_idle=1)
    async with gateway.client(pool=policy, retry=ts.RetryPolicy(deadline=None)) as client:
        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(session, client, number)
        assert client.statistics().waiting == client.statistics().leased == 0
    assert [visit.complaints for visit in gateway.visits if visit.complaints] == []


async def test_half_open_in_mid_audio_is_found_within_a_second(gateway: ScriptedGateway, say: Say) -> None:
    gateway.plan(Speak(0.35), BlackHole())
    said = await say()
    said.assert_once()
    assert said.seconds < 1.2


@pytest.mark.parametrize("idle", [0.5, 4.0, 9.0])
async def test_a_pooled_connection_that_died_unnoticed_costs_half_a_second(
    gateway: ScriptedGateway, idle: float
) -> None:
    gateway.plan(Await("done"), BlackHole())
    async with gateway.client() as client:
        await client.render("Hello.", audio_format=FORMAT)
        await trio.sleep(idle)
        asked = trio.current_time()
        async with client.synthesize("Here again.", audio_format=FORMAT) as speech:
            async for _ in speech:
                break
        assert trio.current_time() - asked <= 0.5


async def test_a_mute_service_is_left_after_the_receive_timeout(gateway: ScriptedGateway, say: Say) -> None:
    gateway.plan(Await("text"), Delay(1_000.0), Lapse(2_000.0))
    said = await say(tts=TtsProfile(aligned=True, receive_timeout=7.0))
    said.assert_once()
    assert said.seconds == pytest.approx(7.0, abs=0.2)


@pytest.mark.parametrize("delivery", [ALIGNED, STEADY, BARE, SLOW])
async def test_a_voice_that_hangs_in_mid_sentence_is_left_within_three_seconds(
    gateway: ScriptedGateway, say: Say, delivery: Delivery
) -> None:
    gateway.plan(Speak(0.6), Hang())
    said = await say(delivery=delivery)
    said.assert_once()
    first, second = gateway.visits
    assert second.dialed - first.struck[0][0] == pytest.approx(2.5, abs=0.1)


# ---------------------------------------------------------------- the modes


@pytest.mark.parametrize(
    ("delivery", "asked", "mode"),
    [(ALIGNED, "word", "word"), (STEADY, "word", "word"), (BARE, "word", "segment"), (ALIGNED, "segment", "segment")],
)
async def test_the_mode_is_known_before_the_first_sample(
    gateway: ScriptedGateway, delivery: Delivery, asked: Any, mode: str
) -> None:
    gateway.delivery = delivery
    async with gateway.client() as client, client.synthesize(resume=asked) as speech:
        assert speech.resume_mode == mode


async def test_resume_segment_hands_over_whole_sentences(gateway: ScriptedGateway, say: Say) -> None:
    gateway.plan(Speak(1.0), Drop())
    said = await say(resume="segment", delivery=RESTLESS)
    said.assert_once()
    assert [chunk.segment for chunk in said.chunks] == [0, 1, 2]
    assert [len(chunk.words) for chunk in said.chunks] == [5, 3, 5]


async def test_restart_says_where_the_text_begins_again(gateway: ScriptedGateway, say: Say) -> None:
    gateway.plan(Speak(1.2), Drop())
    said = await say(resume="restart", delivery=SLOW)
    (again,) = (at for at, chunk in enumerate(said.chunks) if chunk.restart)
    assert said.chunks[again].segment == 0
    audio = b"".join(chunk.audio for chunk in said.chunks[again:])
    assert " ".join(word.token for word in hear(audio)) == TEXT
    assert said.speech.spoken() == TEXT
    assert said.speech.statistics().restarts == 1


async def test_resume_never_fails_and_spoken_tells_what_was_handed_over(gateway: ScriptedGateway) -> None:
    gateway.delivery = SLOW
    gateway.plan(Speak(1.8), Close(1011))
    with pytest.raises(ts.LinkError, match="closed by the service with code 1011") as raised:
        async with gateway.client() as client, client.synthesize(TEXT, audio_format=FORMAT, resume="never") as speech:
            async for _ in speech:
                pass
    assert isinstance(raised.value.__cause__, ts.ProviderError)
    assert raised.value.__cause__.retryable
    assert speech.spoken() == "Dr. Smith saw a cat. Was it"


async def test_resume_never_repeats_a_segment_without_released_audio(gateway: ScriptedGateway, say: Say) -> None:
    gateway.plan(Await("text"), Drop())
    (await say(resume="never")).assert_once()


async def test_restarts_refill_no_retry_budget(gateway: ScriptedGateway) -> None:
    gateway.plan(*(step for _ in range(50) for step in (Speak(0.2), Drop())))
    with pytest.raises(ts.RetriesExhausted) as raised:
        async with (
            gateway.client(retry=ts.RetryPolicy(max_attempts=4)) as client,
            client.synthesize(TEXT, audio_format=FORMAT, resume="restart") as speech,
        ):
            async for _ in speech:
                pass
    assert raised.value.attempts == 4


# ---------------------------------------------------------------- text


async def tokens(text: str, pause: float = 0.0) -> AsyncIterator[str]:
    for at in range(0, len(text), 3):
        await trio.sleep(pause)
        yield text[at : at + 3]


def pieces(text: str) -> Iterator[str]:
    yield from text


class Pieces:
    """An async iterable that cannot be closed."""

    def __init__(self, text: str) -> None:
        self._rest = list(text)

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> str:
        await trio.lowlevel.checkpoint()
        if not self._rest:
            raise StopAsyncIteration
        return self._rest.pop(0)


@pytest.mark.parametrize(
    "source", [TEXT, [TEXT], pieces(TEXT), tokens(TEXT), tokens(TEXT, 30.0), Pieces(TEXT)], ids=str
)
async def test_text_in_all_its_forms(gateway: ScriptedGateway, say: Say, source: Any) -> None:
    gateway.plan(Speak(1.0), Drop())
    said = await say(source)
    said.assert_once()
    texts = [text for visit in gateway.visits for text in visit.texts]
    assert texts == ["Dr. Smith saw a cat. ", "Dr. Smith saw a cat. ", "Was it yours? ", "No, ours is at home. "]


@pytest.mark.parametrize("text", ["", "  \n", []])
async def test_empty_text_asks_for_nothing(gateway: ScriptedGateway, say: Say, text: Any) -> None:
    said = await say(text)
    assert said.chunks == []
    assert gateway.visits == []


async def test_a_long_text_is_taken_in_piece_by_piece(gateway: ScriptedGateway) -> None:
    sentence = "All is well that ends. "
    text = sentence * (3 * BACKLOG // len(sentence))
    gateway.plan(NeverAnswer())
    async with (
        gateway.client() as client,
        client.synthesize(audio_format=FORMAT) as speech,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(speech.send, text)
        await wait_all_tasks_blocked()
        assert speech.statistics().segments * len(sentence) < 1.5 * BACKLOG
        nursery.cancel_scope.cancel()


async def test_push_style(gateway: ScriptedGateway) -> None:
    chunks: list[ts.AudioChunk] = []

    async def play(speech: ts.Speech) -> None:
        chunks.extend([chunk async for chunk in speech])

    async with (
        gateway.client() as client,
        client.synthesize(audio_format=FORMAT) as speech,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(play, speech)
        await speech.send("Hello")
        await speech.send(" there, Dr.")
        await trio.sleep(60.0)
        assert chunks == []
        speech.flush()
        await trio.sleep(1.0)
        assert speech.spoken() == "Hello there, Dr."
        await trio.sleep(60.0)
        await speech.send("Smith.")
        speech.end_input()
        speech.end_input()
    assert_spoken_once(chunks, "Hello there, Dr. Smith.", FORMAT.sample_rate)
    assert [visit.texts for visit in gateway.visits] == [["Hello there, Dr. ", "Smith. "]]


async def test_text_after_the_end_is_refused(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.synthesize() as speech:
        speech.end_input()
        with pytest.raises(trio.ClosedResourceError):
            await speech.send("Too late.")
        with pytest.raises(trio.ClosedResourceError):
            speech.flush()
    with pytest.raises(trio.ClosedResourceError):
        await speech.send("Much too late.")
    with pytest.raises(trio.ClosedResourceError):
        speech.clear()
    with pytest.raises(trio.ClosedResourceError):
        await anext(speech)
    with pytest.raises(trio.ClosedResourceError):
        speech.flush()
    speech.end_input()
    assert speech.spoken() == await trio.to_thread.run_sync(speech.spoken) == ""
    assert await trio.to_thread.run_sync(speech.statistics) == speech.statistics()


async def test_a_session_with_its_own_text_takes_no_other(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.synthesize(TEXT) as speech:
        with pytest.raises(ts.ConfigurationError, match="leave `text` out"):
            await speech.send("More.")


@pytest.mark.parametrize("text", [b"bytes", 7])
async def test_text_of_another_type_is_refused(gateway: ScriptedGateway, text: Any) -> None:
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match="text must be a string"):
            await client.render(text)


async def test_from_another_thread_no_speech_is_touched(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.synthesize() as speech:
        await speech.send("One.")
        for call in (speech.flush, speech.clear, speech.end_input):
            with pytest.raises(RuntimeError, match=r"trio\.from_thread\.run_sync"):
                await trio.to_thread.run_sync(call)
        await speech.send(" Two.")


@pytest.mark.parametrize("at", [math.nan, -math.inf, math.inf, "1.0", b"1", [1.0], 1j])
async def test_spoken_refuses_positions_that_are_no_seconds(gateway: ScriptedGateway, at: Any) -> None:
    async with gateway.client() as client, client.synthesize("One two.") as speech:
        with pytest.raises(ts.ConfigurationError, match="must be a number of seconds"):
            speech.spoken(at)
        assert speech.spoken(-1) == speech.spoken(0.0) == ""


async def test_a_source_of_bytes_ends_the_session_with_a_type_error(gateway: ScriptedGateway) -> None:
    with pytest.raises(TypeError, match="not bytes"):
        async with gateway.client() as client:
            await client.render([b"bytes"])  # type: ignore[list-item]


async def test_unknown_modes_and_single_fallbacks_are_refused(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match="one of word, segment, restart, never"):
            async with client.synthesize(resume="sometimes"):  # type: ignore[arg-type]
                pass
        with pytest.raises(
            ts.ConfigurationError, match="gateway_fallback must be a list, not the single string 'rime/coda'"
        ):
            async with client.synthesize(gateway_fallback="rime/coda"):
                pass
        with pytest.raises(ts.ConfigurationError, match="voice must be a str or None, not int"):
            async with client.synthesize("Hello.", voice=5):  # type: ignore[arg-type]
                pass


async def test_ending_the_input_stops_the_source(gateway: ScriptedGateway) -> None:
    text = "One. Two. " * 9
    async with gateway.client() as client, client.synthesize(tokens(text, 1.0), audio_format=FORMAT) as speech:
        chunks = [await anext(speech)]
        speech.end_input()
        chunks += [chunk async for chunk in speech]
    assert len(speech.spoken()) > 8
    assert text.startswith(speech.spoken())
    assert_spoken_once(chunks, speech.spoken(), FORMAT.sample_rate)


# ---------------------------------------------------------------- the user's side


async def test_a_slow_user_makes_no_link_look_ill(gateway: ScriptedGateway) -> None:
    gateway.delivery = Delivery(variation=0.2)
    text = " ".join(f"This is sentence {number}." for number in range(40))
    chunks: list[ts.AudioChunk] = []
    async with gateway.client() as client, client.synthesize(text, audio_format=FORMAT) as speech:
        async for chunk in speech:
            chunks.append(chunk)
            assert speech.statistics().buffered < BUFFER + 3.0
            await trio.sleep(5.0)
    assert_spoken_once(chunks, text, FORMAT.sample_rate)
    assert speech.statistics().drops == 0
    assert speech.statistics().characters_repeated == 0


async def test_between_sentences_there_is_no_more_than_the_service_s_own_delay(gateway: ScriptedGateway) -> None:
    gateway.delivery = SLOW
    async with ts.open_client(gateway.backend()) as client, client.synthesize(TEXT, audio_format=FORMAT) as speech:
        came = [(trio.current_time(), chunk.segment) async for chunk in speech]
    pauses = [second - first for (first, one), (second, other) in pairwise(came) if one != other]
    assert pauses
    assert max(pauses) <= SLOW.latency + SLOW.chunk / SPEED + 1e-6


async def test_the_next_sentence_is_made_while_this_one_plays(gateway: ScriptedGateway) -> None:
    gateway.delivery = SLOW
    waited: list[float] = []
    async with ts.open_client(gateway.backend()) as client, client.synthesize(TEXT, audio_format=FORMAT) as speech:
        asked = trio.current_time()
        async for chunk in speech:
            waited.append(trio.current_time() - asked)
            await trio.sleep(len(chunk.audio) / 2 / FORMAT.sample_rate)
            asked = trio.current_time()
    first, *others = waited
    assert first >= SLOW.latency
    assert max(others) < 1e-6


async def test_a_second_task_that_iterates_is_busy(gateway: ScriptedGateway) -> None:
    async with (
        gateway.client() as client,
        client.synthesize() as speech,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(anext, speech)
        await wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await anext(speech)
        nursery.cancel_scope.cancel()


async def test_a_cancelled_wait_loses_no_audio(gateway: ScriptedGateway) -> None:
    gateway.delivery = SLOW
    chunks: list[ts.AudioChunk] = []
    async with gateway.client() as client, client.synthesize(TEXT, audio_format=FORMAT) as speech:
        while speech.spoken() != TEXT:
            with trio.move_on_after(0.01):
                chunks.append(await anext(speech))
    assert_spoken_once(chunks, TEXT, FORMAT.sample_rate)


async def test_every_call_is_a_checkpoint(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.synthesize(audio_format=FORMAT) as speech:
        with trio.testing.assert_checkpoints():
            await speech.send("Hello there. You.")
        speech.flush()
        await trio.sleep(1.0)
        with trio.testing.assert_checkpoints():
            await anext(speech)


# ---------------------------------------------------------------- barge-in


async def test_clear_drops_what_is_under_way_and_keeps_the_session(gateway: ScriptedGateway) -> None:
    gateway.delivery = SLOW
    async with gateway.client() as client, client.synthesize(audio_format=FORMAT) as speech:
        await speech.send("This will be cut short here. And this is never said.")
        speech.flush()
        before = [await anext(speech)]
        while len(speech.spoken().split()) < 2:
            before.append(await anext(speech))
        heard = hear(b"".join(chunk.audio for chunk in before))
        whole = " ".join(word.text for word in heard if not word.token.endswith("-"))
        assert (speech.clear(), speech.spoken()) == (whole, whole)
        await speech.send("Sorry, go on.")
        speech.end_input()
        after = [chunk async for chunk in speech]
    assert speech.spoken() == f"{whole} Sorry, go on."
    assert " ".join(word.token for word in hear(b"".join(chunk.audio for chunk in after))) == "Sorry, go on."
    assert [chunk.segment for chunk in after] == [2] * len(after)
    assert "And this is never said. " not in [text for visit in gateway.visits for text in visit.texts]


async def test_clear_and_speak_again_before_the_link_has_noticed(gateway: ScriptedGateway) -> None:
    gateway.delivery = SLOW
    async with gateway.client() as client, client.synthesize(audio_format=FORMAT) as speech:
        for _ in range(5):
            await speech.send("Never mind this.")
            speech.flush()
            await trio.sleep(0.4)
            speech.clear()
            await speech.send("Nor that.")
            speech.flush()
            speech.clear()
        await speech.send("But this.")
        speech.end_input()
        chunks = [chunk async for chunk in speech]
    assert_spoken_once(chunks, "But this.", FORMAT.sample_rate)
    assert speech.statistics().drops == 0


async def test_clear_frees_a_send_that_waits(gateway: ScriptedGateway) -> None:
    sentence = "All is well that ends. "
    text = sentence * (3 * BACKLOG // len(sentence))
    async with (
        gateway.client() as client,
        client.synthesize(audio_format=FORMAT) as speech,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(speech.send, text)
        await trio.sleep(1.0)
        speech.clear()
        await wait_all_tasks_blocked()
        assert not nursery.child_tasks
        segments = speech.statistics().segments
        assert segments * len(sentence) < len(text) / 2
        speech.end_input()
        assert [chunk async for chunk in speech] == []


async def test_a_cleared_connection_is_drained_and_used_again(gateway: ScriptedGateway) -> None:
    gateway.delivery = Delivery(latency=0.1)
    gateway.connect_time = 0.5
    async with gateway.client() as client, client.synthesize(audio_format=FORMAT) as speech:
        await speech.send("Never mind.")
        speech.flush()
        await trio.sleep(0.55)
        speech.clear()
        assert client.statistics().draining == 0
        await wait_all_tasks_blocked()
        assert client.statistics().draining == 1
        await trio.sleep(0.2)
        assert client.statistics().idle == client.statistics().drained == 1
        await speech.send("Now then.")
        speech.end_input()
        chunks = [chunk async for chunk in speech]
    assert_spoken_once(chunks, "Now then.", FORMAT.sample_rate)
    assert len(gateway.visits) == 1


# ---------------------------------------------------------------- asked for at once


async def test_an_idle_connection_is_asked_before_the_block_is_entered(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        await client.prewarm(audio_format=FORMAT)
        with trio.testing.assert_no_checkpoints():
            session = client.synthesize(TEXT, audio_format=FORMAT)
            speech = await session.__aenter__()
        assert (client.statistics().leased, speech.statistics().requests) == (1, 1)
        chunks = [chunk async for chunk in speech]
        await session.__aexit__(None, None, None)
        assert client.statistics().idle == client.statistics().dialed == 1
    assert_spoken_once(chunks, TEXT, FORMAT.sample_rate)


async def test_text_that_is_pushed_is_asked_for_at_once_too(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.synthesize(audio_format=FORMAT) as speech:
        await client.prewarm(audio_format=FORMAT)
        await speech.send("One. Two. Three")
        assert speech.statistics().requests == 1
        speech.flush()
        speech.end_input()
        chunks = [chunk async for chunk in speech]
    assert_spoken_once(chunks, "One. Two. Three", FORMAT.sample_rate)
    assert len(gateway.visits) == 1


async def test_where_none_is_idle_entering_dials_nothing_yet(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.synthesize(TEXT, audio_format=FORMAT) as speech:
        assert (client.statistics().dialing, speech.statistics().requests) == (0, 0)
        await trio.sleep(1.0)
        assert speech.statistics().requests > 0


async def test_nothing_is_asked_for_out_of_turn_while_a_retry_is_not_due(gateway: ScriptedGateway) -> None:
    gateway.plan(Refuse(503, retry_after=5.0))
    async with gateway.client() as client, client.synthesize(audio_format=FORMAT) as speech:
        await speech.send("One. Two three")
        await trio.sleep(1.0)
        await client.prewarm(audio_format=FORMAT)
        speech.flush()
        assert (client.statistics().idle, speech.statistics().requests) == (1, 0)
        await trio.sleep(3.9)
        assert speech.statistics().requests == 0
        await trio.sleep(0.2)
        assert speech.statistics().requests > 0


async def test_a_session_left_at_once_leaves_nothing_leased(gateway: ScriptedGateway) -> None:
    gateway.connect_time = 0.5
    async with gateway.client() as client:
        await client.prewarm(audio_format=FORMAT)
        async with client.synthesize(TEXT, audio_format=FORMAT) as speech:
            assert speech.statistics().requests == 1
        assert (client.statistics().leased, client.statistics().draining) == (0, 1)


async def test_a_flush_while_the_block_is_cancelled_leaves_nothing_leased(gateway: ScriptedGateway) -> None:
    gateway.connect_time = 0.5
    async with gateway.client() as client:
        await client.prewarm(audio_format=FORMAT)
        with trio.CancelScope() as scope:
            async with client.synthesize(audio_format=FORMAT) as speech:
                await speech.send("One")
                await wait_all_tasks_blocked()
                scope.cancel()
                speech.flush()
                assert client.statistics().leased == 1
        assert (client.statistics().leased, client.statistics().draining) == (0, 1)


async def test_a_flush_after_the_block_was_cancelled_leases_nothing(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        await client.prewarm(audio_format=FORMAT)
        with trio.CancelScope() as scope:
            async with client.synthesize(audio_format=FORMAT) as speech:
                await speech.send("One")
                scope.cancel()
                with trio.CancelScope(shield=True):
                    await wait_all_tasks_blocked()
                speech.flush()
                assert (client.statistics().idle, client.statistics().leased) == (1, 0)


async def test_asking_and_clearing_in_turn_holds_at_most_one_connection(gateway: ScriptedGateway) -> None:
    gateway.connect_time = 0.5
    async with gateway.client() as client:
        await client.prewarm(5, audio_format=FORMAT)
        async with client.synthesize(audio_format=FORMAT) as speech:
            for _ in range(20):
                await speech.send("Never mind")
                await trio.sleep(1.0)
                speech.flush()
                speech.clear()
                await speech.send("Nor this. Nor that")
                assert client.statistics().leased <= 1
                speech.clear()
        assert client.statistics().leased == 0


async def test_a_session_that_failed_asks_for_nothing_more(gateway: ScriptedGateway) -> None:
    gateway.plan(Refuse(401))
    async with gateway.client() as client:
        with pytest.raises(ts.AuthenticationError):
            async with client.synthesize(audio_format=FORMAT) as speech:
                await speech.send("One. Two three")
                try:
                    await trio.sleep_forever()
                finally:
                    with trio.CancelScope(shield=True):
                        await client.prewarm(audio_format=FORMAT)
                    speech.flush()
                    assert (client.statistics().idle, client.statistics().leased) == (1, 0)


# ---------------------------------------------------------------- leaving, and what ends a session


STUCK: dict[str, tuple[Step, ...]] = {
    "well": (),
    "no answer": (NeverAnswer(),),
    "half open": (Await("text"), BlackHole()),
    "an outage": (Outage(1_000.0, silent=True),),
    "refused": (Refuse(503, retry_after=100.0),),
}


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("how", STUCK)
async def test_leaving_early_takes_no_longer_than_close_timeout(
    gateway: ScriptedGateway, how: str, ended: bool
) -> None:
    gateway.delivery = SLOW
    gateway.plan(*STUCK[how])
    async with gateway.client(liveness=ts.LivenessPolicy(close_timeout=1.5)) as client:
        async with client.synthesize(audio_format=FORMAT) as speech:
            await speech.send("One. Two. Three.")
            speech.flush()
            if ended:
                speech.end_input()
            await trio.sleep(0.6)
            leaving = trio.current_time()
        assert trio.current_time() - leaving <= 1.5
        leaving = trio.current_time()
    assert trio.current_time() - leaving <= 1.5


async def test_a_failing_source_ends_the_session_bare(gateway: ScriptedGateway) -> None:
    async def failing() -> AsyncIterator[str]:
        yield "Hello. "
        await trio.sleep(1.0)
        raise LookupError("no more tokens")

    with pytest.raises(LookupError, match="no more tokens"):
        async with gateway.client() as client, client.synthesize(failing()) as speech:
            async for _ in speech:
                pass


async def test_a_source_that_raises_closed_resource_error_fails_the_session(gateway: ScriptedGateway) -> None:
    async def closed() -> AsyncIterator[str]:
        yield "Hello. "
        raise trio.ClosedResourceError

    with pytest.raises(trio.ClosedResourceError):
        async with gateway.client() as client, client.synthesize(closed()) as speech:
            async for _ in speech:
                pass


async def test_a_source_is_closed_with_the_block(gateway: ScriptedGateway) -> None:
    closed = []

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                await trio.sleep(0.1)
                yield "word "
        finally:
            closed.append(True)

    async with gateway.client() as client, client.synthesize(endless()):
        await trio.sleep(1.0)
    assert closed == [True]


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Refuse(401), ts.AuthenticationError),
        (Refuse(404), ts.ProviderError),
        (InBandError(400), ts.ProviderError),
        (Close(1008), ts.ProviderError),
    ],
)
async def test_permanent_refusals_are_raised_at_once(
    gateway: ScriptedGateway, step: Step, error: type[ts.SpeechError]
) -> None:
    gateway.plan(*([step] if isinstance(step, Refuse) else [Await("flush"), step]))
    with pytest.raises(error):
        async with gateway.client() as client:
            await client.render(TEXT, audio_format=FORMAT)
    assert len(gateway.visits) == 1


@pytest.mark.parametrize("step", [InBandError(400), CloseSession()])
async def test_a_connection_that_ends_after_all_was_said_fails_no_session(gateway: ScriptedGateway, step: Step) -> None:
    gateway.plan(*(each for _ in range(10) for each in (Await("done"), step)))
    async with gateway.client(retry=ts.RetryPolicy(max_attempts=0)) as client:
        async with client.synthesize(audio_format=FORMAT) as speech:
            for _ in range(5):  # it comes before the lease has ended, or after
                await speech.send("Hello there.")
                speech.flush()
                await anext(speech)
                await wait_all_tasks_blocked()
            speech.end_input()
            assert [chunk async for chunk in speech]
        for _ in range(5):
            clip = await client.render("Hello there.", audio_format=FORMAT)
            assert [word.token for word in hear(clip.audio)] == ["Hello", "there."]
    assert speech.spoken() == " ".join(["Hello there."] * 5)
    assert len(gateway.visits) == 10


async def test_sessions_that_wait_for_a_full_pool_outlast_an_outage(gateway: ScriptedGateway) -> None:
    async def say() -> None:
        clip = await client.render(TEXT, audio_format=FORMAT)
        assert " ".join(word.token for word in hear(clip.audio)) == TEXT

    async with gateway.client(pool=ts.PoolPolicy(max_size=1)) as client, trio.open_nursery() as nursery:
        await gateway.fail(Outage(60.0, silent=True))
        for _ in range(5):
            nursery.start_soon(say)


async def test_the_retry_budget_ends_in_retries_exhausted(gateway: ScriptedGateway) -> None:
    gateway.plan(*(step for _ in range(99) for step in (Await("create"), Close(1011))))
    with pytest.raises(ts.RetriesExhausted) as raised:
        async with gateway.client(retry=ts.RetryPolicy(max_attempts=5)) as client:
            await client.render(TEXT, audio_format=FORMAT)
    assert raised.value.attempts == 5
    assert isinstance(raised.value.__cause__, ts.ProviderError)
    assert len(gateway.visits) == 6


async def test_progress_refills_the_retry_budget(gateway: ScriptedGateway, say: Say) -> None:
    gateway.plan(*(step for at in range(6) for step in (Speak(0.4 + 0.3 * at), Drop())))
    said = await say(retry=ts.RetryPolicy(max_attempts=1), delivery=SLOW)
    said.assert_once()
    assert said.speech.statistics().drops >= 4


async def test_the_first_audio_refills_the_retry_budget(gateway: ScriptedGateway, say: Say) -> None:
    gateway.plan(Refuse(503), Refuse(503), Speak(0.3), Drop())
    await say(TEXT, retry=ts.RetryPolicy(max_attempts=2))


async def test_segments_are_short_enough_for_every_backend(gateway: ScriptedGateway) -> None:
    short = gateway.backend(tts=TtsProfile(aligned=True, max_characters=20))
    async with ts.open_client([gateway.backend(), short]) as client:
        await client.render("This is a sentence of more than twenty characters.", audio_format=FORMAT)
        async with ts.open_client(gateway.backend()) as other:
            await other.render("This is a sentence of more than twenty characters.", audio_format=FORMAT)
    assert [len(visit.texts) for visit in gateway.visits] == [3, 1]


async def test_the_next_backend_serves_where_the_first_will_not(gateway: ScriptedGateway) -> None:
    gateway.plan(Refuse(401))
    async with ts.open_client([gateway.backend(), gateway.backend()]) as client:
        clip = await client.render(TEXT, audio_format=FORMAT)
    assert " ".join(word.token for word in hear(clip.audio)) == TEXT


# ---------------------------------------------------------------- connections


async def test_one_connection_serves_session_after_session(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        for _ in range(3):
            clip = await client.render(TEXT, audio_format=FORMAT)
            assert clip.duration > 2.0
            assert [word.text for word in clip.words] == TEXT.split()
            assert all(a.end <= b.start for a, b in pairwise(clip.words))
        assert client.statistics().dialed == 1
        assert client.statistics().reused >= 2
    assert len(gateway.visits) == 1
    assert gateway.visits[0].kinds("client").count("session.create") == 1


async def test_a_dead_idle_connection_is_noticed_at_once(gateway: ScriptedGateway) -> None:
    gateway.plan(Await("done", 3), Lapse(20.0), Close(1001))
    async with gateway.client() as client:
        await client.render(TEXT, audio_format=FORMAT)
        await trio.sleep(19.0)
        assert client.statistics().idle == 1
        await trio.sleep(2.0)
        assert (client.statistics().idle, client.statistics().dead_found) == (0, 1)
        await client.render(TEXT, audio_format=FORMAT)


async def test_a_connection_that_died_unnoticed_costs_no_attempt(gateway: ScriptedGateway) -> None:
    gateway.plan(Await("done", 3), Await("text"), Drop())
    async with gateway.client(retry=ts.RetryPolicy(max_attempts=0)) as client:
        await client.render(TEXT, audio_format=FORMAT)
        clip = await client.render(TEXT, audio_format=FORMAT)
    assert " ".join(word.token for word in hear(clip.audio)) == TEXT
    assert len(gateway.visits) == 2


async def test_all_idle_connections_may_have_died_unnoticed(gateway: ScriptedGateway) -> None:
    for _ in range(3):
        gateway.plan(Await("text"), Drop())
    async with gateway.client(retry=ts.RetryPolicy(max_attempts=0)) as client:
        await client.prewarm(3, audio_format=FORMAT)
        clip = await client.render(TEXT, audio_format=FORMAT)
    assert " ".join(word.token for word in hear(clip.audio)) == TEXT
    assert len(gateway.visits) == 4
    assert sum(bool(visit.texts) for visit in gateway.visits) == 2


async def test_a_reused_connection_that_answered_first_costs_an_attempt(gateway: ScriptedGateway) -> None:
    gateway.delivery = SLOW
    gateway.plan(Await("done", 3), Speak(0.5), Drop())
    with pytest.raises(ts.RetriesExhausted):
        async with gateway.client(retry=ts.RetryPolicy(max_attempts=0)) as client:
            await client.render(TEXT, audio_format=FORMAT)
            await client.render(TEXT, audio_format=FORMAT)


async def test_a_stale_connection_is_redialed_free_of_charge_once(gateway: ScriptedGateway) -> None:
    gateway.plan(Await("done", 3), Await("text"), Drop(), Await("text"), Drop())
    with pytest.raises(ts.RetriesExhausted):
        async with gateway.client(retry=ts.RetryPolicy(max_attempts=0)) as client:
            await client.render(TEXT, audio_format=FORMAT)
            await client.render(TEXT, audio_format=FORMAT)


async def test_unasked_audio_ends_an_idle_connection(gateway: ScriptedGateway) -> None:
    gateway.plan(Await("done", 3), Lapse(1.0), Send('{"type":"output_audio","audio":"AAAA"}'), Lapse(1_000.0))
    async with gateway.client() as client:
        await client.render(TEXT, audio_format=FORMAT)
        await trio.sleep(2.0)
        assert (client.statistics().idle, client.statistics().dead_found) == (0, 1)


async def test_a_speech_shows_its_contract_and_no_more(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.synthesize() as speech:
        assert {name for name in dir(speech) if not name.startswith("_")} == {
            "clear",
            "end_input",
            "flush",
            "resume",
            "resume_mode",
            "send",
            "spoken",
            "statistics",
        }
