"""Law 3: for any frame, a codec returns messages whose times are possible, or raises `ProtocolError`.

A codec knows what was asked of it before. So each frame is decoded by a copy of the codec that received it in a
session, as it was then; where it cannot be copied, by a fresh one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from random import Random
from typing import Any, Literal, cast, get_args

from msgspec import Struct

from ..._core.provider.messages import Aligned, RecognitionResult, SttMessage, TtsMessage
from ...errors import ProtocolError
from ...events import Word
from ...providers._codec import Backend, Frame
from ..speech import speech
from .setup import Setup, run
from .watched import Delegating, WatchedBackend

_CASES = 2_000
_NOISE: tuple[Frame, ...] = ("", "null", "[]", "{}", "17", '"x"', '{"type":', "[" * 10_000, b"", b"\x00\xff" * 50)
_WRONG: tuple[Any, ...] = (None, "", "x", -1, 1e300, -1e300, True, [], {}, [None], {"a": 1}, "\ud800")
Side = Literal["recognizer", "voice"]


def check_codec(setup: Setup, side: Side) -> None:
    """Decodes many damaged frames. Raises `AssertionError` where the codec breaks law 3."""
    provider = setup.recognizer if side == "recognizer" else setup.speaker
    if provider is None:
        return
    recorded = _recorded(setup, side)
    if not recorded:
        raise AssertionError("the service said nothing: is its wire the one of this backend?")
    for codec, frame in recorded:
        _check_news(codec, frame, provider.codec)
    allowed = get_args(SttMessage if side == "recognizer" else TtsMessage)
    random = Random(side)  # noqa: S311
    for _ in range(_CASES):
        codec, frame = random.choice(recorded)
        frame = _mangled(frame, random)
        try:
            messages = list((_copy(codec) or provider.codec()).decode(frame))
        except ProtocolError:
            continue
        except Exception as error:
            raise AssertionError(f"decode raised {error!r} for {str(frame)[:500]!r}") from error
        for message in messages:
            _check(message, allowed, frame)


def _copy(codec: Any) -> Any:
    """Returns a copy of a codec; ``None`` if what it holds is no plain data."""
    try:
        return deepcopy(codec)
    except (TypeError, AttributeError, RecursionError):
        return None


def _check_news(codec: Any, frame: Frame, fresh: Callable[[], Any]) -> None:
    """Raises `AssertionError` where a field that the codec cannot know changes what it says."""
    new = _with_news(frame)
    usual = list((_copy(codec) or fresh()).decode(frame))
    try:
        said = list((_copy(codec) or fresh()).decode(new))
    except ProtocolError as error:
        raise AssertionError(f"a field that is new to the codec is malformed to it ({error}): {new!r}") from error
    if said != usual:
        raise AssertionError(f"a field that is new to the codec changes {usual!r} to {said!r}: {new!r}")


def _with_news(frame: Frame) -> Frame:
    """Returns `frame` with one more field in each of its JSON objects; other frames as they are."""

    def news(value: Any) -> Any:
        if isinstance(value, dict):
            return {**{name: news(each) for name, each in value.items()}, "new_in_this_version": {"x": [1, None]}}
        return [news(each) for each in value] if isinstance(value, list) else value

    try:
        return json.dumps(news(json.loads(frame))) if isinstance(frame, str) else frame
    except ValueError:
        return frame


def _check(message: object, allowed: tuple[type, ...], frame: Frame) -> None:
    if not isinstance(message, allowed):
        shown = str(frame)[:500]
        raise AssertionError(f"decode returned {message!r}, which is no message, for {shown!r}")  # noqa: TRY004
    for start, end in _spans(message):
        if not (0.0 <= start <= end and math.isfinite(end)):
            raise AssertionError(f"decode returned a span from {start} to {end} for {str(frame)[:500]!r}")


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


class _Recorded(Delegating):
    """A codec that adds each frame that it decodes, and itself as it is before, to `record`."""

    def __init__(self, codec: Any, record: list[tuple[Any, Frame]]) -> None:
        super().__init__(codec)
        self._record = record

    def decode(self, frame: Frame) -> Any:
        self._record.append((_copy(self._inner), frame))
        return self._inner.decode(frame)


def _recorded(setup: Setup, side: Side) -> list[tuple[Any, Frame]]:
    """Returns all frames that the service sends in one session without faults, each with the codec that gets it."""
    record: list[tuple[Any, Frame]] = []

    def watch(codec: Any, profile: object, audio_format: object) -> Any:
        return _Recorded(codec, record)

    backend = cast(Backend, WatchedBackend(setup.backend, watch, watch))

    async def listen() -> None:
        said = speech(6.0, audio_format=setup.audio_format)
        async with setup.client((), backend) as (client, _):
            await client.recognize(said, said.audio_format, **setup.asked.recognition)

    async def speak() -> None:
        async with setup.client((), backend) as (client, _):
            await client.render(
                "One two three. Four five.",
                audio_format=setup.speech_format,
                **setup.asked.synthesis,
            )

    run(f"{side}, a session to learn what the service says", partial(listen if side == "recognizer" else speak))
    return record
