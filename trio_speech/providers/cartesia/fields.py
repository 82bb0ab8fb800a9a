"""What is asked of Cartesia's voices: the fields that ride unchanged on every input of a context.

Source: Cartesia's AsyncAPI specification (docs.cartesia.ai), version 2026-03-01, and cartesia 4.2.0 (PyPI).
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..._core.provider.requests import SynthesizeRequest
from ...errors import ConfigurationError
from .._accept import accept_options, refuse_options
from .._direct import split_named
from .._language import normalize_language

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
_INSTEAD = "model, voice, language and audio_format say what can be had, and the text what is to be spoken"


def split_model(name: str | None) -> tuple[str, str | None]:
    """The model and the voice of ``model[:voice]``; raises `ConfigurationError` for another provider's."""
    return split_named(name, "Cartesia", _MODEL)


def fields(request: SynthesizeRequest) -> dict[str, Any]:
    """The request as fields of an input. Raises `ConfigurationError` where it cannot be put into them."""
    refuse_options(request.options, _OURS, "Cartesia", _INSTEAD)
    model, suffix = split_model(request.model)
    voice = request.voice or suffix
    if not voice:
        raise ConfigurationError(
            "Cartesia speaks with a voice of its library: give the id of one as voice=…, or as model:voice", model=model
        )
    language = (normalize_language(request.language or "") or "").partition("-")[0]
    asked: dict[str, Any] = {
        "model_id": model,
        "voice": {"mode": "id", "id": voice},
        "output_format": {
            "container": "raw",
            "encoding": _ENCODINGS[request.audio_format.encoding],
            "sample_rate": request.audio_format.sample_rate,
        },
        "language": language or None,
        # Whole sentences are sent: the service is not to wait for more, and word times say where to resume.
        "add_timestamps": True,
        "max_buffer_delay_ms": 0,
        **accept_options(request.options),
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    try:
        msgspec.json.encode(asked)
    except UnicodeError as error:
        raise ConfigurationError(f"the request cannot be put into JSON: {error}", model=model) from error
    return asked
