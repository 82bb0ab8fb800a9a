"""Draws a real session through a broken network: ``python docs/draw_session.py docs/_static/session.svg``.

The embedded voice speaks and the embedded recognizer listens, with the project's own fault proxy between. What is drawn
is what the program was told, and when.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import trio
from drawing.svg import AGAIN_INK, AGAIN_PALE, BAD, FAINT, GOOD, HATCHED, PALE, WAVE, Svg

import trio_speech as ts
from trio_speech._core.retry.causes import Unreachable
from trio_speech._shell.connection import LinkDown
from trio_speech.testing.fault_proxy import open_proxy, read_plan

FORMAT = ts.AudioFormat.pcm16(16_000)
SENTENCES = (
    "The weather is very nice today.",
    "I would like to order a large pizza.",
    "She sells fresh fruit at the market.",
    "My brother lives in a small town near the river.",
    "The bus was late again this morning.",
    "It was a cold and rainy night in November.",
)
PAUSE = 0.7
CHUNK = 0.05
FAULTS = ("reset in mid-word", "dead line noticed", "service restarts")
PLAN = read_plan("""
    [[connection]]
    step = [{ do = "reset", after = 4.3 }]

    [[connection]]
    step = [{ do = "half-open", after = 5.2 }]

    [[connection]]
    step = [{ do = "refuse", after = 2.3, seconds = 1.2 }, { do = "end" }]
