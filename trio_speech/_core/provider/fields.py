"""Checks the fields of profiles, which a program may write itself, when a profile is made."""

from __future__ import annotations

from functools import cache
from typing import Any, get_type_hints

import msgspec

from ...errors import ConfigurationError


def check_fields(profile: msgspec.Struct) -> None:
    """Raises `ConfigurationError` if a field has a value of another type than it says, or a negative number."""
    kind = type(profile)
    for name, hint in _hints_of(kind).items():
        value = getattr(profile, name)
        try:
            msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            raise ConfigurationError(f"{kind.__name__}.{name} is {value!r}: {error}") from None
        if isinstance(value, int | float) and value < 0:
            raise ConfigurationError(f"{kind.__name__}.{name} is {value!r}: use 0 or more")


@cache
def _hints_of(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
