"""How speech goes on after a connection was lost in the middle of a segment (the text of one request).

That depends on the mode that the user has asked for, and on what the voice can do. A *rendition* is the audio that one
request has brought. Audio is *released* when it may be handed to the user. Audio is *torn* where it was handed over and
is spoken again.

    asked for    voice            mode        until       again
    ─────────    ─────────────    ────────    ────────    ────────
    word         aligned          word        word        words
    word         deterministic    word        received    samples
    word         neither          segment     complete    whole
    segment      any              segment     complete    whole
    restart      any              restart     received    text
    eager        any              eager       received    sentence
    never        any              never       received    error

    until       released while it is incomplete           again       where the next rendition is released from
    ────────    ───────────────────────────────────       ────────    ───────────────────────────────────────────
    word        up to the end of the last aligned         words       the end of the last word released; audio handed
                word, and a little more where the                     over beyond it is told as torn
                player would run dry: see `rendition`
    received    all audio that has arrived                samples     as many samples in as were released before
    complete    nothing                                   whole       its start: nothing had been released
                                                          text        the start of all the text
                                                          sentence    its start; the audio handed over is told as torn
                                                          error       there is none: the session fails

A complete rendition is released whole in every mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from ..provider.profile import TtsProfile

Resume: TypeAlias = Literal["word", "segment", "restart", "never", "eager"]
"""What to do when the connection is lost in mid-sentence. ``"word"``: speak the sentence again, and go on after the
last word that was handed over. ``"segment"``: hand over whole sentences only. ``"restart"``: begin all of the text
again, and set `AudioChunk.restart`. ``"eager"``: hand over audio as it comes, and begin the sentence again, told by
`AudioChunk.torn`. ``"never"``: raise an error.
"""


class ResumePolicy(Struct, frozen=True):
    """The mode in effect, with its `until` and `again` as in the tables above."""

    mode: Resume
    until: Literal["word", "received", "complete"]
    again: Literal["words", "samples", "whole", "text", "sentence", "error"]


_BY_WORD = ResumePolicy("word", "word", "words")
_BY_SAMPLE = ResumePolicy("word", "received", "samples")
WHOLE = ResumePolicy("segment", "complete", "whole")
_AS_ASKED: Mapping[Resume, ResumePolicy] = {
    "segment": WHOLE,
    "restart": ResumePolicy("restart", "received", "text"),
    "eager": ResumePolicy("eager", "received", "sentence"),
    "never": ResumePolicy("never", "received", "error"),
}


def resume_policy(asked: Resume, profile: TtsProfile) -> ResumePolicy:
    """Returns the policy in effect for the mode `asked`, with a voice of this profile (the first table)."""
    if asked != "word":
        return _AS_ASKED[asked]
    if profile.aligned:
        return _BY_WORD
    return _BY_SAMPLE if profile.deterministic else WHOLE


def starts_with_a_clause(asked: Resume, profile: TtsProfile) -> bool:
    """Whether the first segment should be only a clause, so that speech starts sooner.

    So it is where the user asked for the mode ``"word"`` and the voice allows only whole segments.
    """
    return asked == "word" and resume_policy(asked, profile) is WHOLE
