"""What an agent asks of a reply: where it was broken off, when it is complete, what a failure leaves of it."""

# what is left by an exception is a block

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import trio_speech as ts
from trio_speech._shell.synthesis.channel import PAUSE
from trio_speech.testing import Await, Delivery, Drop, Refuse, ScriptedGateway, Speak, hear
from trio_speech.testing.scripted.synthesizer import ScriptedSynthesizer

FORMAT = ts.AudioFormat.pcm16(8_000)
TEXT = "Dr. Smith saw a cat. Was it yours? No, ours is at home."
BARE = Delivery(alignment=None, variation=0.4)


@pytest.fixture(autouse=True)
def _on_virtual_time(autojump_clock: MockClock) -> None:
    pass


# ---------------------------------------------------------------- barge-in


@pytest.mark.parametrize("delivery", [Delivery(), Delivery(alignment="chars"), BARE, Delivery(speed=2.0)])
async def test_clear_returns_the_words_that_the_player_had_played(gateway: ScriptedGateway, delivery: Delivery) -> None:
    gateway.delivery = delivery
    async with gateway.client() as client:
        for tenths in range(0, 40, 3):
            heard = tenths / 10
            async with client.synthesize(TEXT, audio_format=FORMAT) as speech:
                chunks = [chunk async for chunk in speech]
                audio = b"".join(chunk.audio for chunk in chunks)[: 2 * FORMAT.samples(heard)]
                whole = [word.text for word in hear(audio) if not word.token.endswith("-")]
                text = speech.clear(heard)
            assert text == speech.spoken() == speech.spoken(at=99.0)
            assert text == TEXT[: len(text)]
            if delivery is BARE:
                assert len(text.split()) <= len(whole)
            else:
                assert text.split() == whole


