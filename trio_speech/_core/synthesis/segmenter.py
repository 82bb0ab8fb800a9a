"""Cuts streamed text into segments of one sentence each, as soon as it is certain where a sentence ends.

Laws
    1. Nothing is lost or reordered: joined, the segments are the text again, except for runs of white space.
    2. Where text is cut depends on the text alone, and not on the pieces in which it came, except by `flush` and
       `complete`.
    3. A sentence is complete once the first word after it is: only that word tells "at 5 p.m. Then" from
       "at 5 p.m. then", and "Plan B. Go" from "J. R. Smith". Scripts without spaces need one more character. A blank
       line ends any sentence.
    4. No segment is longer than the cap: a longer one is cut at a space, or after punctuation, or else anywhere.
    5. A segment contains a letter or a digit outside of markup, unless it was flushed or cut at the cap: a voice speaks
       nothing for "..." alone.
    6. No segment ends inside markup (see `markup`) or a decimal number, or between a list item's number and its text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from .markup import before_opening_tags, finished, is_between_a_pair, is_inside, mask
from .sentences import (
    LIKE_AN_END,
    MOMENT,
    clause_end,
    has_words,
    is_complete,
    looks_complete,
    may_end,
    sentence_ends,
    sentence_splitter,
)

_LONGEST = 1_000
_LEADING_SPACE = re.compile(r"^\s+(?=\s)")


class Segmenter:
    """Collects text until a sentence is complete. It holds no more than one segment and one tag.

    `language`: a BCP 47 tag; ``None``: English rules. `max_characters`: the longest segment; ``None``: 1,000.
    `clause_first`: the first segment may be a clause, so that a voice that is heard segment by segment starts sooner.
    """

    def __init__(
        self, *, language: str | None = None, max_characters: int | None = None, clause_first: bool = False
    ) -> None:
        self._split = sentence_splitter(language)
        self._cap = max_characters or _LONGEST
        self._clause_first = self._is_first = clause_first
        self._pending = ""
        self._judged = 0
        """The index before which the pending text is known to have no end of a sentence."""

    @property
    def pending(self) -> str:
        """The text that was added and is in no segment yet."""
        return self._pending

    @property
    def may_be_complete(self) -> bool:
        """Whether the pending text ends like a sentence, so that `complete` may return it."""
        return looks_complete(mask(self._pending[-400:]))

    def push(self, text: str) -> list[str]:
        """Adds a piece of text; returns the segments that are complete now."""
        return list(self._push(text, finished))

    def flush(self, text: str = "") -> list[str]:
        """Adds `text`, and returns all segments: the pending text is the last one, sentence or not.

        Pending text that is only markup stays pending, for the text that it belongs to.
        """
        segments = list(self._push(text + " ", len))
        self._pending, self._judged = self._pending.removesuffix(" "), 0
        if self._pending.strip() and not is_markup(self._pending):
            segments.append(self._cut(len(self._pending)))
        return segments

    def finish(self, text: str = "") -> list[str]:
        """Does what `flush` does, for the end of the text: pending text that is only markup is dropped."""
        segments = self.flush(text)
        self.clear()
        return segments

    def complete(self) -> list[str]:
        """Returns the pending text as a segment if it is a sentence whatever may follow; else an empty list.

        Call it when no text came for a while.
        """
        masked = mask(self._pending)
        if finished(self._pending) < len(masked) or not is_complete(masked, self._split):
            return []
        end = before_opening_tags(self._pending, masked, len(masked))
        return [] if is_between_a_pair(self._pending, end) else [self._cut(end)]

    def clear(self) -> None:
        """Drops the pending text. The next segment counts as a first one again (see `clause_first`)."""
        self._pending = ""
        self._judged = 0
        self._is_first = self._clause_first

    def _push(self, text: str, finished_length: Callable[[str], int]) -> Iterator[str]:
        self._pending += text.encode(errors="replace").decode()  # half of a surrogate pair cannot be sent
        while end := self._next_end(finished_length):
            yield self._cut(end)

    def _cut(self, end: int) -> str:
        segment, self._pending = self._pending[:end], self._pending[end:]
        self._judged = 0
        self._is_first = False
        return segment

    def _next_end(self, finished_length: Callable[[str], int]) -> int:
        """Returns the index at which the first segment of the pending text ends, or 0 while that is not certain."""
        self._pending = _LEADING_SPACE.sub("", self._pending)
        # A tag that is still coming in may hide what looks like the end of a sentence.
        known = finished_length(self._pending)
        masked = mask(self._pending[:known])
        end = self._first_sentence(masked)
        if self._is_first:
            ends = (end, clause_end(masked[: self._cap]))
            end = min((each for each in ends if each and self._allows(masked, each)), default=0)
        if not end and len(self._pending) > self._cap and known > self._cap:
            end = forced_end(self._pending, masked, self._cap)
        return end

    def _first_sentence(self, masked: str) -> int:
        mark = LIKE_AN_END.search(masked)
        if mark is None:
            return 0
        since = max(self._judged, mark.end())
        # A blank line may begin right behind the word that was judged last.
        for moment in MOMENT.finditer(masked, max(self._judged - 1, mark.start()), self._cap + 1):
            at, is_blank_line = moment.end(), moment["blank_line"] is not None
            if at > self._cap if is_blank_line else at < since:
                continue
            self._judged = at + 1
            ends: Iterable[int] = (at,) if is_blank_line else sentence_ends(masked[:at], self._split)
            for end in ends:
                cut = before_opening_tags(self._pending, masked, end)
                if self._allows(masked, cut):
                    return cut
        return 0

    def _allows(self, masked: str, end: int) -> bool:
        return may_end(masked, end) and not is_inside(self._pending, end) and not is_between_a_pair(self._pending, end)


def is_markup(text: str) -> bool:
    """Whether `text` consists of markup only. False for empty text."""
    masked = mask(text)
    return masked != text and not masked.strip()


def speakable(text: str) -> bool:
    """Whether `text` has a letter or digit outside of its markup, so that a voice speaks something for it."""
    return has_words(mask(text))


def forced_end(text: str, masked: str, cap: int) -> int:
    """Returns the index at which to cut a text that is longer than `cap`.

    That is before the last space, else behind the last punctuation mark, else at the cap. If possible, the left part
    has letters or digits, and no markup, no letter with its marks and no number is cut in two.
    """
    spaces = [at for at in range(cap, 0, -1) if masked[at].isspace()]
    marks = [at for at in range(cap, 0, -1) if not masked[at - 1].isalnum() and not unicodedata.combining(text[at])]
    anywhere = [at for at in range(cap, 1, -1) if not unicodedata.combining(text[at])]
    for pairs_too in (True, False):
        for at in (*spaces, *marks):
            if may_end(masked, at) and not is_inside(text, at) and not (pairs_too and is_between_a_pair(text, at)):
                return at
    return next((at for at in anywhere if not is_inside(text, at)), anywhere[0] if anywhere else cap)
