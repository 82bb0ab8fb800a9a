from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech.providers._language import normalize_language, primary_language


@pytest.mark.parametrize(
    ("given_as", "sent_as"),
    [
        ("en", "en"),
        ("EN", "en"),
        (" en ", "en"),
        ("English", "en"),
        ("eng", "en"),
        ("deu", "de"),
        ("Norwegian  Bokmål", "nb"),
        ("mandarin", "zh"),
        ("cmn", "zh"),
        ("en_us", "en-US"),
        ("en-us", "en-US"),
        ("zh-hans-cn", "zh-Hans-CN"),
        ("es-419", "es-419"),
        ("cmn-hans-cn", "cmn-Hans-CN"),
        ("Multi", "multi"),
        ("yue", "yue"),
        ("", None),
        ("   ", None),
    ],
)
def test_languages_are_sent_in_the_form_that_services_take(given_as: str, sent_as: str | None) -> None:
    assert normalize_language(given_as) == sent_as


@given(st.text())
def test_normalizing_twice_changes_nothing(text: str) -> None:
    once = normalize_language(text)
    assert once is None or normalize_language(once) == once


def test_a_language_alone_has_neither_script_nor_region() -> None:
    assert primary_language("zh_hans_cn") == "zh"
    assert primary_language("English") == "en"
    assert primary_language(None) is None
    assert primary_language(" ") is None
