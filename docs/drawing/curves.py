"""What the figures of a session do over time: an outage, and what a drop would cost."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

import trio

import trio_speech as ts
from trio_speech.testing import Hear, LabeledSpeech, Manner, Outage, open_gateway, speech

from .svg import AGAIN_INK, BAD, FAINT, GOOD, WAVE, Svg, drawing

FORMAT = ts.AudioFormat.pcm16(16_000)


class Moment(NamedTuple):
    at: float
    figures: ts.TranscriptStatistics


async def watched(transcript: ts.Transcript, every: float, moments: list[Moment]) -> None:
    """Notes the figures of a session, again and again."""
    began = trio.current_time()
    while True:
        moments.append(Moment(trio.current_time() - began, transcript.statistics()))
        await trio.sleep(every)


async def session(
    said: LabeledSpeech, manner: Manner, *plan: object, policy: ts.ReplayPolicy, finalizes: bool = False
) -> list[Moment]:
    """The figures of one session over time."""
    moments: list[Moment] = []
    random.seed("the same waits in each")
    async with open_gateway(manner=manner) as gateway, trio.open_nursery() as nursery:
        gateway.plan(*plan)
        async with gateway.client(replay=policy) as client, client.transcribe(said, FORMAT) as transcript:
            nursery.start_soon(watched, transcript, 0.1, moments)
            async for event in transcript:
                if finalizes and isinstance(event, ts.SpeechEnded):
                    transcript.finalize()
        nursery.cancel_scope.cancel()
    return moments


async def outage() -> Svg:
    """The cursors of the log over time, with 40 s without a network."""
    said = speech(240.0)
    policy = ts.ReplayPolicy(limit=60.0)
    plan = (Hear(30.0), Outage(seconds=40.0))
    careful = await session(said, Manner(), *plan, policy=policy)
    quick = await session(said, Manner(), *plan, policy=ts.ReplayPolicy(limit=60.0, speed=4.0))
    svg = drawing(240, 330, "An outage of 40 s: what was captured, sent and settled over time")
    svg.grid(20, 290, 30, 240)
    bottom, scale = 290.0, 262 / 240
    svg.bar(30, 70, 20, 270, BAD, opacity=0.08)
    svg.text(svg.x(50), 282, "no network", BAD, text_anchor="middle")
    svg.text(14, 40, "seconds of the")
    svg.text(14, 56, "stream")

    def curve(moments: list[Moment], value: Callable[[Moment], float], stroke: str, **style: object) -> None:
        points = [(svg.x(each.at), bottom - scale * value(each)) for each in moments if each.at <= 240]
        svg.curve(points[::5], stroke, stroke_width=2, **style)

    curve(careful, lambda each: each.figures.captured, WAVE)
    curve(careful, lambda each: each.figures.captured - each.figures.backlog, AGAIN_INK)
    curve(quick, lambda each: each.figures.captured - each.figures.backlog, AGAIN_INK, stroke_dasharray="2 4")
    curve(careful, lambda each: each.figures.settled, GOOD)
    for y, colour, what in (
        (46, WAVE, "captured"),
        (66, AGAIN_INK, "sent (dotted: with speed=4.0)"),
        (86, GOOD, "settled"),
    ):
        svg.line(svg.left + 24, y - 4, svg.left + 50, y - 4, colour, stroke_width=3)
        svg.text(svg.left + 58, y, what)
    return svg


async def cost() -> Svg:
    """What a drop would send again, at each moment, with services of two kinds."""
    said = speech(60.0)
    policy = ts.ReplayPolicy(limit=60.0)
    by_spans = await session(said, Manner(), policy=policy)
    untrusted = Manner(spans="billed")
    by_answers = await session(said, untrusted, policy=policy)
    asked = await session(said, untrusted, policy=policy, finalizes=True)
    svg = drawing(60, 300, "How much a drop would send again, at each moment of a minute")
    svg.grid(20, 262, 10, 60)
    bottom, scale = 262.0, 4.4
    svg.text(14, 250, "sent again")
    svg.text(14, 266, "by a drop now")
    for height in (10, 20, 30, 40, 50):
        svg.text(svg.left - 8, bottom - scale * height + 4, f"{height} s", FAINT, text_anchor="end", font_size=11)
    for moments, colour, y, what in (
        (by_answers, BAD, 40, "settles by answers: nothing asked before the log is four fifths full"),
        (asked, AGAIN_INK, 60, "settles by answers: finalize() at the end of each utterance"),
        (by_spans, GOOD, 80, "settles by spans: each final"),
    ):
        points = [(svg.x(each.at), bottom - scale * each.figures.unsettled) for each in moments if each.at <= 60]
        dashes = {"stroke_dasharray": "5 5"} if colour == GOOD else {}
        svg.curve(points, colour, stroke_width=2, **dashes)
        svg.line(svg.left + 24, y - 4, svg.left + 50, y - 4, colour, stroke_width=3, **dashes)
        svg.text(svg.left + 58, y, what)
    return svg
