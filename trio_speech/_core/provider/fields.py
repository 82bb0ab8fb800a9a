"""Checks the fields of profiles, which a program may write itself, when a profile is made."""

from __future__ import annotations

from functools import cache
from typing import Any, get_type_hints

import msgspec

from ...errors import ConfigurationError

_POSITIVE = frozenset(
    {"chunk", "keepalive", "filler", "session_cap", "replay_speed", "slowest"}
    | {"generations", "generations_per_minute", "max_channels", "max_characters"}
)
"""Fields with which a session would be busy without end, or never get anywhere, if they were 0."""


def check_fields(profile: msgspec.Struct) -> None:
    """Raises `ConfigurationError` for a field of another type than it says, a negative number, or a senseless 0."""
    kind = type(profile)
    for name, hint in _hints_of(kind).items():
        value = getattr(profile, name)
        try:
            msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            raise ConfigurationError(f"{kind.__name__}.{name} is {value!r}: {error}") from None
        if isinstance(value, int | float) and value < 0:
            raise ConfigurationError(f"{kind.__name__}.{name} is {value!r}: use 0 or more")
        if value == 0 and name in _POSITIVE:
            otherwise = ", or None" if isinstance(None, hint) else ""
            raise ConfigurationError(f"{kind.__name__}.{name} is {value!r}: use more than 0{otherwise}")


@cache
def _hints_of(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
