"""The key of a state holds all that can still influence what follows: else the searches would skip what they find."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest

from . import keys, machine_key
from .bisimulation import compare
from .cases import KINDS, RICH, USER, case
from .search import world_of
from .test_exploration import WHOLE
from .world import World

LEFT_OUT = {
    "constant": "_pause _sliver audio_format policy rate _frame_size _lead_in _encoding block _at_least _share _rate "
    "_chunk _profile itself _margin _reach timeout _almost_full _full _lump _slowness _stalled_after _after "
    "_longest_doubt _spans_settle _trusts_spans _onset_reach _drift _is_first answer_within _session "
    "_log _digestion _longest",
    "counted or told, never asked for": "taken total unread_bytes _ordinal trail _closed_at _size _kept "
    "_taken _run_from _furthest",
    "the audio of the script, whose place is in the key": "_buffer _begins position",
    "told by the level, which must not move": "_peaks _measured_until _has_spoken",
    "set anew before it is looked at": "_looks_at",
    "follows from others in the key": "_answered_at _until doubtful_from asked_by overdue_from _known begun_with",
    "for a full log, a pace, a cap on replays or on a session; in a script there is none": "committed_at _burst _gone "
    "_since _speed _paid_until _replayed _begun_at barren_by barren_from _digested_by",
    "for what no row of the grammar says": "_turn_from _opened",
    "of a standby: void or not, and no time by which it must prove better": "_begins_with _within _proves_by",
    "of a link that is over": "_over",
}
"""By reason, the fields that the key does not look at."""


def test_every_field_of_a_state_is_in_its_key_or_left_out_for_a_reason() -> None:
    named = set(re.findall(r"\w+", inspect.getsource(machine_key) + inspect.getsource(keys)))
    left_out = {name for names in LEFT_OUT.values() for name in names.split()}
    world = world_of(case("span", (1,), suspicions=1))
    for action in ("capture", "suspect", "stand by"):
        world.act((action,))
    fields = set(_fields(world, set()))
    assert fields - named - left_out == set(), "say in `machine_key` how they matter, or above why they do not"
    assert left_out - fields == set(), "there is no such field any more"


def _fields(of: object, seen: set[int]) -> Iterator[str]:
    ours = ("trio_speech._core.recognition", "trio_speech.testing.scripted", "tests.", World.__module__)
    if id(of) in seen or not type(of).__module__.startswith(ours):
        return
    seen.add(id(of))
    for name, value in getattr(of, "__dict__", {}).items():
        yield name
        yield from _fields(value, seen)


SMALL = ("span, never answers", "span, no finalize")


@pytest.mark.parametrize("kind", SMALL)
def test_states_with_one_key_let_the_same_follow(kind: str) -> None:
    compared = compare(case(kind, (1,), faults=1), most=1_200)
    assert compared.differing == []
    assert 2 * compared.keys < compared.states


@WHOLE
@pytest.mark.parametrize("kind", KINDS)
def test_states_with_one_key_let_the_same_follow_for_every_kind(kind: str) -> None:
    assert compare(case(kind, (1,), faults=1)).differing == []
    assert compare(case(kind, (1, 1), faults=0), most=20_000).differing == []
    rich = case(kind, (1,), rows=RICH, faults=1, liberties=1, user=USER)
    assert compare(rich, most=20_000).differing == []
    assert compare(case(kind, (1,), faults=1, suspicions=1), most=20_000).differing == []


@pytest.mark.parametrize("part", ["_evidence", "_requests", "_feed"])
def test_a_key_that_leaves_out_what_matters_is_found(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_key, part, lambda *_, **__: None)
    assert compare(case("untrusted, no times", (1,), faults=1), most=1_500).differing
