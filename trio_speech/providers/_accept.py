"""What is refused before anything is sent: formats that a service does not take, and options that no wire carries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from .._core.provider.profile import SttProfile, TtsProfile
from ..audio import AudioFormat
from ..errors import ConfigurationError

RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""The sample rates between which the embedded engines convert: their ratios are fractions of small numbers."""


def _listed(values: Iterable[object]) -> str:
    return " or ".join(str(value) for value in values)


def accept_format(audio_format: AudioFormat, profile: SttProfile | TtsProfile, *, model: str | None) -> None:
    """Raises `ConfigurationError` where the service does not take (or give) audio of this format."""
    channels = profile.max_channels if isinstance(profile, SttProfile) else 1
    if audio_format.encoding not in profile.encodings:
        problem = f"it takes {_listed(profile.encodings)}"
    elif profile.sample_rates is not None and audio_format.sample_rate not in profile.sample_rates:
        problem = f"it takes {_listed(profile.sample_rates) or 'no one rate for all its models'} Hz"
    elif audio_format.channels > channels:
        problem = f"it takes {_listed(range(1, channels + 1))} channel"
    else:
        return
    raise ConfigurationError(f"the service does not take {audio_format}: {problem}", model=model)


def refuse_fallback(fallback: Collection[object], service: str) -> None:
    """Raises `ConfigurationError` where other models are asked for, of a service that falls back to none."""
    if fallback:
        raise ConfigurationError(f"{service} falls back to no other model: give open_client() a list of backends")


def refuse_options(options: Collection[str], ours: Iterable[str], service: str, instead: str) -> None:
    """Raises `ConfigurationError` where one of `options` is `ours` to say; `instead` tells how the user says it."""
    for name in ours:
        if name in options:
            raise ConfigurationError(f"the option {name!r} cannot be given to {service} here: {instead}")


def accept_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `options`, in values that JSON has; raises `ConfigurationError` naming the option that has none."""
    for name, value in options.items():
        try:
            msgspec.json.encode({name: value})
        except (TypeError, ValueError, RecursionError) as error:
            raise ConfigurationError(f"the option {name!r} cannot be sent: {error}") from error
    copy: dict[str, Any] = msgspec.to_builtins(dict(options))
    return copy
