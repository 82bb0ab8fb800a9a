"""What tables of the documentation say is so: which errors come how, what an outage does, when backends change."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    Close,
    Garble,
    Hear,
    NeverAnswer,
    Outage,
    Refuse,
    ScriptedGateway,
    Step,
    open_gateway,
    speech,
)

SAID = speech(10.0)
FOR_EVER = Outage(seconds=3_600)
REACHED: dict[str, tuple[list[Step], type[ts.SpeechError], type[ts.SpeechError] | None]] = {
    "401": ([Refuse(401)], ts.AuthenticationError, None),
    "402": ([Refuse(402)], ts.QuotaError, None),
    "404": ([Refuse(404)], ts.ProviderError, None),
    "429": ([Refuse(429)] * 60, ts.RetriesExhausted, ts.QuotaError),
    "503": ([Refuse(503)] * 60, ts.RetriesExhausted, ts.ProviderError),
    "a close code that blames the client": ([Hear(0.2), Close(1008)], ts.ProviderError, None),
    "another close code": ([Hear(0.2), Close(1011)] * 60, ts.RetriesExhausted, ts.ProviderError),
    "refused": ([FOR_EVER], ts.RetriesExhausted, ts.ConnectFailed),
    "no answer": ([NeverAnswer()] * 60, ts.RetriesExhausted, ts.LinkError),
    "against the protocol": ([Hear(0.2), Garble()] * 60, ts.RetriesExhausted, ts.ProtocolError),
}
AT_ONCE: dict[str, tuple[list[Step], type[ts.SpeechError]]] = {
    "429": ([Refuse(429)], ts.QuotaError),
    "503": ([Refuse(503)], ts.ProviderError),
    "refused": ([FOR_EVER], ts.ConnectFailed),
    "no answer": ([NeverAnswer()] * 60, ts.LinkError),
}


@pytest.mark.parametrize("what", REACHED)
async def test_an_error_ends_a_session_as_its_page_says(
    gateway: ScriptedGateway, autojump_clock: Any, what: str
) -> None:
    plan, error, cause = REACHED[what]
    gateway.plan(*plan)
    async with gateway.client(retry=ts.RetryPolicy(deadline=10.0)) as client:
        with pytest.raises(ts.SpeechError) as raised:
            await client.recognize(SAID, SAID.audio_format)
    assert type(raised.value) is error
    assert type(raised.value.__cause__) is (cause or type(None))


@pytest.mark.parametrize("what", AT_ONCE)
async def test_prewarm_raises_the_error_of_its_dial(gateway: ScriptedGateway, autojump_clock: Any, what: str) -> None:
    plan, error = AT_ONCE[what]
    gateway.plan(*plan)
    async with gateway.client() as client:
        with pytest.raises(ts.SpeechError) as raised:
            await client.prewarm()
    assert type(raised.value) is error


async def outage(gateway: ScriptedGateway, policy: ts.ReplayPolicy) -> tuple[ts.Transcript, list[float], float]:
    """A session that loses its network for ever: the transcript, when pushes found no room, and when it ended."""
    gateway.plan(FOR_EVER)
    began, waited = trio.current_time(), []
    chunk = bytes(SAID.audio_format.samples(0.5) * SAID.audio_format.frame_size)

    async def push(transcript: ts.Transcript) -> None:
        for number in range(1, 1_000):
            try:
                transcript.send_nowait(chunk)
            except trio.WouldBlock:
                waited.append(trio.current_time() - began)
            await trio.sleep_until(began + number * 0.5)

    async with gateway.client(replay=policy) as client:
        try:
            async with client.transcribe(None, SAID.audio_format) as transcript:
                await push(transcript)
        except ts.RetriesExhausted:
            return transcript, waited, trio.current_time() - began
    raise AssertionError("the session should have ended with RetriesExhausted")


async def test_a_log_is_full_after_a_minute_and_the_session_over_after_two(
    gateway: ScriptedGateway, autojump_clock: Any
) -> None:
    transcript, waited, ended = await outage(gateway, ts.ReplayPolicy())
    assert waited[0] == pytest.approx(60.0)
    assert 100.0 < ended <= 120.0
    start, audio = transcript.unacknowledged()
    assert start == 0.0
    assert len(audio) == SAID.audio_format.samples(60.0) * SAID.audio_format.frame_size


async def test_a_log_that_drops_its_oldest_audio_never_waits_and_counts_it(
    gateway: ScriptedGateway, autojump_clock: Any
) -> None:
    transcript, waited, ended = await outage(gateway, ts.ReplayPolicy(overflow="drop_oldest"))
    figures, (start, _) = transcript.statistics(), transcript.unacknowledged()
    assert waited == []
    assert figures.captured == pytest.approx(ended, abs=0.6)
    assert figures.in_gaps == start == pytest.approx(figures.captured - 60.0)


GOES_ON: dict[str, tuple[list[Step], float, float]] = {
    "never answered": ([NeverAnswer()] * 60, 1.5, 1.5),
    "TCP refused": ([FOR_EVER], 1.0, 2.0),
    "503": ([Refuse(503)] * 60, 0.0, 2.0),
    "a long Retry-After": ([Refuse(503, retry_after=5)] * 60, 0.0, 0.0),
    "404": ([Refuse(404)], 0.0, 0.0),
}


@pytest.mark.parametrize("what", GOES_ON)
async def test_a_session_goes_to_the_next_backend_as_soon_as_the_page_says(autojump_clock: Any, what: str) -> None:
    plan, earliest, latest = GOES_ON[what]
    async with open_gateway() as first, open_gateway() as second:
        first.plan(*plan)
        began = trio.current_time()
        async with (
            ts.open_client([first.backend(), second.backend()]) as client,
            client.transcribe(SAID, SAID.audio_format) as transcript,
        ):
            while not isinstance(await anext(transcript), ts.Resumed):
                pass
            assert earliest <= trio.current_time() - began <= latest + 0.001
    assert second.visits
