"""The pytest plugin, the client on the gateway, and what a failing test shows."""

from __future__ import annotations

from typing import Any

from trio.testing import MockClock

from trio_speech.testing import Drop, Hear, Manner, ScriptedGateway, assert_exactly_once, picture, speech

SPOKEN = speech(8.0)


async def test_the_fixture_is_a_gateway_of_exact_manners(gateway: ScriptedGateway) -> None:
    assert isinstance(gateway, ScriptedGateway)
    assert gateway.manner == Manner()
    assert not gateway.visits


async def test_a_client_of_the_gateway(gateway: ScriptedGateway, autojump_clock: MockClock) -> None:
    gateway.plan(Hear(3.0), Drop(), Hear(2.0))
    async with gateway.client() as client, client.transcribe(SPOKEN, SPOKEN.audio_format) as transcript:
        events = [event async for event in transcript]
    assert_exactly_once(events, SPOKEN, gateway.visits)
    drawn = picture(SPOKEN, events, gateway.visits)
    assert "visit 1   |-" in drawn
    assert "<- 3.000 s heard; Drop() at 3.000; connection broken: connection reset by peer" in drawn


async def test_a_connection_without_a_whole_word_is_not_placed(
    gateway: ScriptedGateway, autojump_clock: MockClock
) -> None:
    gateway.plan(Hear(0.2), Drop())
    async with gateway.client() as client, client.transcribe(SPOKEN, SPOKEN.audio_format) as transcript:
        events = [event async for event in transcript]
    assert "visit 1   | not placed" in picture(SPOKEN, events, gateway.visits)


FAILING = """
    from trio_speech.testing import Drop, Hear, speech

    async def test_fails(gateway, autojump_clock):
        gateway.plan(Hear(1.5), Drop())
        async with gateway.client() as client, client.transcribe(speech(4.0)) as transcript:
            async for event in transcript:
                pass
        assert False, "on purpose"

    async def test_fails_before_it_dials(gateway):
        assert False, "early"

    def test_fails_without():
        assert False, "elsewhere"
"""


def test_the_report_of_a_failed_test_lists_the_visits(pytester: Any) -> None:
    pytester.makeini("[pytest]\ntrio_mode = true")
    pytester.makepyfile(FAILING)
    result = pytester.runpytest_inprocess("-p", "trio_speech.testing.plugin")
    result.assert_outcomes(failed=3)
    text = result.stdout.str()
    assert text.count("Scripted gateway") == 1
    assert "visit 1 stt from 0.000, until 1.500: connection broken: connection reset by peer; heard 1.500 s" in text
    assert "Drop() at 1.500" in text
    assert "visit 2 stt from 1.500" in text
