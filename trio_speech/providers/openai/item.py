"""One item of a transcription, from when it is first heard of until it is told."""

from __future__ import annotations

from msgspec import Struct


class Item(Struct):
    """An item, or (without an id) a commit of nothing. Times are seconds on the connection's clock.

    `by_vad`: VAD commits it. `answers`: a commit of ours waits for it.
    """

    id: str | None
    start: float | None = None
    end: float | None = None
    text: str = ""
    shown: bool = False
    by_vad: bool = False
    onset: bool = False
    committed: bool = False
    answers: bool = False
    done: bool = False
    language: str | None = None
    unheard: bool = False
