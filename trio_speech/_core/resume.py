"""How speech goes on after a drop in mid-audio: the mode that the user asked for, and what a voice makes of it.

    asked for    voice            mode        until       again
    ─────────    ─────────────    ────────    ────────    ───────
    word         aligned          word        word        words
    word         deterministic    word        received    samples
    word         neither          segment     complete    whole
    segment      any              segment     complete    whole
    restart      any              restart     received    text
    never        any              never       received    error

    until       released while the voice speaks         again       where the next speaking is cut
    ────────    ────────────────────────────────        ────────    ─────────────────────────────────────────
    word        up to the end of the last aligned       words       where the words released before end in it
                word whose audio has come whole
    received    all that has come                       samples     at the number of samples released before
    complete    nothing until it is complete            whole       nowhere: nothing had been released
                                                        text        nowhere: the whole text begins again
                                                        error       it is not spoken again

What is complete is released whole in every mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from .profile import TtsProfile

Resume: TypeAlias = Literal["word", "segment", "restart", "never"]
"""What to do about a drop in mid-audio. ``"word"``: speak the sentence again and cut what was handed over;
``"segment"``: hand over whole sentences only; ``"restart"``: begin all the text again, and say so; ``"never"``: raise.
"""


class Policy(Struct, frozen=True):
    """One row of the first table."""

    mode: Resume
    until: Literal["word", "received", "complete"]
    again: Literal["words", "samples", "whole", "text", "error"]


_BY_WORDS = Policy("word", "word", "words")
_BY_SAMPLES = Policy("word", "received", "samples")
_ASKED: Mapping[Resume, Policy] = {
    "word": Policy("segment", "complete", "whole"),
    "segment": Policy("segment", "complete", "whole"),
    "restart": Policy("restart", "received", "text"),
    "never": Policy("never", "received", "error"),
}


def resume_policy(asked: Resume, profile: TtsProfile) -> Policy:
    """What can be kept of `asked` with this voice."""
    if asked == "word" and profile.aligned:
        return _BY_WORDS
    if asked == "word" and profile.deterministic:
        return _BY_SAMPLES
    return _ASKED[asked]
