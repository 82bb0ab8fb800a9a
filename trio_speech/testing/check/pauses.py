"""Law 7: a connection lives through a pause, in which no audio is sent, or no text.

It is checked only where the wire says when the service closes an idle connection (see `Wire.idle`).
"""

from __future__ import annotations

import trio

from ..assertions import assert_unique_ids
from ..scripted.visits import Visit
from ..speech import Source, say
from .laws import Case, demand
from .learning import learned
from .running import run
from .setup import Setup, Side

_USUAL = 30.0  # seconds of pause where the service has no limit


class _Halting:
    """A source that pauses once."""

    def __init__(self, source: Source, after: int, pause: float) -> None:
        self._source = source
        self._left = after
        self._pause = pause

    def __aiter__(self) -> _Halting:
        return self

    async def __anext__(self) -> bytes:
        if self._left == 0:
            await trio.sleep(self._pause)
        self._left -= 1
        return await self._source.__anext__()


def check_pauses(setup: Setup, side: Side) -> None:
    """Raises `LawBroken` where the service ends a connection in a pause, or takes a keepalive for audio."""
    idle = setup.wire(learned(setup, side).visits[0]).idle
    pause = _USUAL if idle is None else 2.5 * idle.seconds
    case = Case(f"{side}, a pause of {pause:g} s")
    run(case, lambda _: _listen(setup, pause) if side == "recognizer" else _speak(setup, pause))


async def _listen(setup: Setup, pause: float) -> None:
    first, rest = (say(0.5, text, 1.0, audio_format=setup.audio_format) for text in ("turn left", "and right"))
    said = first + rest
    async with setup.client(()) as (client, gateway):
        halting = _Halting(said.source(), len(list(first.chunks())), pause)
        async with client.transcribe(halting, said.audio_format, **setup.asked.recognition) as transcript:
            events = [event async for event in transcript]
        assert_unique_ids(events)
        _judge(gateway.visits)
        profile, visits = setup.provider("recognizer").profile, gateway.visits
        if profile.session_cap is None or profile.session_cap > pause + said.seconds:
            demand(len(visits) == 1, f"{len(visits)} connections were needed, although none failed")
            is_filled = profile.filler is not None or profile.least_finalized > 0
            demand(
                is_filled or visits[0].heard == said.seconds,
                f"the service heard {visits[0].heard:g} s of {said.seconds:g} s of audio: keepalives are audio to it",
            )


async def _speak(setup: Setup, pause: float) -> None:
    async with setup.client(()) as (client, gateway):
        for text in ("One two.", "Three four."):
            await client.render(text, audio_format=setup.speech_format, **setup.asked.synthesis)
            await trio.sleep(pause)
        _judge(gateway.visits)


def _judge(visits: list[Visit]) -> None:
    for visit in visits:
        demand(not visit.struck, f"the service closed a connection on which nothing came: {visit.struck}")
