"""A value of the wrong kind is told at the call, by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, cast

import msgspec
import pytest

from trio_speech._core.provider.requests import Change, FallbackModel, SynthesizeRequest, TranscribeRequest
from trio_speech._core.provider.validation import checked, listed
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError

PCM = AudioFormat.pcm16(16_000)
HALF = "\ud83d"
"""Half of a surrogate pair."""


class Numbered:
    """Items by their numbers, as an array has them: no mapping, though it looks like one from below."""

    def __getitem__(self, index: int) -> int:
        return index


@pytest.mark.parametrize(
    ("kind", "fields", "complaint"),
    [
        (TranscribeRequest, {"audio_format": 16_000}, "audio_format must be an AudioFormat, not int"),
        (SynthesizeRequest, {"audio_format": None}, "audio_format must be an AudioFormat, not NoneType"),
        (
            TranscribeRequest,
            {"audio_format": PCM, "fallback": (5,)},
            r"gateway_fallback\[0\] must be a str or a FallbackModel",
        ),
        (
            SynthesizeRequest,
            {"audio_format": PCM, "fallback": (FallbackModel(cast(Any, 5)),)},
            r"gateway_fallback\[0\]\.model",
        ),
        (TranscribeRequest, {"audio_format": PCM, "model": 3}, "model must be a str or None, not int"),
        (TranscribeRequest, {"audio_format": PCM, "options": 5}, "options must be a mapping .*, not int"),
        (TranscribeRequest, {"audio_format": PCM, "options": {1: 2}}, "options must have keys of type str, not 1"),
        (TranscribeRequest, {"audio_format": PCM, "keyterms": (1,)}, r"keyterms\[0\] must be a str, not int"),
        (SynthesizeRequest, {"audio_format": PCM, "voice": b"v"}, "voice must be a str or None, not bytes"),
        (TranscribeRequest, {"audio_format": PCM, "options": Numbered()}, "options must be a mapping .*, not Numbered"),
        (
            SynthesizeRequest,
            {"audio_format": PCM, "fallback": (FallbackModel("a/b", options=cast(Any, Numbered())),)},
            r"gateway_fallback\[0\]\.options must be a mapping .*, not Numbered",
        ),
        (SynthesizeRequest, {"audio_format": PCM, "model": HALF}, "model cannot be sent as UTF-8 text .*surrogates"),
        (SynthesizeRequest, {"audio_format": PCM, "voice": HALF}, "voice cannot be sent as UTF-8 text .*surrogates"),
        (Change, {"language": HALF}, "language cannot be sent as UTF-8 text"),
        (Change, {"keyterms": ("Trio", HALF)}, r"keyterms\[1\] cannot be sent"),
        (Change, {"options": [1]}, "options must be a mapping .*, not list"),
    ],
)
def test_a_value_of_another_kind_is_named(kind: Any, fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        checked(kind(**fields))


def test_what_is_asked_for_is_nobody_elses_to_change() -> None:
    options = {"numerals": True}
    for given in (options, MappingProxyType(options)):
        asked = TranscribeRequest(audio_format=PCM, options=given, keyterms=("Trio",), fallback=(FallbackModel("a/b"),))
        found = checked(asked)
        assert found == msgspec.structs.replace(asked, options=options)
        assert found.options is not given
        assert type(found.options) is dict
    changed = checked(Change(options=options))
    assert changed.options == options
    assert changed.options is not options


def test_a_list_is_not_one_string_nor_a_number() -> None:
    assert listed("keyterms", (term for term in ("Trio", "nursery"))) == ("Trio", "nursery")
    with pytest.raises(ConfigurationError, match="keyterms must be a list, not the single string 'Trio'"):
        listed("keyterms", "Trio")
    with pytest.raises(ConfigurationError, match="keyterms must be a list, not int"):
        listed("keyterms", cast(Any, 5))


def test_who_has_made_a_kind_of_its_own_is_served() -> None:
    class Telephone(AudioFormat, frozen=True):
        pass

    class Spare(FallbackModel, frozen=True):
        pass

    asked = TranscribeRequest(audio_format=Telephone("mulaw", 8_000), fallback=(Spare("a/b"),))
    assert checked(asked) == asked
