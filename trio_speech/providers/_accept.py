"""Checks a request before anything is sent: its audio format, options and fallback models."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from .._core.provider.profile import SttProfile, TtsProfile
from .._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ..audio import AudioFormat
from ..errors import ConfigurationError

RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""The sample rates between which the embedded engines convert: their ratios are fractions of small numbers."""


_ARGUMENTS = ("model", "voice", "language", "options", "keyterms")


def _listed(values: Iterable[object]) -> str:
    return " or ".join(str(value) for value in values)


def accept_format(audio_format: AudioFormat, profile: SttProfile | TtsProfile, *, model: str | None) -> None:
    """Raises `ConfigurationError` if a service with this profile does not take (or give) audio of this format."""
    channels = profile.max_channels if isinstance(profile, SttProfile) else 1
    rates = profile.sample_rates
    if audio_format.encoding not in profile.encodings:
        wanted = f"the encoding {_listed(profile.encodings)}"
    elif rates == ():
        wanted = "a sample rate that every model named here takes, and there is none: name other fallback models"
    elif rates is not None and audio_format.sample_rate not in rates:
        wanted = f"a sample rate of {_listed(rates)} Hz"
    elif audio_format.channels > channels:
        wanted = "1 channel" if channels == 1 else f"1 to {channels} channels"
    else:
        return
    raise ConfigurationError(f"audio_format is {audio_format}, but the service takes {wanted}", model=model)


def refuse_fallback(fallback: Collection[object], service: str) -> None:
    """Raises `ConfigurationError` if `fallback` is not empty: the service tries no other model by itself."""
    if fallback:
        raise ConfigurationError(
            f"gateway_fallback must be empty for {service}, which tries no other model: "
            "give open_client() a list of backends instead"
        )


def refuse_unused(request: TranscribeRequest | SynthesizeRequest, service: str, *used: str) -> None:
    """Raises `ConfigurationError` if `request` holds an argument for which the service has no setting.

    `used` names the others, of ``"model"``, ``"voice"``, ``"language"``, ``"options"`` and ``"keyterms"``.
    """
    for name in _ARGUMENTS:
        if name not in used and getattr(request, name, None):
            raise ConfigurationError(
                f"{name} must be left out for {service}, which has no such setting", model=request.model
            )


def refuse_options(options: Collection[str], ours: Iterable[str], service: str, instead: str) -> None:
    """Raises `ConfigurationError` if `options` holds one of the names in `ours`; `instead` tells the user what to do.

    `ours` are settings that this library sets from its own arguments. Given twice, they could contradict each other.
    """
    for name in ours:
        if name in options:
            raise ConfigurationError(f"options must not hold {name!r} for {service}: {instead}")


def asks_for(options: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Whether an option of one of these `names` is switched on; as text, ``"false"`` switches it off."""
    return any(str(options.get(name) or "false").lower() != "false" for name in names)


def own_options(options: Mapping[str, Any], ours: Iterable[str], service: str, instead: str) -> dict[str, Any]:
    """Returns what `accept_options` does, without options that are ``None``. Raises as `refuse_options` does, too."""
    refuse_options(options, ours, service, instead)
    return {name: value for name, value in accept_options(options).items() if value is not None}


def accept_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a copy of `options` in JSON's types. Raises `ConfigurationError` for an option that JSON cannot hold."""
    for name, value in options.items():
        try:
            msgspec.json.encode({name: value})
        except (TypeError, ValueError, RecursionError) as error:
            raise ConfigurationError(
                f"options[{name!r}] cannot be sent as JSON ({error}): use text, numbers, booleans, None, lists or dicts"
            ) from error
    copy: dict[str, Any] = msgspec.to_builtins(dict(options))
    return copy
