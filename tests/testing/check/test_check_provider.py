"""The check of providers passes ours, and finds each kind of fault in a broken one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

import trio_speech as ts
from trio_speech.provider import Dial, Frame, SttMessage
from trio_speech.testing import check_provider

SECRET = "hunter2"


@pytest.mark.parametrize("model", ["deepgram/nova-3", "inworld/stt-1", "cartesia/ink-whisper"])
def test_livekit_passes(model: str) -> None:
    check_provider(ts.LiveKit("http://x/v1", SECRET, SECRET), model=model, secrets=[SECRET], runs=3)


def test_local_passes() -> None:
    check_provider(ts.Local(), runs=3)


def test_deepgram_passes() -> None:
    check_provider(ts.Deepgram(SECRET), secrets=[SECRET], runs=3)


@pytest.mark.parametrize("aligned", [False, True])
def test_elevenlabs_passes(aligned: bool) -> None:
    backend, options = ts.ElevenLabs(SECRET), {"sync_alignment": aligned}
    check_provider(backend, model="eleven_flash_v2_5", voice="ann", options=options, secrets=[SECRET], runs=3)


@pytest.mark.parametrize("options", [{}, {"add_timestamps": False}])
def test_cartesia_passes(options: dict[str, bool]) -> None:
    check_provider(ts.Cartesia(SECRET), voice="ann", options=options, secrets=[SECRET], runs=3)


class Broken:
    """A backend of Deepgram's, whose recognizer or codec is broken in the way of a test."""

    def __init__(self, **otherwise: Any) -> None:
        self._backend = ts.Deepgram(SECRET)
        self._otherwise = otherwise

    def __getattr__(self, name: str) -> Any:
        return self._otherwise.get(name) or getattr(self._backend, name)

    def recognizer(self, request: Any) -> Any:
        return Changed(self._backend.recognizer(request), self._otherwise)


class Changed:
    """An object with some attributes replaced; its codec has them too."""

    def __init__(self, inner: Any, otherwise: dict[str, Any]) -> None:
        self._inner = inner
        self._otherwise = otherwise

    def __getattr__(self, name: str) -> Any:
        changed = self._otherwise.get(name)
        return getattr(self._inner, name) if changed is None else changed(self._inner)

    def codec(self) -> Any:
        return Changed(self._inner.codec(), self._otherwise)


def without_finals(codec: Any) -> Any:
    def decode(frame: Frame) -> Iterable[SttMessage]:
        return [each for each in codec.decode(frame) if getattr(each, "kind", None) != "final"]

    return decode


def credulous(codec: Any) -> Any:
    def decode(frame: Frame) -> Iterable[SttMessage]:
        msgspec.json.decode(frame)
        return codec.decode(frame)  # type: ignore[no-any-return]

    return decode


def revealing(provider: Any) -> Any:
    async def dial() -> Dial:
        return Dial(f"{provider.url}&token={SECRET}")

    return dial


@pytest.mark.parametrize(
    ("otherwise", "complaint"),
    [
        ({"decode": without_finals}, "not delivered"),
        ({"decode": credulous}, "decode raised"),
        ({"keepalive": lambda codec: lambda: None}, "has no frame for it"),
        ({"update": lambda codec: lambda change: None}, "keyterms change on a running connection"),
        ({"profile": lambda provider: msgspec.structs.replace(provider.profile, encodings=("mulaw",))}, "takes it"),
        ({"profile": lambda provider: msgspec.structs.replace(provider.profile, max_channels=2)}, "refuses it"),
        ({"dial": revealing}, "shows a secret"),
    ],
)
def test_a_broken_provider_does_not_pass(otherwise: dict[str, Any], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_provider(Broken(**otherwise), secrets=[SECRET], runs=0)


def test_a_backend_without_either_side_is_told_so() -> None:
    with pytest.raises(AssertionError, match="neither a recognizer nor a voice"):
        check_provider(ts.Deepgram(SECRET), model="cartesia/ink-2")
