"""One session without faults for each side, from which the other checks learn what the service says to the codec."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import Any, cast

import trio
from msgspec import Struct, field

from ...events import FinalTranscript
from ...providers._codec import Backend, Frame
from ..scripted.visits import Visit
from ..speech import speech
from .laws import Case, LawBroken
from .running import run
from .setup import Setup, Side
from .watched import Delegating, WatchedBackend


class Learned(Struct):
    """What happened in the session.

    Fields:
        frames: Each frame of the service, with a copy of the codec as it was before; ``None`` where the codec cannot be
            copied.
        messages: All that the codec made of them.
        visits: The dials of the session.
    """

    frames: list[tuple[Any, Frame]] = field(default_factory=list[tuple[Any, Frame]])
    messages: list[object] = field(default_factory=list[object])
    visits: list[Visit] = field(default_factory=list[Visit])


def learned(setup: Setup, side: Side) -> Learned:
    """Returns what happens in a session without faults, which is run the first time that it is asked for."""
    if side not in setup.learned:
        known = run(Case(f"{side}, a session to learn what the service says"), lambda _: _learn(setup, side))
        if not known.frames:
            raise LawBroken("the service said nothing: is its wire the one of this backend?")
        setup.learned[side] = known
    found: Learned = setup.learned[side]
    return found


def copied(codec: Any) -> Any:
    """Returns a copy of a codec; ``None`` if what it holds is no plain data."""
    try:
        return deepcopy(codec)
    except (TypeError, AttributeError, RecursionError):
        return None


class _Recorded(Delegating):
    def __init__(self, codec: Any, known: Learned) -> None:
        super().__init__(codec)
        self._known = known

    def decode(self, frame: Frame) -> Any:
        self._known.frames.append((copied(self._inner), frame))
        messages = self._inner.decode(frame)
        for message in messages:
            self._known.messages.append(message)
            yield message


async def _learn(setup: Setup, side: Side) -> Learned:
    known = Learned()

    def watch(codec: Any, profile: object, audio_format: object) -> Any:
        return _Recorded(codec, known)

    backend = cast(Backend, WatchedBackend(setup.backend, watch, watch))
    async with setup.client((), backend) as (client, gateway):
        if side == "recognizer":
            said = speech(6.0, audio_format=setup.audio_format)
            async with client.transcribe(said, said.audio_format, **setup.asked.recognition) as transcript:
                asked = False
                async for event in transcript:
                    if isinstance(event, FinalTranscript) and not asked:
                        asked = True
                        with suppress(trio.ClosedResourceError):  # where finals come only after the end of the audio
                            transcript.finalize()
        else:
            text = "One two three. Four five."
            await client.render(text, audio_format=setup.speech_format, **setup.asked.synthesis)
        known.visits = gateway.visits
    return known
