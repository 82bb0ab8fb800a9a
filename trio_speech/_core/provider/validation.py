"""What a caller gives, held against what it is to be: at the call, and by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from msgspec import Struct, ValidationError, convert
from msgspec.structs import asdict, replace

from ...audio import AudioFormat
from ...errors import ConfigurationError
from .requests import Change, FallbackModel, SynthesizeRequest, TranscribeRequest

_Asked = TypeVar("_Asked", TranscribeRequest, SynthesizeRequest, Change)
_Item = TypeVar("_Item")

Fallback = str | FallbackModel


class _Plain(Struct):
    """What a caller gives as plain values, by whatever request."""

    model: str | None = None
    voice: str | None = None
    language: str | None = None
    options: Mapping[str, Any] | None = None
    keyterms: tuple[str, ...] | None = None


def checked(asked: _Asked) -> _Asked:
    """`asked`, with options of its own. Raises `ConfigurationError` where a value is not of the kind it is to be."""
    if not isinstance(asked, Change):
        _check_kind("audio_format", asked.audio_format, AudioFormat)
        for each in asked.fallback:
            _check_kind("a gateway_fallback", each, FallbackModel)
            _plain(each, " of a gateway_fallback")
    return replace(asked, options=_plain(asked).options)


def _plain(asked: Struct, whose: str = "") -> _Plain:
    given = asdict(asked)
    try:
        plain = convert(given, _Plain)
        for text in (plain.model, plain.voice, plain.language, *(plain.keyterms or ())):
            (text or "").encode()
    except ValidationError as error:
        found = str(error).replace("$.", "").replace("null", "None").replace("`object", "`mapping")
        raise ConfigurationError(f"an argument{whose} is of the wrong kind: {found}") from None
    except UnicodeError as error:
        raise ConfigurationError(f"an argument{whose} cannot be sent: {error}") from None
    except AttributeError:  # of what has items by index, and no keys
        kind = type(given["options"]).__name__
        raise ConfigurationError(f"the options{whose} are of type {kind}, and no mapping") from None
    return plain


def _check_kind(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise ConfigurationError(f"{name} is of type {type(value).__name__}, and no {kind.__name__}")


def listed(name: str, values: Iterable[_Item]) -> tuple[_Item, ...]:
    """The `values` of the argument `name`. Raises `ConfigurationError` for a string, which would be taken for its
    letters, and for what is no iterable."""
    if isinstance(values, str):
        raise ConfigurationError(f"{name} is one string, {values!r}: give a list")
    if not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"{name} is of type {type(values).__name__}: give a list")
    return tuple(values)


def fallback_models(fallbacks: Iterable[Fallback]) -> tuple[FallbackModel, ...]:
    """What the service itself is to try next. Raises `ConfigurationError` for a single string."""
    given = listed("gateway_fallback", fallbacks)
    return tuple(FallbackModel(each) if isinstance(each, str) else each for each in given)
