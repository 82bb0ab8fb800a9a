from __future__ import annotations

from typing import Any

import pytest

from trio_speech._core.provider.profile import CLOSE_FATES, SttProfile, TtsProfile


@pytest.mark.parametrize(
    ("fields", "placed"),
    [
        ({}, True),
        ({"acknowledges": "watermark"}, True),
        ({"exact_times": False}, True),
        ({"word_times": False}, False),
        ({"acknowledges": "finalize"}, False),
    ],
)
def test_words_can_be_found_again_where_they_have_times_on_a_clock_to_trust(fields: Any, placed: bool) -> None:
    assert SttProfile(**fields).places_words is placed


@pytest.mark.parametrize("profile", [SttProfile(), TtsProfile()])
def test_a_profile_is_frozen_and_knows_the_close_codes_of_the_protocol(profile: SttProfile | TtsProfile) -> None:
    assert profile.close_fates is CLOSE_FATES
    assert set(CLOSE_FATES.values()) == {"fatal"}
    assert not set(CLOSE_FATES) & {1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014}
    assert profile == type(profile)()
    with pytest.raises(AttributeError):
        profile.encodings = ()  # type: ignore[misc,union-attr]
