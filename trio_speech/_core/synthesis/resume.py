"""How speech goes on after a drop in mid-audio: the mode that the user asked for, and what a voice makes of it.

    asked for    voice            mode        until       again
    ─────────    ─────────────    ────────    ────────    ───────
    word         aligned          word        word        words
    word         deterministic    word        received    samples
    word         neither          segment     complete    whole
    segment      any              segment     complete    whole
    restart      aligned          restart     word        text
    restart      other            restart     received    text
    never        aligned          never       word        error
    never        other            never       received    error

    until       released while the voice speaks         again       where the next speaking is cut
    ────────    ────────────────────────────────        ────────    ─────────────────────────────────────────
    word        up to the end of the last aligned       words       where the words released before end in it
                word that has more audio behind it
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

from ..provider.profile import TtsProfile

Resume: TypeAlias = Literal["word", "segment", "restart", "never"]
"""What to do about a drop in mid-audio. ``"word"``: speak the sentence again and cut what was handed over;
``"segment"``: hand over whole sentences only; ``"restart"``: begin all the text again, and say so; ``"never"``: raise.
"""


class ResumePolicy(Struct, frozen=True):
    """One row of the first table."""

    mode: Resume
    until: Literal["word", "received", "complete"]
    again: Literal["words", "samples", "whole", "text", "error"]


_WHOLE = ResumePolicy("segment", "complete", "whole")
_ALIGNED: Mapping[Resume, ResumePolicy] = {
    "word": ResumePolicy("word", "word", "words"),
    "segment": _WHOLE,
    "restart": ResumePolicy("restart", "word", "text"),
    "never": ResumePolicy("never", "word", "error"),
}
_OTHER: Mapping[Resume, ResumePolicy] = {
    "word": _WHOLE,
    "segment": _WHOLE,
    "restart": ResumePolicy("restart", "received", "text"),
    "never": ResumePolicy("never", "received", "error"),
}
_STEADY: Mapping[Resume, ResumePolicy] = {**_OTHER, "word": ResumePolicy("word", "received", "samples")}


def resume_policy(asked: Resume, profile: TtsProfile) -> ResumePolicy:
    """What can be kept of `asked` with this voice."""
    if profile.aligned:
        return _ALIGNED[asked]
    return _STEADY[asked] if profile.deterministic else _OTHER[asked]
