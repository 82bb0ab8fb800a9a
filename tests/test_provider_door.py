"""The public door for backends: what it exports, and that its signatures need nothing else."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct

import trio_speech as ts
from trio_speech import provider

from .docstrings import entries

EXPORTED = {name: getattr(provider, name) for name in provider.__all__}
CLASSES = {name: value for name, value in EXPORTED.items() if inspect.isclass(value)}
STRUCTS = {name: value for name, value in CLASSES.items() if issubclass(value, Struct)}
CALLS = {name: value for name, value in EXPORTED.items() if inspect.isroutine(value)}


def test_what_is_not_exported_is_private() -> None:
    assert len(provider.__all__) == len(EXPORTED)
    public = {name for name, value in vars(provider).items() if name[0] != "_" and not inspect.ismodule(value)}
    assert public - {"annotations"} == set(provider.__all__)


def mentioned(annotation: Any) -> Iterator[type]:
    """Every class of this package that an annotation names."""
    if inspect.isclass(annotation) and annotation.__module__.startswith("trio_speech"):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from mentioned(argument)


def annotations(value: Any) -> Iterator[Any]:
    """The annotations of a function, or of a class's fields, methods and properties."""
    if inspect.isclass(value):
        yield from typing.get_type_hints(value).values()
        for name, member in inspect.getmembers(value):
            if not name.startswith("_"):
                inner = member.fget if isinstance(member, property) else member
                if inspect.isfunction(inner):
                    yield from typing.get_type_hints(inner).values()
    else:
        yield from typing.get_type_hints(value).values()


@pytest.mark.parametrize("name", sorted(CLASSES | CALLS))
def test_no_signature_mentions_a_type_that_is_not_exported(name: str) -> None:
    exported = [*EXPORTED.values(), *(getattr(ts, each) for each in ts.__all__)]
    for annotation in annotations(EXPORTED[name]):
        assert [each for each in mentioned(annotation) if each not in exported] == []


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_every_field_is_described_in_order(name: str) -> None:
    described = entries(STRUCTS[name], "Fields")
    assert tuple(described) == STRUCTS[name].__struct_fields__
    assert all(text.endswith(".") for text in described.values())


@pytest.mark.parametrize("name", sorted(CLASSES | CALLS))
def test_everything_is_documented_and_so_is_each_method(name: str) -> None:
    value = EXPORTED[name]
    assert inspect.getdoc(value)
    if inspect.isclass(value):
        for method, member in inspect.getmembers(value):
            if method[0] != "_" and (inspect.isfunction(member) or isinstance(member, property)):
                assert inspect.getdoc(member), method


def test_what_codecs_may_say_is_exported() -> None:
    for union in (provider.SttMessage, provider.TtsMessage):
        assert set(typing.get_args(union)) <= set(CLASSES.values())