""")
LIVENESS = ts.LivenessPolicy(ping_interval=1.0, ping_timeout=2.0)


class BehindProxy:
    """The embedded service, with a proxy between it and the client."""

    def __init__(self) -> None:
        self._local = ts.Local()
        self.recognizer = self._local.recognizer
        self.voice = self._local.voice

    def transport(self) -> AbstractAsyncContextManager[Callable[[Any], Awaitable[Any]]]:
        return self._transport()

    @asynccontextmanager
    async def _transport(self) -> AsyncGenerator[Callable[[Any], Awaitable[Any]]]:
        async with self._local.transport() as connect, open_proxy(partial(connect, None), PLAN) as proxy:

            async def dial(_: Any) -> Any:
                try:
                    return await proxy.connect()
                except ConnectionRefusedError as error:
                    raise LinkDown(Unreachable(str(error.strerror))) from None

            yield dial


class Told(NamedTuple):
    """An event, and when the program got it, in seconds from the beginning."""

    at: float
    event: ts.TranscriptEvent


class Session(NamedTuple):
    """What there is to draw."""

    clip: bytes
    words: list[ts.Word]
    told: list[Told]
    seconds: float
    statistics: ts.TranscriptStatistics


async def spoken() -> tuple[bytes, list[ts.Word]]:
    """The sentences as audio, and the truth about where each word is."""
    audio, words = bytearray(), list[ts.Word]()
    async with ts.open_client(ts.Local()) as client:
        for sentence in SENTENCES:
            begins = FORMAT.seconds(len(audio) // FORMAT.frame_size)
            clip = await client.render(sentence, audio_format=FORMAT)
            words += (ts.Word(word.text, begins + word.start, begins + word.end) for word in clip.words)
            audio += clip.audio + bytes(FORMAT.samples(PAUSE) * FORMAT.frame_size)
    return bytes(audio), words


async def microphone(audio: bytes, began: float) -> AsyncIterator[bytes]:
    size = FORMAT.samples(CHUNK) * FORMAT.frame_size
    for number, at in enumerate(range(0, len(audio), size), 1):
        await trio.sleep_until(began + number * CHUNK)
        yield audio[at : at + size]


async def record() -> Session:
    audio, words = await spoken()
    async with ts.open_client(BehindProxy(), liveness=LIVENESS) as client:
        await client.recognize(microphone(audio[: len(audio) // 8], trio.current_time()), FORMAT)  # the engine warms up
    async with ts.open_client(BehindProxy(), liveness=LIVENESS) as client:
        began = trio.current_time()
        async with client.transcribe(microphone(audio, began), FORMAT) as transcript:
            told = [Told(trio.current_time() - began, event) async for event in transcript]
        return Session(audio, words, told, trio.current_time() - began, transcript.statistics())


# ------------------------------------------------------------ drawing


def loudness(audio: bytes, step: float = 0.04) -> Iterator[tuple[float, float]]:
    """The loudest sample of each step, from 0 to 1."""
    samples = memoryview(audio).cast("h")
    size = FORMAT.samples(step)
    for at in range(0, len(samples) - size, size):
        part = samples[at : at + size]
        yield at / FORMAT.sample_rate, max(*part, -min(part)) / 32_768


class Connection(NamedTuple):
    """One connection: when it served, from where in the stream, and what ended it."""

    opened: float
    ended: float
    replayed: float
    cause: str | None


def connections(session: Session) -> list[Connection]:
    found: list[Connection] = []
    opened, replayed = 0.0, 0.0
    up = True
    for at, event in session.told:
        if isinstance(event, ts.LinkLost) and up:
            found.append(Connection(opened, at, replayed, event.cause))
            up = False
        elif isinstance(event, ts.Resumed):
            opened, replayed, up = at, event.replayed, True
    return [*found, Connection(opened, session.seconds, replayed, None)]


def draw(session: Session) -> str:
    title = "A session in which three connections break, and each word is delivered once"
    svg = Svg(session.seconds, 342, title)
    svg.grid(34, 308, 5, session.seconds)
    _speech(svg, session)
    _connections(svg, session)
    _finals(svg, session)
    return str(svg)


def _speech(svg: Svg, session: Session) -> None:
    svg.label(62, "said")
    heard = list(loudness(session.clip))
    most = max(loud for _, loud in heard)
    for at, loud in heard:
        height = round(1 + 44 * loud / most, 1)
        svg.bar(at, at + 0.026, round(57 - height / 2, 1), height, WAVE)


def _connections(svg: Svg, session: Session) -> None:
    svg.label(118, "connections", "as they broke")
    lost = 0.0
    for number, connection in enumerate(connections(session)):
        y = 100 + 24 * (number % 3)
        if connection.replayed:
            again = lost - connection.replayed
            svg.bar(lost, connection.opened, y, 15, AGAIN_PALE)  # captured while there was no connection
            svg.bar(again, lost, y, 15, HATCHED, rx=2)
            label = f"{connection.replayed:.1f} s sent again"
            svg.text(svg.x(again) - 5, y + 12, label, AGAIN_INK, text_anchor="end", font_size=11)
        svg.bar(connection.opened, connection.ended, y, 15, PALE, stroke=GOOD, stroke_width=0.8, rx=2)
        svg.text(svg.x(connection.opened) + 6, y + 12, str(number + 1), GOOD, font_weight="600")
        if connection.cause is not None:
            svg.cross(connection.ended, y + 7)
            what = FAULTS[number] if number < len(FAULTS) else connection.cause
            svg.text(svg.x(connection.ended) + 10, y + 12, what, BAD, font_size=11)
        lost = connection.ended


def _finals(svg: Svg, session: Session) -> None:
    svg.label(218, "your program", "each word once")
    finals = [event for _, event in session.told if isinstance(event, ts.FinalTranscript)]
    for number, final in enumerate(finals):
        y = 202 + 30 * (number % 3)
        svg.bar(final.start, final.end, y, 5, GOOD, rx=2)
        late = svg.x(final.start) + 6.2 * len(final.text) > svg.width - 8
        anchor, x = ("end", svg.width - 10) if late else ("start", svg.x(final.start))
        svg.text(x, y + 18, final.text, font_size=11.5, text_anchor=anchor)
    statistics = session.statistics
    delivered = sum(len(final.words) for final in finals)
    told = (
        f"{len(session.words)} words were said, and {delivered} were delivered, each once. "
        f"Of {statistics.captured:.0f} s of audio, {statistics.replayed:.1f} s went out twice, "
        f"over {statistics.links} connections."
    )
    svg.text(svg.left, 22, told, FAINT)


def main() -> None:
    session = trio.run(record)
    for at, event in session.told:
        if not isinstance(event, ts.InterimTranscript):
            print(f"{at:7.2f}  {event}")
    print(session.statistics)
    said = [word.text.strip(".,").lower() for word in session.words]
    finals = [event for _, event in session.told if isinstance(event, ts.FinalTranscript)]
    delivered = [word.text.strip(".,").lower() for final in finals for word in final.words]
    if said != delivered:
        raise SystemExit(f"not drawn, for the recognizer misheard: {' '.join(delivered)}")
    Path(sys.argv[1]).write_text(draw(session), encoding="utf-8")


if __name__ == "__main__":
    main()
