"""What went over each connection of a recognition: a replay, a doubt, a dead line, and dials that nobody answers."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

import trio

import trio_speech as ts
from trio_speech.testing import (
    AudibleWord,
    BlackHole,
    Drop,
    Hear,
    LabeledSpeech,
    Manner,
    Outage,
    Visit,
    open_gateway,
    say,
    speech,
)

from .svg import AGAIN_INK, BAD, FAINT, GOOD, HATCHED, INK, LINE, PALE, WAVE, Svg, drawing

FORMAT = ts.AudioFormat.pcm16(16_000)


async def replay() -> Svg:
    """What each connection heard, laid over the stream: a reset in mid-word, and a lead-in that is reconciled away."""
    said = say(0.4, "my brother lives in", 0.6, "a small town near the river", 1.2)
    async with open_gateway(manner=Manner()) as gateway:
        gateway.plan(Hear(3.12), Drop())
        async with gateway.client() as client, client.transcribe(said, FORMAT) as transcript:
            finals = [event async for event in transcript if isinstance(event, ts.FinalTranscript)]
        statistics = transcript.statistics()
        first, second = gateway.visits
    svg = drawing(said.seconds, 238, "A reset in mid-word; the next connection hears the audio since the last final")
    svg.grid(14, 200, 1, said.seconds)
    svg.label(34, "said")
    svg.words(_placed(said, said.words, 0), 20, WAVE)
    again = _base(second, said)
    settled = finals[0].end
    svg.label(74, "connection 1", "reset in mid-word")
    svg.words(_placed(said, first.words, _base(first, said)), 60, PALE)
    svg.cross(first.heard, 70)
    svg.label(122, "connection 2", f"{statistics.replayed:.1f} s sent again")
    svg.bar(again / 16_000, first.heard, 104, 28, HATCHED, opacity=0.55, rx=3)
    svg.words(_placed(said, second.words, again), 108, PALE)
    svg.line(svg.x(settled), 50, svg.x(settled), 194, GOOD, stroke_dasharray="4 3")
    svg.text(svg.x(settled) + 4, 150, "settled up to here", GOOD, font_size=11)
    svg.label(176, "your program", f"{statistics.repeated_words} words came twice")
    delivered = [(word.start, word.end, word.text) for final in finals for word in final.words]
    svg.words(delivered, 166, GOOD, "#ffffff")
    return svg


def _base(visit: Visit, said: LabeledSpeech) -> int:
    base = visit.base(said)
    return 0 if base is None else base


def _placed(said: LabeledSpeech, spoken: Iterable[AudibleWord], base: int) -> list[tuple[float, float, str]]:
    rate = said.audio_format.sample_rate
    return [((word.start + base) / rate, (word.end + base) / rate, word.token) for word in spoken]


def hum(seconds: float) -> LabeledSpeech:
    """A sound as loud as speech in which there is no word."""
    pulse = array("h", [0x2000 if at % 40 < 20 else -200 for at in range(FORMAT.samples(seconds))])
    return LabeledSpeech(pulse.tobytes(), FORMAT, ())


class Told(NamedTuple):
    at: float
    event: ts.TranscriptEvent


async def doubt() -> Svg:
    """A sound that nobody finds a word in: two connections answer for it, and it is settled as silence."""
    said = say(0.5, "hold the line", 1.0) + hum(4.0) + say(0.4)
    async with open_gateway(manner=Manner(silence=1_000.0)) as gateway:
        async with gateway.client() as client, client.transcribe(said, FORMAT) as transcript:
            began = trio.current_time()
            told = [Told(trio.current_time() - began, event) async for event in transcript]
            ended = trio.current_time() - began
        visits = list(gateway.visits)
    svg = drawing(ended + 1, 90 + 56 * len(visits) + 70, "Two connections answer for a sound without a word in it")
    bottom = 70 + 56 * len(visits) + 50
    svg.grid(14, bottom, 5, ended + 1)
    svg.label(34, "sound")
    svg.words([(0.5, 1.21, "words")], 20, WAVE)
    svg.bar(2.21, 6.21, 20, 20, LINE, rx=3)
    svg.text(svg.x(4.2), 34, "hum", FAINT, text_anchor="middle", font_size=11)
    for number, visit in enumerate(visits):
        _visited(svg, visit, 66 + 56 * number, number + 1, began, ended)
    svg.label(bottom - 34, "your program")
    y = bottom - 46
    for at, event in told:
        if isinstance(event, ts.FinalTranscript):
            svg.bar(at, at + 0.15, y, 20, GOOD)
            svg.text(svg.x(at) + 6, y + 14, "final", GOOD, font_size=11)
    svg.line(svg.x(ended), y, svg.x(ended), y + 24, GOOD, stroke_width=3)
    svg.text(svg.x(ended) - 6, y + 14, "settled as silence", GOOD, text_anchor="end", font_size=11)
    return svg


MESSAGES = {
    "session.finalize": "finalize",
    "session.finalized": "answered",
    "session.close": "close",
    "session.closed": "ended",
}


def _visited(svg: Svg, visit: Visit, y: float, number: int, began: float, ended: float) -> None:
    opened = (visit.opened or began) - began
    svg.label(y + 14, f"connection {number}")
    svg.bar(opened, (visit.ended or ended + began) - began, y, 20, PALE, rx=3)
    for message in visit.passed:
        at, what = message.at - began, MESSAGES.get(message.kind)
        if what is not None:
            below = message.sender == "gateway"
            svg.line(svg.x(at), y, svg.x(at), y + (34 if below else 20), INK, stroke_width=1.4)
            svg.text(svg.x(at) + 4, y + (34 if below else 13), what, INK if below else FAINT, font_size=11)


async def half_open() -> Svg:
    """A connection goes half-open: when it is suspected and given up, and when the words come."""
    said = speech(16.0)
    async with open_gateway() as gateway:
        gateway.plan(Hear(4.0), BlackHole())
        async with gateway.client() as client, client.transcribe(said, FORMAT) as transcript:
            began = trio.current_time()
            told = [Told(trio.current_time() - began, event) async for event in transcript]
        first, second = gateway.visits
    ended = max(at for at, _ in told) + 0.5
    lost = next(at for at, event in told if isinstance(event, ts.LinkLost))
    suspected, opened = second.dialed - began, (second.opened or began) - began
    svg = drawing(ended, 214, "A connection goes half-open; a second one is sent what was missed, and takes over")
    svg.grid(14, 176, 2, ended)
    svg.label(34, "said")
    for start, end, _ in _placed(said, said.words, 0):
        svg.bar(start, end, 20, 20, WAVE, rx=3)
    svg.label(74, "connection 1", "dead from the cross on")
    svg.bar((first.opened or began) - began, lost, 60, 20, PALE, rx=3)
    svg.bar(4.0, lost, 60, 20, BAD, opacity=0.18, rx=3)
    svg.cross(4.0, 70)
    noticed = f"suspected after {suspected - 4:.1f} s, given up after {lost - 4:.1f} s"
    svg.text(svg.x(lost) + 4, 74, noticed, BAD, font_size=11)
    svg.label(116, "connection 2", f"{transcript.statistics().replayed:.1f} s sent again")
    svg.bar(opened, ended, 102, 20, PALE, rx=3)
    svg.label(156, "your program", "finals, as they come")
    for at, event in told:
        if isinstance(event, ts.FinalTranscript):
            svg.bar(at, at + 0.06, 144, 20, GOOD)
    return svg


async def dials() -> Svg:
    """The attempts to reconnect while nobody answers."""
    outcome = ""
    async with open_gateway() as gateway:
        gateway.plan(Hear(5.0), Outage(seconds=600.0))
        began = trio.current_time()
        try:
            async with gateway.client() as client, client.transcribe(_speaking(), FORMAT) as transcript:
                async for _ in transcript:
                    pass
        except ts.RetriesExhausted as error:
            outcome = type(error).__name__
        ended = trio.current_time() - began
        times = [visit.dialed - began for visit in gateway.visits[1:]]
    svg = drawing(ended + 4, 96, "Attempts to reconnect during an outage that does not end")
    svg.grid(14, 60, 20, ended)
    svg.label(42, "dials")
    svg.bar(0, 5, 30, 18, PALE, rx=3)
    svg.cross(5, 39)
    svg.bar(5, ended, 30, 18, BAD, opacity=0.08)
    for at in times:
        svg.line(svg.x(at), 30, svg.x(at), 48, AGAIN_INK, stroke_width=2)
    svg.line(svg.x(ended), 24, svg.x(ended), 54, BAD, stroke_width=3)
    svg.text(svg.x(ended) - 6, 24, outcome, BAD, text_anchor="end", font_size=11)
    return svg


async def _speaking() -> AsyncIterator[bytes]:
    async for chunk in speech(30.0):
        yield chunk
    await trio.sleep_forever()
