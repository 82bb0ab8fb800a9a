"""What went over each connection of a synthesis that broke off."""

from __future__ import annotations

import trio_speech as ts
from trio_speech.testing import Delivery, Drop, Speak, hear, open_gateway

from .svg import GOOD, HATCHED, PALE, Svg, drawing

FORMAT = ts.AudioFormat.pcm16(16_000)


async def resumed() -> Svg:
    """A voice whose connection breaks in mid-word: the sentence is asked for again and cut."""
    text = "my brother lives in a small town."
    async with open_gateway(delivery=Delivery(speed=1.0)) as gateway:
        gateway.plan(Speak(1.6), Drop())
        async with gateway.client() as client, client.synthesize(text, audio_format=FORMAT) as voice:
            handed = [chunk async for chunk in voice]
        visits = [visit for visit in gateway.visits if visit.spoken]
    seconds = max(FORMAT.seconds(len(visit.spoken) // 2) for visit in visits) + 0.1
    svg = drawing(seconds, 190, "A voice breaks off in mid-word; the sentence is spoken again, and cut")
    svg.grid(14, 150, 0.5, seconds)
    cut = max(word.end for chunk in handed for word in chunk.words if word.end <= 1.6)
    for number, visit in enumerate(visits):
        y = 20 + 44 * number
        svg.label(y + 14, f"connection {number + 1}", "breaks off" if number == 0 else "spoken again")
        spoken = [(word.start / 16_000, word.end / 16_000, word.token) for word in hear(visit.spoken)]
        if number:
            svg.bar(0, cut, y - 4, 28, HATCHED, opacity=0.55, rx=3)
        svg.words(spoken, y, PALE)
        if number == 0:
            svg.cross(FORMAT.seconds(len(visit.spoken) // 2), y + 10)
    svg.label(122, "your player", "each word once")
    whole = b"".join(chunk.audio for chunk in handed)
    svg.words([(w.start / 16_000, w.end / 16_000, w.token) for w in hear(whole)], 112, GOOD, "#ffffff")
    return svg
