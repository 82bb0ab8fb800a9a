"""Writes audio formats and options into the queries of Deepgram's URLs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from ...errors import ConfigurationError
from .._accept import accept_options, refuse_options

ENCODINGS = {"pcm_s16le": "linear16", "mulaw": "mulaw", "alaw": "alaw"}


def own_options(options: Mapping[str, Any], ours: Iterable[str], instead: str) -> dict[str, Any]:
    """Returns `options` without those that are ``None``. Raises `ConfigurationError` if one is among `ours`."""
    refuse_options(options, ours, "Deepgram", instead)
    return {name: value for name, value in accept_options(options).items() if value is not None}


def listed(value: Any) -> tuple[Any, ...]:
    """Returns `value` as a tuple of items: the parameter is written once for each."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def encoded(settings: Mapping[str, Any], model: str) -> str:
    """Returns the query with `settings`. Raises `ConfigurationError` if a URL cannot hold them."""
    pairs = [(name, _spelled(name, each)) for name, value in settings.items() for each in listed(value)]
    try:
        return urlencode(pairs)
    except UnicodeError as error:
        raise ConfigurationError(
            f"options and keyterms must be text that an address can hold as UTF-8: {error}", model=model
        ) from error


def _spelled(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ConfigurationError(
        f"options[{name!r}] must be text, a number, a boolean, or a list of these, not {type(value).__name__}"
    )
