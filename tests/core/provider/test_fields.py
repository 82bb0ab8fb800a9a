"""Profiles refuse what no service can be like, when they are made."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from trio_speech._core.provider.profile import SttProfile, TtsProfile
from trio_speech.errors import ConfigurationError


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (SttProfile, {"acknowledges": "spam"}),
        (SttProfile, {"ends_by": "bye"}),
        (SttProfile, {"burst": -1.0}),
        (SttProfile, {"keepalive": "often"}),
        (SttProfile, {"failure_fates": {"quota": "deadly"}}),
        (SttProfile, {"encodings": "pcm_s16le"}),
        (TtsProfile, {"generations": -1}),
        (TtsProfile, {"sample_rates": ("8000",)}),
    ],
    ids=str,
)
def test_a_field_of_another_type_is_named(kind: Any, fields: dict[str, Any]) -> None:
    (name,) = fields
    with pytest.raises(ConfigurationError, match=f"{kind.__name__}.{name} is"):
        kind(**fields)
    with pytest.raises(ConfigurationError, match=name):
        replace(kind(), **fields)


def test_numbers_may_be_whole_infinite_or_absent() -> None:
    profile = SttProfile(burst=float("inf"), chunk=1, keepalive=None, sample_rates=(8_000,))
    assert profile.chunk == 1


@pytest.mark.parametrize(
    ("profile", "name", "advice"),
    [
        (SttProfile, "chunk", "use more than 0$"),
        (SttProfile, "keepalive", "use more than 0, or None$"),
        (SttProfile, "replay_speed", "use more than 0, or None$"),
        (TtsProfile, "generations", "use more than 0$"),
    ],
)
def test_what_a_session_would_divide_by_must_not_be_zero(profile: type, name: str, advice: str) -> None:
    with pytest.raises(ConfigurationError, match=advice):
        profile(**{name: 0})


def test_a_limit_of_nothing_is_taken_where_it_has_a_meaning() -> None:
    assert SttProfile(max_lead_in=0.0, burst=0.0, drift=0.0).burst == 0.0
