"""Writes settings into addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ..errors import ConfigurationError


def listed(value: Any) -> tuple[Any, ...]:
    """Returns `value` as a tuple of items: the parameter is written once for each."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def written(settings: Mapping[str, Any], model: str | None) -> str:
    """Returns the query with `settings`, without those that are ``None``.

    Raises `ConfigurationError`, which names `model`, if a URL cannot hold them.
    """
    given = ((name, value) for name, value in settings.items() if value is not None)
    pairs = [(name, _spelled(name, each)) for name, value in given for each in listed(value)]
    try:
        return urlencode(pairs)
    except UnicodeError as error:
        raise _unwritable(error, model) from error


def segment(text: str, model: str | None) -> str:
    """Returns `text` as one segment of a path. Raises `ConfigurationError`, which names `model`, if a URL cannot."""
    try:
        return quote(text, safe="")
    except UnicodeError as error:
        raise _unwritable(error, model) from error


def _unwritable(error: UnicodeError, model: str | None) -> ConfigurationError:
    return ConfigurationError(
        f"voice, keyterms and options must be text that an address can hold as UTF-8: {error}", model=model
    )


def _spelled(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ConfigurationError(
        f"options[{name!r}] must be text, a number, a boolean, or a list of these, not {type(value).__name__}"
    )
