"""The check of providers passes ours, and finds each kind of fault in a broken one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import pytest

import trio_speech as ts
from trio_speech.provider import Acknowledged, Aligned, Dial, Done, Failure, FinalizeAnswered, Frame, Opened, SttMessage
from trio_speech.testing import check_provider
from trio_speech.testing.check.laws import FATES

from .mutants import SECRET, OneSide


@pytest.mark.parametrize("model", ["deepgram/nova-3", "inworld/stt-1", "cartesia/ink-whisper"])
def test_livekit_passes(model: str) -> None:
    check_provider(ts.LiveKit("http://x/v1", SECRET, SECRET), model=model, secrets=[SECRET], runs=1)


def test_local_passes() -> None:
    check_provider(ts.Local(), runs=1)


@pytest.mark.parametrize("aligned", [False, True])
def test_elevenlabs_passes(aligned: bool) -> None:
    backend, options = ts.ElevenLabs(SECRET), {"sync_alignment": aligned}
    check_provider(backend, model="eleven_flash_v2_5", voice="ann", options=options, secrets=[SECRET], runs=1)


@pytest.mark.parametrize("options", [{}, {"add_timestamps": False}])
def test_cartesia_passes(options: dict[str, bool]) -> None:
    check_provider(ts.Cartesia(SECRET), voice="ann", options=options, secrets=[SECRET], runs=1)


class Broken:
    """An object with some attributes replaced: what `changes` has for them is called with the object itself.

    All that a backend makes of a request, and the codecs that this makes, are broken in the same way.
    """

    def __init__(self, inner: Any, changes: Mapping[str, Callable[[Any], Any]]) -> None:
        self._inner = inner
        self._changes = changes

    def __getattr__(self, name: str) -> Any:
        if name in self._changes:
            return self._changes[name](self._inner)
        value = getattr(self._inner, name)
        return self._broken(value) if name in ("recognizer", "voice", "codec") else value

    def _broken(self, make: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *asked: Broken(make(*asked), self._changes)


def saying(change: Callable[[Any], Iterable[Any]]) -> Callable[[Any], Any]:
    """Makes a codec say, in the place of each message, what `change` makes of it."""

    def changed(codec: Any) -> Any:
        return lambda frame: (said for message in codec.decode(frame) for said in change(message))

    return changed


def answering_itself(message: Any) -> Iterable[Any]:
    return (message, FinalizeAnswered()) if getattr(message, "kind", None) == "final" else (message,)


def acknowledging_what_has_no_final(message: Any) -> Iterable[Any]:
    return (message, Acknowledged(message.end)) if getattr(message, "kind", None) == "interim" else (message,)


def without_end(message: Any) -> Iterable[Any]:
    return itertools.repeat(message)


def aligned_behind_the_audio(message: Any) -> Iterable[Any]:
    return (Aligned((ts.Word("late", 99.0, 99.5),)), message) if isinstance(message, Done) else (message,)


def aligned_backwards(message: Any) -> Iterable[Any]:
    words = (ts.Word("b", 0.9, 1.0), ts.Word("a", 0.1, 0.2))
    return (Aligned(words), message) if isinstance(message, Done) else (message,)


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


def with_profile(**fields: Any) -> Callable[[Any], Any]:
    return lambda provider: msgspec.structs.replace(provider.profile, **fields)


@pytest.mark.parametrize(
    ("side", "change", "complaint"),
    [
        ("recognizer", {"decode": saying(answering_itself)}, "no request for finals is unanswered"),
        ("recognizer", {"decode": saying(acknowledging_what_has_no_final)}, "was acknowledged before"),
        ("recognizer", {"decode": saying(without_end)}, "decode gives more than 10,000 items at once"),
        ("recognizer", {"decode": curious}, "new to the codec changes"),
        ("recognizer", {"profile": with_profile(encodings=("mulaw",))}, "takes it"),
        ("recognizer", {"profile": with_profile(max_channels=2)}, "refuses it"),
        ("recognizer", {"dial": revealing_what_it_sends}, "the log shows a secret"),
        ("voice", {"decode": saying(aligned_behind_the_audio)}, "a word at 99.000 s"),
        ("voice", {"decode": saying(aligned_backwards)}, "after a word at 0.900 s"),
    ],
)
def test_a_broken_provider_does_not_pass(side: str, change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_provider(OneSide(Broken(ts.Deepgram(SECRET), change), side), secrets=[SECRET], runs=0)


def test_a_backend_without_either_side_is_told_so() -> None:
    with pytest.raises(AssertionError, match="neither a recognizer nor a voice"):
        check_provider(ts.Deepgram(SECRET), model="cartesia/ink-2")


def test_the_check_says_which_law_it_checks() -> None:
    told: list[str] = []
    check_provider(ts.Cartesia(SECRET), voice="ann", secrets=[SECRET], runs=0, progress=told.append)
    assert told[0] == "law 2, profile: the formats and messages of the voice"
    assert {line.partition(",")[0] for line in told} == {f"law {number}" for number in range(1, 9)}


def test_the_report_names_the_law_the_case_the_shortest_history_and_what_to_do() -> None:
    def forgetful(codec: Any) -> Any:
        return lambda frame: [each for each in codec.decode(frame) if not isinstance(each, Failure)]

    with pytest.raises(AssertionError) as caught:
        check_provider(OneSide(Broken(ts.Deepgram(SECRET), {"decode": forgetful}), "recognizer"), runs=0)
    broken, case, history, problem, advice = str(caught.value).splitlines()
    assert broken == f"broken: law 8, fates: {FATES.says}"
    assert case.startswith("case: recognizer, InBandError(code='CONFIGURE_KEYTERMS_NOT_SUPPORTED'")
    assert case.endswith("(seed 0)")
    assert history.startswith("history: gateway.plan(InBandError(")
    assert history.endswith("(the shortest that fails, of 2 steps)")
    assert problem == "problem: no other connection can succeed, and the session went on (1 dials)"
    assert advice == f"what to do: {FATES.advice}"
