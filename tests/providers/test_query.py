from __future__ import annotations

from typing import Any

import pytest

from trio_speech.errors import ConfigurationError
from trio_speech.providers._query import listed, segment, written


def test_settings_are_spelled_as_services_spell_them() -> None:
    settings = {"a": True, "b": False, "c": 1.5, "d": "x &ä", "e": None, "f": ["1", 2], "g": ()}
    assert written(settings, None) == "a=true&b=false&c=1.5&d=x+%26%C3%A4&f=1&f=2"


@pytest.mark.parametrize("value", [{"a": 1}, [["a"]], [None], object()])
def test_a_value_that_no_query_can_hold_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"options\['tag'\] must be text"):
        written({"tag": value}, "m")


def test_one_value_is_a_list_of_one() -> None:
    assert listed("ab") == ("ab",)
    assert listed(["a", "b"]) == listed(("a", "b")) == ("a", "b")


def test_a_segment_cannot_leave_its_place_in_the_path() -> None:
    assert segment("a/..?x=ä", None) == "a%2F..%3Fx%3D%C3%A4"


def test_text_that_no_address_can_hold_is_refused() -> None:
    for write in (lambda: written({"a": "\ud800"}, "m"), lambda: segment("\ud800", "m")):
        with pytest.raises(ConfigurationError, match="text that an address can hold") as caught:
            write()
        assert caught.value.model == "m"
