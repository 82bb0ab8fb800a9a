"""Law 3: for any frame, a codec returns messages whose times are possible, or raises `ProtocolError`.

A codec knows what was asked of it before. So each frame is decoded by a copy of the codec that received it in a
session, as it was then; where it cannot be copied, by a fresh one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, get_args

from msgspec import Struct

from ..._core.provider.messages import Aligned, RecognitionResult, SttMessage, TtsMessage, Unknown
from ...errors import ProtocolError
from ...events import Word
from ...providers._codec import Frame
from .complaints import bounded
from .laws import LawBroken, demand
from .learning import copied, learned
from .setup import Setup, Side

_CASES = 2_000
_NOISE: tuple[Frame, ...] = ("", "null", "[]", "{}", "17", '"x"', '{"type":', "[" * 10_000, b"", b"\x00\xff" * 50)
_WRONG: tuple[Any, ...] = (None, "", "x", -1, 1e300, -1e300, True, [], {}, [None], {"a": 1}, "\ud800")
_NEW = "new_in_this_version"
_TYPES = ("type", "message_type")
"""The fields by which services name the type of a message."""


def check_codec(setup: Setup, side: Side) -> None:
    """Decodes many damaged frames. Raises `LawBroken` where the codec breaks law 3."""
    recorded = learned(setup, side).frames
    fresh = setup.provider(side).codec
    for codec, frame in recorded:
        _check_news(codec, frame, fresh)
    allowed = get_args(SttMessage if side == "recognizer" else TtsMessage)
    random = Random(side)  # noqa: S311
    for _ in range(_CASES):
        codec, frame = random.choice(recorded)
        frame = _mangled(frame, random)
        for message in _decoded(copied(codec) or fresh(), frame):
            _check(message, allowed, frame)


def _decoded(codec: Any, frame: Frame) -> list[Any]:
    """Returns the messages in a frame; none where it is malformed."""
    try:
        return list(bounded(codec.decode(frame), "decode"))
    except ProtocolError:
        return []
    except Exception as error:
        raise LawBroken(f"decode raised {error!r} for {_quoted(frame)}") from error


def _check_news(codec: Any, frame: Frame, fresh: Callable[[], Any]) -> None:
    """Raises `LawBroken` where a field, or a type of message, that the codec cannot know is not skipped."""
    new = _with_news(frame)
    usual = list((copied(codec) or fresh()).decode(frame))
    said = _new_to(copied(codec) or fresh(), new, "a field")
    demand(said == usual, f"a field that is new to the codec changes {usual!r} to {said!r}: {_quoted(new)}")
    for name in _TYPES:
        stranger = _with(frame, {name: _NEW})
        if stranger != frame:
            said = _new_to(copied(codec) or fresh(), stranger, "a type of message")
            known = [message for message in said if not isinstance(message, Unknown)]
            demand(not known, f"a type of message that is new to the codec is taken for {known!r}: {_quoted(stranger)}")


def _new_to(codec: Any, frame: Frame, what: str) -> list[Any]:
    try:
        return list(codec.decode(frame))
    except Exception as error:
        raise LawBroken(f"{what} that is new to the codec is malformed to it ({error!r}): {_quoted(frame)}") from error


def _with(frame: Frame, fields: dict[str, Any]) -> Frame:
    """Returns `frame` with other values for the fields of its JSON object; other frames as they are."""
    try:
        value = json.loads(frame) if isinstance(frame, str) else None
    except ValueError:
        return frame
    return json.dumps({**value, **fields}) if isinstance(value, dict) and value.keys() >= fields.keys() else frame


def _quoted(frame: Frame) -> str:
    return repr(str(frame)[:500])


def _with_news(frame: Frame) -> Frame:
    """Returns `frame` with one more field in each of its JSON objects; other frames as they are."""

    def news(value: Any) -> Any:
        if isinstance(value, dict):
            return {**{name: news(each) for name, each in value.items()}, _NEW: {"x": [1, None]}}
        return [news(each) for each in value] if isinstance(value, list) else value

    try:
        return json.dumps(news(json.loads(frame))) if isinstance(frame, str) else frame
    except ValueError:
        return frame


def _check(message: object, allowed: tuple[type, ...], frame: Frame) -> None:
    demand(isinstance(message, allowed), f"decode returned {message!r}, which is no message, for {_quoted(frame)}")
    for start, end in _spans(message):
        possible = 0.0 <= start <= end and math.isfinite(end)
        demand(possible, f"decode returned a span from {start} to {end} for {_quoted(frame)}")


def _spans(message: object) -> Iterator[tuple[float, float]]:
    words: tuple[Word, ...] = ()
    match message:
        case RecognitionResult():
            yield message.start, message.end
            words = message.words
        case Aligned():
            words = message.words
        case Struct():
            times = [getattr(message, name, None) for name in ("at", "upto", "within")]
            yield from ((time, time) for time in times if time is not None)
        case _:
            pass
    yield from ((word.start, word.end) for word in words)


def _mangled(frame: Frame, random: Random) -> Frame:
    """Returns `frame` with something wrong in it, or `frame` itself, or noise."""
    what = random.randrange(6)
    if what == 0:
        return random.choice(_NOISE)
    if what == 1:
        return frame[: random.randrange(len(frame) + 1)]
    if what == 2 or not isinstance(frame, str):
        return frame
    try:
        value = json.loads(frame)
    except ValueError:
        return frame
    return json.dumps(_replaced(value, random))


def _replaced(value: Any, random: Random) -> Any:
    """Returns `value` with one part of it left out, or replaced by something of another type."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        if random.random() < 0.2:
            return {name: each for name, each in value.items() if name != key}
        return {**value, key: _replaced(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.9:
        index = random.randrange(len(value))
        return [*value[:index], _replaced(value[index], random), *value[index + 1 :]]
    return random.choice(_WRONG)
