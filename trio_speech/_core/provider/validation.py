"""Checks the arguments of public calls at once, and names the wrong argument in the error.

Without these checks a wrong value would fail far from its cause: in a codec, after a dial, or only at the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from ...audio import AudioFormat
from ...errors import ConfigurationError
from .requests import Change, FallbackModel, SynthesizeRequest, TranscribeRequest

_Asked = TypeVar("_Asked", TranscribeRequest, SynthesizeRequest, Change)
_Item = TypeVar("_Item")

Fallback = str | FallbackModel

_TEXTS = ("model", "voice", "language")


def checked(asked: _Asked) -> _Asked:
    """Returns the request or change `asked` with a copy of its options, so that the caller may change its own.

    Raises `ConfigurationError` naming the argument that is of the wrong type or that cannot be sent.
    """
    if not isinstance(asked, Change):
        if not isinstance(asked.audio_format, AudioFormat):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"audio_format must be an AudioFormat, not {_kind(asked.audio_format)}")
        for index, fallback in enumerate(asked.fallback):
            _check_fallback(f"gateway_fallback[{index}]", fallback)
    _check_texts(asked)
    for index, term in enumerate(getattr(asked, "keyterms", None) or ()):
        _check_text(f"keyterms[{index}]", term)
    return replace(asked, options=_options("options", asked.options))


def listed(name: str, values: Iterable[_Item]) -> tuple[_Item, ...]:
    """Returns the `values` of the argument `name` as a tuple. Raises `ConfigurationError` where they are not a list.

    A single string is refused: it would be taken for the list of its letters.
    """
    if isinstance(values, str):
        raise ConfigurationError(f"{name} must be a list, not the single string {values!r}: put it into a list")
    if not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"{name} must be a list, not {_kind(values)}")
    return tuple(values)


def fallback_models(fallbacks: Iterable[Fallback]) -> tuple[FallbackModel, ...]:
    """Returns the argument ``gateway_fallback`` as models. Raises `ConfigurationError` where it is not a list."""
    given = listed("gateway_fallback", fallbacks)
    return tuple(FallbackModel(each) if isinstance(each, str) else each for each in given)


def _check_fallback(name: str, fallback: object) -> None:
    if not isinstance(fallback, FallbackModel):
        raise ConfigurationError(f"{name} must be a str or a FallbackModel, not {_kind(fallback)}")
    _check_text(f"{name}.model", fallback.model)
    _check_texts(fallback, f"{name}.")
    _options(f"{name}.options", fallback.options)


def _check_texts(asked: object, prefix: str = "") -> None:
    for field in _TEXTS:
        value = getattr(asked, field, None)
        if value is not None:
            _check_text(prefix + field, value, " or None")


def _check_text(name: str, value: object, otherwise: str = "") -> None:
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a str{otherwise}, not {_kind(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"{name} cannot be sent as UTF-8 text ({error}): remove the character") from None


def _options(name: str, options: Any) -> dict[str, Any] | None:
    if options is None:
        return None
    if not isinstance(options, Mapping):
        raise ConfigurationError(f"{name} must be a mapping such as a dict, or None, not {_kind(options)}")
    for key in options:
        if not isinstance(key, str):
            raise ConfigurationError(f"{name} must have keys of type str, not {key!r}")
    return dict(options)


def _kind(value: object) -> str:
    return type(value).__name__
