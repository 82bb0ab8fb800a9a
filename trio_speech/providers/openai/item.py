"""The state of one item (a committed piece of audio) of a transcription, until its final is delivered."""

from __future__ import annotations

from msgspec import Struct


class Item(Struct):
    """An item, or (without an id) a commit for which there was no audio. Times are seconds on the connection's clock.

    `by_vad`: the service's voice activity detection (VAD) commits it, and heard it from `start` to `end`. `span`: all
    of its audio, known once it is `committed`. `answers`: it answers a commit of the session.
    """

    id: str | None
    start: float | None = None
    end: float | None = None
    span: tuple[float, float] = (0.0, 0.0)
    text: str = ""
    shown: bool = False
    by_vad: bool = False
    onset: bool = False
    committed: bool = False
    answers: bool = False
    done: bool = False
    language: str | None = None
    unheard: bool = False
