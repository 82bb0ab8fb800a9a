"""States as values: a copy of one, and the exact key of a copy.

A state is copied by pickling. What never changes in a search (the case, its profile, its chunks, classes) is referred
to, and not copied. The exact key is the copy, with each moment in it taken less now: two states that differ in nothing
but the time of day are one. It tells apart much that makes no difference; see `keys` for what does.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import re
import struct
from collections.abc import Callable
from typing import Any

from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.reconciliation import ComparedWord
from trio_speech.audio import AudioFormat
from trio_speech.events import Word
from trio_speech.policy import ReplayPolicy
from trio_speech.testing.scripted.account import Diction

from .script import Script
from .service import Pace
from .world import EPOCH, TICK, Case, World

_known: list[Any] = []
_numbers: dict[int, int] = {}
_values: dict[Any, int] = {}


def _constant(number: int) -> Any:
    return _known[number]


def _refer(value: Any) -> Any:
    number = _numbers.get(id(value))
    if number is None:
        number = _numbers[id(value)] = len(_known)
        _known.append(value)
    return _constant, (number,)


def _refer_to_value(value: Any) -> Any:
    """For what is equal to many others, and never changes."""
    number = _values.get(value)
    if number is None:
        number = _values[value] = len(_known)
        _known.append(value)
    return _constant, (number,)


_dispatch = copyreg.dispatch_table.copy()
_dispatch.update(dict.fromkeys((Case, SttProfile, ReplayPolicy, AudioFormat, Script, Diction, Pace), _refer))
_dispatch.update(dict.fromkeys((Word, ComparedWord), _refer_to_value))


def frozen(world: World) -> bytes:
    """A state as bytes, good in this process only."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _dispatch
    pickler.dump(world)
    return buffer.getvalue()


thawed: Callable[[bytes], World] = pickle.loads


_MOMENT = re.compile(rb"G(A[\x2e-\x2f].{6})", re.DOTALL)
"""A number from `EPOCH` on, as it is pickled."""
assert all(_MOMENT.fullmatch(b"G" + struct.pack(">d", moment)) for moment in (EPOCH, EPOCH + 10_000))


def exact_key(copy: bytes, now: float) -> int:
    """Equal for two states from which the same things follow, of which these are copies."""

    def less_now(found: re.Match[bytes]) -> bytes:
        return b"G%d" % round((struct.unpack(">d", found[1])[0] - now) / TICK)

    return hash(_MOMENT.sub(less_now, copy))


def refer_to_classes(world: World, seen: set[type] | None = None) -> None:
    """Lets copies name classes by a number."""
    for found in re.finditer(rb"\x8c.([\w.]+)\x94\x8c.(\w+)\x94\x93", frozen(world)):
        module, name = found[1].decode(), found[2].decode()
        if (module, name) not in copyreg._extension_registry:  # type: ignore[attr-defined]
            copyreg.add_extension(module, name, 0x1000 + len(copyreg._extension_registry))  # type: ignore[attr-defined]
