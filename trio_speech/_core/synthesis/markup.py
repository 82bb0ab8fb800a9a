"""Markup in text: tags such as ``<break time="1s"/>`` and ``<prosody rate="slow">…</prosody>``, and cues in brackets
such as ``[laughs]``.

Which markup a voice takes is its provider's business. Here it is only kept whole: no segment may end inside a tag or a
cue, or between a tag and the one that closes it.
"""

from __future__ import annotations

import re

LONGEST_TAG = 300
"""Characters between the angle brackets of a tag: what is longer is taken for text."""

_TAG = re.compile(rf"<(?P<closes>/)?(?P<name>[A-Za-z][\w:.-]*)(?P<inside>(?:[\s/][^<>]{{0,{LONGEST_TAG}}})?)>")
_CUE = re.compile(r"\[[A-Za-z][^\[\]\n<>]{0,40}\]")
_UNFINISHED = re.compile(
    rf"<(?:/?(?:[A-Za-z][\w:.-]*(?:[\s/][^<>]{{0,{LONGEST_TAG}}})?)?)?\Z|\[(?:[A-Za-z][^\[\]\n<>]{{0,40}})?\Z"
)
_ALONE = frozenset(("br", "break", "hr", "img", "mark"))
"""Tags that stand alone, even without a slash before the closing bracket."""


def mask(text: str) -> str:
    """The text with a space for each character of a tag, so that positions stay the same."""
    return _TAG.sub(lambda tag: " " * len(tag[0]), text) if "<" in text else text


def finished(text: str) -> int:
    """The length of `text` without a tag or a cue at its end that is not complete, and may become one."""
    unfinished = _UNFINISHED.search(text) if "<" in text or "[" in text else None
    return unfinished.start() if unfinished else len(text)


def before_opening_tags(text: str, masked: str, end: int) -> int:
    """`end`, or the start of the tags before it that belong to the text after it: all but closing ones."""
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
    """Whether a tag before `at` is not closed before `at`."""
    unclosed: list[str] = []
    for tag in _TAG.finditer(text, 0, at) if "<" in text else ():
        if tag["closes"]:
            # A closing tag ends all that was opened inside its pair.
            if tag["name"] in unclosed:
                del unclosed[unclosed.index(tag["name"]) :]
        elif not tag["inside"].endswith("/") and tag["name"] not in _ALONE:
            unclosed.append(tag["name"])
    return bool(unclosed)
