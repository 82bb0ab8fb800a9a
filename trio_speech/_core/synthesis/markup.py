"""Markup in text: tags such as ``<break time="1s"/>`` and ``<prosody rate="slow">…</prosody>``, and cues in brackets
such as ``[laughs]``.

Each provider decides which markup its voices take. This module only finds it, so that no segment ends inside a tag or a
cue, or between a tag and the one that closes it.
"""

from __future__ import annotations

import re

LONGEST_TAG = 300
"""The most characters between the angle brackets of a tag; anything longer counts as text."""

_TAG = re.compile(rf"<(?P<closes>/)?(?P<name>[A-Za-z][\w:.-]*)(?P<inside>(?:[\s/][^<>]{{0,{LONGEST_TAG}}})?)>")
_CUE = re.compile(r"\[[A-Za-z][^\[\]\n<>]{0,40}\]")
_UNFINISHED = re.compile(
    rf"<(?:/?(?:[A-Za-z][\w:.-]*(?:[\s/][^<>]{{0,{LONGEST_TAG}}})?)?)?\Z|\[(?:[A-Za-z][^\[\]\n<>]{{0,40}})?\Z"
)
_ALONE = frozenset(("br", "break", "hr", "img", "mark"))
"""Tags that stand alone, even without a slash before the closing bracket."""


def mask(text: str) -> str:
    """Returns the text with each character of a tag replaced by a space, so that positions stay the same."""
    return _TAG.sub(lambda tag: " " * len(tag[0]), text) if "<" in text else text


def finished(text: str) -> int:
    """Returns the length of `text` without an unfinished tag or cue at its end."""
    unfinished = _UNFINISHED.search(text) if "<" in text or "[" in text else None
    return unfinished.start() if unfinished else len(text)


def before_opening_tags(text: str, masked: str, end: int) -> int:
    """Returns `end`, or the start of the tags right before it: all but closing tags belong to the text behind them."""
    for tag in _TAG.finditer(text, 0, end):
        if not tag["closes"] and masked[tag.start() : end].isspace():
            return tag.start()
    return end


def is_inside(text: str, at: int) -> bool:
    """Whether a cut at `at` would cut a tag or a cue in two."""
    return any(
        piece.start() < at < piece.end()
        for pattern, mark in ((_TAG, "<"), (_CUE, "["))
        if mark in text
        for piece in pattern.finditer(text)
    )


def is_between_a_pair(text: str, at: int) -> bool:
    """Whether a tag that opens before `at` is closed only behind it, or not at all."""
    unclosed: list[str] = []
    for tag in _TAG.finditer(text, 0, at) if "<" in text else ():
        if tag["closes"]:
            # A closing tag ends all that was opened inside its pair.
            if tag["name"] in unclosed:
                del unclosed[unclosed.index(tag["name"]) :]
        elif not tag["inside"].endswith("/") and tag["name"] not in _ALONE:
            unclosed.append(tag["name"])
    return bool(unclosed)
