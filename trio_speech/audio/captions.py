"""Captions: finals as SubRip (SRT) or WebVTT, all at once or as they come.

    Path("talk.srt").write_text(srt(recognition.finals), encoding="utf-8")

    captions = WebVtt()                         # or SubRip(), PlainText()
    print(captions.begin(), end="")
    async for event in transcript:
        if isinstance(event, FinalTranscript):
            print(captions.add(event), end="", flush=True)

Laws: every word of every final is in exactly one cue, in order. No cue is longer than `MAX_SECONDS` or taller than
`MAX_LINES` of `LINE_CHARACTERS`, unless a single word, or a final without word times, is so by itself. Each lasts a
millisecond at least, as WebVTT wants. Cues start and end with their words, not with the finals, which are often wider.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from ..events import FinalTranscript, Word

__all__ = [
    "LINE_CHARACTERS",
    "MAX_LINES",
    "MAX_SECONDS",
    "CaptionFormat",
    "Cue",
    "PlainText",
    "SubRip",
    "WebVtt",
    "WebVttWords",
    "cues",
    "srt",
    "text",
    "vtt",
]

LINE_CHARACTERS = 42
"""The longest line of a cue. This and the next two are what broadcasters ask of subtitles."""

MAX_LINES = 2
"""The most lines of a cue."""

MAX_SECONDS = 7.0
"""The longest that a cue is shown."""


class Cue(msgspec.Struct, frozen=True):
    """One caption: the text to show from `start` to `end`, in seconds. `words`: its words, if they have times."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


class CaptionFormat(Protocol):
    """Writes finals as they come: `begin` first, then `add` for each final, in order."""

    def begin(self) -> str:
        """Returns the text to write before the first final."""
        ...

    def add(self, final: FinalTranscript) -> str:
        """Returns the text to write for a final; empty if there is none."""
        ...


class PlainText:
    """Writes one line for each final that has text."""

    def begin(self) -> str:
        """Returns an empty string."""
        return ""

    def add(self, final: FinalTranscript) -> str:
        """Returns the text of the final, as a line."""
        return f"{final.text}\n" if final.text else ""


class SubRip:
    """Writes SRT: cues are numbered from 1, and milliseconds follow a comma."""

    def __init__(self) -> None:
        self._written = 0

    def begin(self) -> str:
        """Returns an empty string."""
        return ""

    def add(self, final: FinalTranscript) -> str:
        """Returns the cues of the final."""
        return "".join(self._block(cue) for cue in cues([final]))

    def _block(self, cue: Cue) -> str:
        self._written += 1
        between = "\n" if self._written > 1 else ""
        return f"{between}{self._written}\n{_times(cue).replace('.', ',')}\n{_wrapped(cue.text)}\n"


class WebVtt:
    """Writes WebVTT. Characters that could be read as its markup are escaped."""

    def begin(self) -> str:
        """Returns the header of the file."""
        return "WEBVTT\n"

    def add(self, final: FinalTranscript) -> str:
        """Returns the cues of the final."""
        return "".join(f"\n{_times(cue)}\n{self._text(cue)}\n" for cue in cues([final]))

    def _text(self, cue: Cue) -> str:
        return _escaped(_wrapped(cue.text))


class WebVttWords(WebVtt):
    """Writes WebVTT with the time of each word, for players that show the word being spoken. A cue is one line."""

    def _text(self, cue: Cue) -> str:
        if not cue.words:
            return super()._text(cue)
        later = "".join(
            f" <{_clock(round(word.start * 1_000))}>{_escaped(_spaced(word.text))}" for word in cue.words[1:]
        )
        return _escaped(_spaced(cue.words[0].text)) + later


def text(finals: Iterable[FinalTranscript]) -> str:
    """Returns one line for each final that has text."""
    return _all(PlainText(), finals)


def srt(finals: Iterable[FinalTranscript]) -> str:
    """Returns a whole SubRip file."""
    return _all(SubRip(), finals)


def vtt(finals: Iterable[FinalTranscript]) -> str:
    """Returns a whole WebVTT file."""
    return _all(WebVtt(), finals)


def _all(captions: CaptionFormat, finals: Iterable[FinalTranscript]) -> str:
    return captions.begin() + "".join(map(captions.add, finals))


def cues(finals: Iterable[FinalTranscript]) -> Iterator[Cue]:
    """Yields the captions of finals, in order; a final without text has none.

    A final that fits is one cue. A longer one is split between words. Each cue keeps its part of the final's text, with
    the punctuation, and with blanks only if the script has them.
    """
    for final in finals:
        spans = final.words or (final,)
        whole = Cue(spans[0].start, spans[-1].end, _spaced(final.text), final.words)
        if whole.text:
            yield from [whole] if _fits(whole) or not final.words else _cut(final)


def _cut(final: FinalTranscript) -> Iterator[Cue]:
    """Splits a final into cues, with as many words in each as fit."""
    parts = _parts(final)
    words, first = final.words, 0
    cue = _joined(words[:1], parts[:1])
    for count in range(2, len(words) + 1):
        longer = _joined(words[first:count], parts[first:count])
        if not _fits(longer):
            yield cue
            first = count - 1
            longer = _joined(words[first:count], parts[first:count])
        cue = longer
    yield cue


def _joined(words: tuple[Word, ...], parts: list[str]) -> Cue:
    return Cue(words[0].start, words[-1].end, _spaced("".join(parts)), words)


def _parts(final: FinalTranscript) -> list[str]:
    """Splits the final's text before each word.

    Returns the words themselves if the text does not hold them in order.
    """
    starts, at = [], 0
    for word in final.words:
        found = final.text.find(word.text.strip(), at)
        if found < 0:
            return [f"{word.text} " for word in final.words]
        upto = found + len(word.text.strip())
        while found > at and unicodedata.category(final.text[found - 1]) in ("Ps", "Pi"):
            found -= 1  # an opening bracket or quotation mark goes with the word after it
        starts.append(found)
        at = upto
    starts[0] = 0
    return [final.text[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


def _fits(cue: Cue) -> bool:
    return len(_lines(cue.text)) <= MAX_LINES and cue.end - cue.start <= MAX_SECONDS


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _lines(text: str) -> list[str]:
    # Scripts of wide characters have no blanks, and lines may be broken between any two characters.
    wide = any(unicodedata.east_asian_width(character) in "WF" for character in text)
    return textwrap.wrap(text, LINE_CHARACTERS, break_long_words=wide, break_on_hyphens=False)


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
