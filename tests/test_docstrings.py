"""What ``help()`` shows of the public names: every field and every argument is described there."""

from __future__ import annotations

import inspect

import pytest
from msgspec import Struct

import trio_speech as ts
from trio_speech.testing import check_provider

from .docstrings import arguments, entries, public

STRUCTS = {name: value for name, value in public() if inspect.isclass(value) and issubclass(value, Struct)}
ERRORS = {name: value for name, value in public() if inspect.isclass(value) and issubclass(value, ts.SpeechError)}
CALLS = {
    "open_client": ts.open_client,
    "check_provider": check_provider,
    **{name: getattr(ts.Client, name) for name in ("transcribe", "synthesize", "render", "prewarm")},
}


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_every_field_is_described_in_order(name: str) -> None:
    struct = STRUCTS[name]
    described = entries(struct, "Fields")
    assert tuple(described) == struct.__struct_fields__
    assert all(text.endswith(".") for text in described.values())


@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_argument_is_described_in_order(name: str) -> None:
    described = arguments(CALLS[name])
    taken = [parameter for parameter in inspect.signature(CALLS[name]).parameters if parameter != "self"]
    assert list(described) == taken
    assert all(text.endswith(".") for text in described.values())


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_attribute_of_an_error_is_described(name: str) -> None:
    attributes = [attribute for each in ERRORS[name].__mro__ for attribute in entries(each, "Attributes")]
    assert set(attributes) >= vars(ERRORS[name]("it failed")).keys()


def test_the_error_tree_is_shown_by_help_of_its_root() -> None:
    shown = inspect.getdoc(ts.SpeechError) or ""
    assert [name for name in ERRORS if name not in shown] == []


def test_an_entry_may_take_several_lines_and_ends_with_its_indent() -> None:
    def documented() -> None:
        """A call.

        - `one`: the first,
          which is long.
        - `two`: the second.

        Fields:
            three: The third,
                which is long.
            four: The fourth.

        More.
        """

    assert arguments(documented) == {"one": "the first,\n  which is long.", "two": "the second."}
    assert entries(documented, "Fields") == {"three": "The third,\n    which is long.", "four": "The fourth."}
    assert entries(documented, "Attributes") == {}
