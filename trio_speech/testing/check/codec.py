"""Law 3: for any frame, a codec returns messages whose times are possible, or raises `ProtocolError`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any, Literal, cast, get_args

from msgspec import Struct

from ..._core.provider.messages import Aligned, RecognitionResult, SttMessage, TtsMessage
from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ...errors import ProtocolError
from ...events import Word
from ...providers._codec import Backend, Frame
from ..speech import speech
from .setup import Setup, run

_CASES = 2_000
_NOISE: tuple[Frame, ...] = ("", "null", "[]", "{}", "17", '"x"', '{"type":', "[" * 10_000, b"", b"\x00\xff" * 50)
_WRONG: tuple[Any, ...] = (None, "", "x", -1, 1e300, -1e300, True, [], {}, [None], {"a": 1}, "\ud800")
Side = Literal["recognizer", "voice"]


def check_codec(setup: Setup, side: Side) -> None:
    """Decodes many damaged frames. Raises `AssertionError` where the codec breaks law 3."""
    frames = _recorded(setup, side)
    if not frames:
        raise AssertionError("the service said nothing: is its wire the one of this backend?")
    provider = setup.recognizer if side == "recognizer" else setup.speaker
    allowed = get_args(SttMessage if side == "recognizer" else TtsMessage)
    random = Random(side)  # noqa: S311
    if provider is None:
        return
    codec = provider.codec()
    for case in range(_CASES):
        if case % 10 == 0:
            codec = provider.codec()  # what a fresh connection makes of it
        frame = _mangled(random.choice(frames), random)
        try:
            messages = list(codec.decode(frame))
        except ProtocolError:
            continue
        except Exception as error:
            raise AssertionError(f"decode raised {error!r} for {str(frame)[:500]!r}") from error
        for message in messages:
            _check(message, allowed, frame)


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


class _Recorder:
    """Wraps a backend, a provider or a codec, and records the frames that its codec decodes."""

    def __init__(self, inner: Any, frames: list[Frame]) -> None:
        self._inner = inner
        self._frames = frames

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def recognizer(self, request: TranscribeRequest) -> Any:
        return _Recorder(self._inner.recognizer(request), self._frames)

    def voice(self, request: SynthesizeRequest) -> Any:
        return _Recorder(self._inner.voice(request), self._frames)

    def codec(self) -> Any:
        return _Recorder(self._inner.codec(), self._frames)

    def decode(self, frame: Frame) -> Any:
        self._frames.append(frame)
        return self._inner.decode(frame)


def _recorded(setup: Setup, side: Side) -> list[Frame]:
    """Returns all frames that the service sends in one session without faults."""
    frames: list[Frame] = []
    backend = cast(Backend, _Recorder(setup.backend, frames))

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
    return frames
