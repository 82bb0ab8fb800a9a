"""A finished recognition as text, JSON, SubRip or WebVTT: pure functions from a value to a string.

Laws: every word of every final is in exactly one cue, in order. No cue is longer than `MAX_SECONDS` or taller than
`MAX_LINES` of `LINE_CHARACTERS`, unless a single word, or a final without word times, is so by itself. Each lasts a
millisecond at least, as WebVTT wants.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from trio_speech import FinalTranscript, Recognition

LINE_CHARACTERS = 42
MAX_LINES = 2
MAX_SECONDS = 7.0
"""These three are what broadcasters ask of subtitles."""


class Cue(msgspec.Struct, frozen=True):
    """One caption: what to show, from `start` to `end` in seconds."""

    start: float
    end: float
    text: str


def cues(finals: Iterable[FinalTranscript]) -> Iterator[Cue]:
    """The captions of a recognition, in stream order. A final that fits keeps its own text, hence its punctuation."""
    for final in finals:
        span = final.words or (final,)
        whole = Cue(span[0].start, span[-1].end, _spaced(final.text))
        yield from [whole] if _fits(whole) or not final.words else _cut(final)


def text(recognition: Recognition) -> str:
    """One line for each final that says something."""
    return "".join(f"{final.text}\n" for final in recognition.finals if final.text)


def json(recognition: Recognition) -> str:
    """The whole recognition, one field for one field of the Python value."""
    return msgspec.json.format(msgspec.json.encode(recognition), indent=2).decode() + "\n"


def srt(recognition: Recognition) -> str:
    """SubRip: numbered from 1, milliseconds after a comma."""
    return "\n".join(
        f"{number}\n{_times(cue).replace('.', ',')}\n{_wrapped(cue.text)}\n"
        for number, cue in enumerate(_shown(recognition), start=1)
    )


def vtt(recognition: Recognition) -> str:
    """WebVTT: what could be read as its own marks is escaped."""
    return "\n".join(["WEBVTT\n", *(f"{_times(cue)}\n{_escaped(_wrapped(cue.text))}\n" for cue in _shown(recognition))])


FORMATS: Mapping[str, Callable[[Recognition], str]] = {"text": text, "json": json, "srt": srt, "vtt": vtt}


def _shown(recognition: Recognition) -> Iterator[Cue]:
    return (cue for cue in cues(recognition.finals) if cue.text)


def _cut(final: FinalTranscript) -> Iterator[Cue]:
    """The final's words, as many to a cue as fit."""
    first, *rest = final.words
    cue = Cue(first.start, first.end, _spaced(first.text))
    for word in rest:
        longer = Cue(cue.start, word.end, _spaced(f"{cue.text} {word.text}"))
        if _fits(longer):
            cue = longer
        else:
            yield cue
            cue = Cue(word.start, word.end, _spaced(word.text))
    yield cue


def _fits(cue: Cue) -> bool:
    return len(_lines(cue.text)) <= MAX_LINES and cue.end - cue.start <= MAX_SECONDS


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _lines(text: str) -> list[str]:
    return textwrap.wrap(text, LINE_CHARACTERS, break_long_words=False, break_on_hyphens=False)


def _wrapped(text: str) -> str:
    return "\n".join(_lines(text))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _times(cue: Cue) -> str:
    start = round(cue.start * 1_000)
    end = max(round(cue.end * 1_000), start + 1)
    return f"{_clock(start)} --> {_clock(end)}"


def _clock(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1_000:02}.{rest % 1_000:03}"
