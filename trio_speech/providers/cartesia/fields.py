"""Converts a synthesis request into the fields that are sent, unchanged, with every text of a context.

Source: Cartesia's AsyncAPI specification (docs.cartesia.ai), version 2026-03-01, and cartesia 4.2.0 (PyPI).
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..._core.provider.requests import SynthesizeRequest
from ...errors import ConfigurationError
from .._accept import accept_options, refuse_options
from .._direct import needed_voice, split_named
from .._language import primary_language

_MODEL = "sonic-3"
_ENCODINGS = {"pcm_s16le": "pcm_s16le", "mulaw": "pcm_mulaw", "alaw": "pcm_alaw"}
_OURS = (
    "context_id",
    "model_id",
    "transcript",
    "continue",
    "flush",
    "cancel",
    "voice",
    "output_format",
    "language",
)
_INSTEAD = "use the arguments text, model, voice, language and audio_format"


def split_model(name: str | None) -> tuple[str, str | None]:
    """Splits ``model[:voice]``. Raises `ConfigurationError` for a model of another provider."""
    return split_named(name, "Cartesia", _MODEL)


def fields(request: SynthesizeRequest) -> dict[str, Any]:
    """Returns the fields for a request. Raises `ConfigurationError` if they cannot express it."""
    refuse_options(request.options, _OURS, "Cartesia", _INSTEAD)
    model, suffix = split_model(request.model)
    asked: dict[str, Any] = {
        "model_id": model,
        "voice": {"mode": "id", "id": needed_voice(request.voice or suffix, model, "Cartesia")},
        "output_format": {
            "container": "raw",
            "encoding": _ENCODINGS[request.audio_format.encoding],
            "sample_rate": request.audio_format.sample_rate,
        },
        "language": primary_language(request.language),
        # We send whole sentences, so the service need not wait for more text. Word times tell us where to resume.
        "add_timestamps": True,
        "max_buffer_delay_ms": 0,
        **accept_options(request.options),
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    try:
        msgspec.json.encode(asked)
    except UnicodeError as error:
        raise ConfigurationError(
            f"model, voice, language and options must be text that JSON can hold as UTF-8: {error}", model=model
        ) from error
    return asked
