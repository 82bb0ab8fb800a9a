"""What is explored: every kind of profile, with the core alphabet and with the rich one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from trio_speech._core.provider.profile import SttProfile
from trio_speech.policy import ReplayPolicy
from trio_speech.testing.scripted.account import Diction

from .script import Script
from .world import Case

CORE = ("onset", "interim", "final", "crossed final", "answer", "watermark", "end", "early end")
RICH = (
    *CORE,
    "partial final",
    "joined final",
    "doubled final",
    "restated final",
    "empty final",
    "blank final",
    "late interim",
    "late onset",
    "retraction",
    "onset of nothing",
    "ghost",
    "speech over",
)
USER = ("finalize", "update", "mute")
POLICY = ReplayPolicy(speed=float("inf"), lead_in=0.0)


def profile(**changes: Any) -> SttProfile:
    """A profile with these fields, as far as profiles have them."""
    known = {name: value for name, value in changes.items() if name in SttProfile.__struct_fields__}
    return SttProfile(**{"chunk": 0.5, "replay_speed": None} | known)


_untrusted = {"acknowledges": "finalize", "exact_times": False, "word_times": False}
_deepgram = {"exact_times": False, "ordered": True, "drift": 0.15, "may_ignore_finalize": True, "ends_by": "close"}
KINDS: dict[str, tuple[SttProfile, Diction]] = {
    "span": (profile(), Diction()),
    "span, ordered": (profile(ordered=True), Diction(ordered=True)),
    "span, lead-in": (profile(ordered=True), Diction(ordered=True)),
    "span, asked": (profile(finalizes_itself=False), Diction()),
    "span, never answers": (profile(), Diction(answers=False)),
    "span, answers by finals": (profile(answers_finalize=False), Diction(answers=False)),
    "span, no finalize": (profile(finalizes=False, ends_by="close"), Diction(answers=False)),
    "span, no word times": (profile(word_times=False), Diction(word_times=False, identified=True)),
    "span, drifting": (profile(exact_times=False, ordered=True, drift=0.15), Diction(ordered=True)),
    "drifting, ends by close": (profile(**_deepgram), Diction(ordered=True, ignores=True)),
    "watermark": (profile(acknowledges="watermark"), Diction()),
    "untrusted, billed": (profile(**_untrusted), Diction(times="billed")),
    "untrusted, no times": (profile(**_untrusted), Diction(times="zero")),
    "untrusted, asked": (profile(**_untrusted, finalizes_itself=False), Diction(times="zero")),
    "untrusted, never answers": (profile(**_untrusted), Diction(times="zero", answers=False)),
    "untrusted, no finalize": (
        profile(**_untrusted, finalizes=False, ends_by="close"),
        Diction(times="zero", answers=False),
    ),
}


def case(kind: str, utterances: tuple[int, ...] = (1, 1), *, rows: tuple[str, ...] = CORE, **changes: Any) -> Case:
    described, diction = KINDS[kind]
    rows = tuple(row for row in rows if _speaks(row, described, diction))
    placed = diction.word_times and diction.times == "exact"
    whole = Case(
        name=kind, profile=described, diction=diction, script=Script(utterances), rows=rows, same=placed, policy=POLICY
    )
    if kind == "span, lead-in":
        changes = {"policy": ReplayPolicy(speed=float("inf"), lead_in=0.5)} | changes
    elif "drifting" in kind:
        drifting = ReplayPolicy(speed=float("inf"), lead_in=1.0)
        changes = {"policy": drifting, "same": False, "drift": 0.06} | changes
    return replace(whole, **changes)


def _speaks(row: str, described: SttProfile, diction: Diction) -> bool:
    """Whether a service of this kind has a word for it."""
    match row:
        case "watermark":
            return described.acknowledges == "watermark"
        case "crossed final":
            return not diction.ordered and described.trusts_spans  # see docs/explanation/law.md: where exactness ends
        case "answer":
            return diction.answers
        case _:
            return True


def every(alphabet: str, utterances: tuple[int, ...], **changes: Any) -> Iterator[Case]:
    """Every kind of profile, with the core alphabet or with the rich one."""
    for kind in KINDS:
        if alphabet == "core":
            yield case(kind, utterances, **changes)
        else:
            yield case(kind, utterances, rows=RICH, user=USER, **changes)
