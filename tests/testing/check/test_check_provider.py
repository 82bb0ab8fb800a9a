"""The check of providers passes ours, and finds each kind of fault in a broken one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

import trio_speech as ts
from trio_speech.provider import Acknowledged, Aligned, Dial, Done, FinalizeAnswered, Frame, Opened, SttMessage
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

    def voice(self, request: Any) -> Any:
        speaking = {"decode": self._otherwise["speaking"]} if "speaking" in self._otherwise else {}
        return Changed(self._backend.voice(request), speaking)


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


def saying(change: Callable[[Any], Iterable[Any]]) -> Callable[[Any], Any]:
    """Makes a codec say, in the place of each message, what `change` makes of it."""

    def changed(codec: Any) -> Any:
        return lambda frame: [said for message in codec.decode(frame) for said in change(message)]

    return changed


def answering_itself(message: Any) -> Iterable[Any]:
    return (message, FinalizeAnswered()) if getattr(message, "kind", None) == "final" else (message,)


def acknowledging_what_was_not_sent(message: Any) -> Iterable[Any]:
    return (Acknowledged(message.upto + 1.0),) if isinstance(message, Acknowledged) else (message,)


def acknowledging_what_has_no_final(message: Any) -> Iterable[Any]:
    return (message, Acknowledged(message.end)) if getattr(message, "kind", None) == "interim" else (message,)


def done_twice(message: Any) -> Iterable[Any]:
    return (message, message) if isinstance(message, Done) else (message,)


def aligned_behind_the_audio(message: Any) -> Iterable[Any]:
    return (Aligned((ts.Word("late", 99.0, 99.5),)), message) if isinstance(message, Done) else (message,)


def aligned_backwards(message: Any) -> Iterable[Any]:
    words = (ts.Word("b", 0.9, 1.0), ts.Word("a", 0.1, 0.2))
    return (Aligned(words), message) if isinstance(message, Done) else (message,)


def credulous(codec: Any) -> Any:
    def decode(frame: Frame) -> Iterable[SttMessage]:
        msgspec.json.decode(frame)
        return codec.decode(frame)  # type: ignore[no-any-return]

    return decode


def strict(codec: Any) -> Any:
    def decode(frame: Frame) -> Iterable[SttMessage]:
        if "new_in_this_version" in str(frame):
            raise ts.ProtocolError("an unexpected field")
        return codec.decode(frame)  # type: ignore[no-any-return]

    return decode


def curious(codec: Any) -> Any:
    def decode(frame: Frame) -> Iterable[SttMessage]:
        return (*codec.decode(frame), *([Opened("news")] if "new_in_this_version" in str(frame) else ()))

    return decode


def revealing_what_it_sends(provider: Any) -> Any:
    async def dial() -> Dial:
        made = await provider.dial()
        hidden = [(name.replace("Authorization", "X-Who"), value.replace("Token ", "")) for name, value in made.headers]
        return Dial(made.url, tuple(hidden))

    return dial


def revealing(provider: Any) -> Any:
    async def dial() -> Dial:
        return Dial(f"{provider.url}&token={SECRET}")

    return dial


@pytest.mark.parametrize(
    ("otherwise", "complaint"),
    [
        ({"decode": without_finals}, "not delivered"),
        ({"decode": credulous}, "decode raised"),
        ({"decode": saying(answering_itself)}, "no request for finals is unanswered"),
        ({"decode": saying(acknowledging_what_was_not_sent)}, "of audio were sent"),
        ({"decode": saying(acknowledging_what_has_no_final)}, "was acknowledged before"),
        ({"speaking": saying(done_twice)}, "Done, and no generation is under way"),
        ({"speaking": saying(aligned_behind_the_audio)}, "a word at 99.000 s"),
        ({"speaking": saying(aligned_backwards)}, "after a word at 0.900 s"),
        ({"keepalive": lambda codec: lambda: None}, "has no frame for it"),
        ({"update": lambda codec: lambda change: None}, "keyterms change on a running connection"),
        ({"profile": lambda provider: msgspec.structs.replace(provider.profile, encodings=("mulaw",))}, "takes it"),
        ({"profile": lambda provider: msgspec.structs.replace(provider.profile, max_channels=2)}, "refuses it"),
        ({"decode": strict}, "new to the codec is malformed to it"),
        ({"decode": curious}, "new to the codec changes"),
        ({"dial": revealing}, "shows a secret"),
        ({"dial": revealing_what_it_sends}, "the log shows a secret"),
    ],
)
def test_a_broken_provider_does_not_pass(otherwise: dict[str, Any], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_provider(Broken(**otherwise), secrets=[SECRET], runs=0)


def test_a_backend_without_either_side_is_told_so() -> None:
    with pytest.raises(AssertionError, match="neither a recognizer nor a voice"):
        check_provider(ts.Deepgram(SECRET), model="cartesia/ink-2")