async def test_a_reply_after_a_cut_follows_what_was_heard(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.synthesize(audio_format=FORMAT) as speech:
        await speech.send("One two three four five.")
        speech.flush()
        first = [await anext(speech)]
        while not first[-1].ends_segment:
            first.append(await anext(speech))
        end = next(word.end for chunk in first for word in chunk.words if word.text == "two")
        assert speech.clear(heard=end) == "One two"
        await speech.send("Sorry, go on.")
        speech.end_input()
        second = [chunk async for chunk in speech]
        assert speech.spoken() == "One two Sorry, go on."
        assert second[0].start == pytest.approx(sum(len(chunk.audio) for chunk in first) / 2 / FORMAT.sample_rate)


@pytest.mark.parametrize("heard", [math.nan, math.inf, "1.0", [1.0]])
async def test_clear_refuses_positions_that_are_no_seconds(gateway: ScriptedGateway, heard: Any) -> None:
    async with gateway.client() as client, client.synthesize() as speech:
        with pytest.raises(ts.ConfigurationError, match="heard must be a number of seconds"):
            speech.clear(heard)


# ---------------------------------------------------------------- segments


@pytest.mark.parametrize("delivery", [Delivery(), BARE, Delivery(alignment=None), Delivery(speed=2.0)])
@pytest.mark.parametrize("resume", ["word", "segment", "never", "eager"])
async def test_the_last_chunk_of_each_segment_says_so(
    gateway: ScriptedGateway, delivery: Delivery, resume: Any
) -> None:
    gateway.delivery = delivery
    async with gateway.client() as client, client.synthesize(TEXT, audio_format=FORMAT, resume=resume) as speech:
        chunks = [chunk async for chunk in speech]
    ends = [at for at, chunk in enumerate(chunks) if chunk.ends_segment]
    assert [chunks[at].segment for at in ends] == sorted({chunk.segment for chunk in chunks})
    begins = [at for at in range(1, len(chunks)) if chunks[at].segment > chunks[at - 1].segment]
    assert [at + 1 for at in ends[:-1]] == begins


def muted(speak: Any) -> Any:
    """A voice that reports texts about quiet as complete, without any audio."""

    def spoken(self: ScriptedSynthesizer, text: str) -> Iterable[Any]:
        return () if "quiet" in text else speak(self, text)

    return spoken


async def test_a_sentence_that_two_connections_say_nothing_for_is_passed_over(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedSynthesizer, "speak", muted(ScriptedSynthesizer.speak))
    text = "Please hold. All is quiet now. Here I am again."
    async with gateway.client(retry=ts.RetryPolicy(max_attempts=0)) as client:
        began = trio.current_time()
        async with client.synthesize(text, audio_format=FORMAT) as speech:
            chunks = [chunk async for chunk in speech]
    assert trio.current_time() - began < 1.0
    spoken = " ".join(word.token for word in hear(b"".join(chunk.audio for chunk in chunks)))
    assert spoken == speech.spoken() == "Please hold. Here I am again."
    assert [visit.texts for visit in gateway.visits] == [
        ["Please hold. ", "All is quiet now. "],
        ["All is quiet now. ", "Here I am again. "],
    ]


async def test_dials_that_fail_after_a_silent_sentence_have_the_retry_budget(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedSynthesizer, "speak", muted(ScriptedSynthesizer.speak))
    gateway.plan(Await("done"), *[Refuse(503)] * 20)
    with pytest.raises(ts.RetriesExhausted) as raised:
        async with gateway.client(retry=ts.RetryPolicy(max_attempts=3)) as client:
            await client.render("All is quiet now.", audio_format=FORMAT)
    assert raised.value.attempts == 3
    assert len(gateway.visits) == 1 + 4


async def test_markup_alone_is_never_asked_for(gateway: ScriptedGateway) -> None:
    text = 'Please hold.\n\n<emotion value="content"/>\n\nThanks for waiting. <break time="1s"/>'
    async with gateway.client() as client:
        await client.render(text, audio_format=FORMAT)
        await client.render('<break time="1s"/>', audio_format=FORMAT)
    assert [asked.split() for visit in gateway.visits for asked in visit.texts] == [
        ["Please", "hold."],
        ["<emotion", 'value="content"/>', "Thanks", "for", "waiting.", "<break", 'time="1s"/>'],
    ]


# ---------------------------------------------------------------- the source


async def behind_a_tool_call(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text
        await trio.sleep(4.0)


async def test_a_complete_sentence_is_spoken_when_the_source_pauses(gateway: ScriptedGateway) -> None:
    source = behind_a_tool_call("Let me look that up.", " It is five.")
    async with gateway.client() as client:
        began = trio.current_time()
        async with client.synthesize(source, audio_format=FORMAT) as speech:
            await anext(speech)
            assert trio.current_time() - began == pytest.approx(PAUSE)
            async for _ in speech:
                pass
    assert speech.spoken() == "Let me look that up. It is five."


async def test_a_pause_in_mid_sentence_speaks_nothing(gateway: ScriptedGateway) -> None:
    source = behind_a_tool_call("Ask Dr.", " Smith", " about 3.", "14.")
    async with gateway.client() as client, client.synthesize(source, audio_format=FORMAT) as speech:
        async for _ in speech:
            pass
    assert [text for visit in gateway.visits for text in visit.texts] == ["Ask Dr. Smith about 3.14. "]


async def test_tokens_that_come_sooner_put_the_pause_off(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.synthesize(audio_format=FORMAT) as speech:
        for token in ("So.", "Ho.", "Net", "."):
            await speech.send(token)
            await trio.sleep(0.8 * PAUSE)
        assert speech.statistics().segments == 0
        await trio.sleep(0.3 * PAUSE)
        assert speech.statistics().segments == 1
        speech.end_input()


# ---------------------------------------------------------------- what a failure leaves


async def test_a_render_that_fails_carries_the_clip_so_far(gateway: ScriptedGateway) -> None:
    gateway.delivery = Delivery(speed=2.0)
    gateway.plan(Speak(1.8), Drop(), *(step for _ in range(9) for step in (Await("text"), Drop())))
    with pytest.raises(ts.RetriesExhausted) as raised:
        async with gateway.client(retry=ts.RetryPolicy(max_attempts=2)) as client:
            await client.render(TEXT, audio_format=FORMAT)
    clip = raised.value.partial
    assert isinstance(clip, ts.AudioClip)
    assert " ".join(word.text for word in clip.words) == "Dr. Smith saw a cat. Was it"
    assert " ".join(word.token for word in hear(clip.audio)).startswith("Dr. Smith saw a cat. Was it")


async def test_a_rendered_clip_has_no_torn_audio(gateway: ScriptedGateway) -> None:
    gateway.delivery = Delivery(speed=2.0, variation=0.4)
    gateway.plan(*(step for at in range(1, 9) for step in (Speak(0.17 * at), Drop())))
    async with gateway.client() as client:
        clip = await client.render(TEXT, audio_format=FORMAT)
    assert " ".join(word.token for word in hear(clip.audio)) == TEXT
    for word, truth in zip(clip.words, hear(clip.audio), strict=True):
        assert word.text == truth.text
        assert abs(word.start * FORMAT.sample_rate - truth.start) <= 1


async def test_an_error_without_a_render_has_no_partial(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError) as raised:
            async with client.synthesize(resume="sometimes"):  # type: ignore[arg-type]
                pass
    assert raised.value.partial is None
