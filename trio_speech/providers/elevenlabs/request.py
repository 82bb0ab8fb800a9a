"""Converts a synthesis request into the URL of ElevenLabs' voices, and the first message of each context.

Source: elevenlabs 2.78.0 (PyPI), ``text_to_speech``; ElevenLabs' AsyncAPI specification (elevenlabs-docs).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from msgspec import Struct

from ..._core.provider.requests import SynthesizeRequest
from ...errors import ConfigurationError
from .._accept import accept_options, refuse_options
from .._direct import split_named
from .._language import normalize_language

_MODEL = "eleven_flash_v2_5"
_ENCODINGS = {"pcm_s16le": "pcm", "mulaw": "ulaw", "alaw": "alaw"}
_SETTINGS = ("voice_settings", "generation_config", "pronunciation_dictionary_locators")
"""Options that go into the first message of a context. All others become query parameters."""
_OURS = ("model_id", "output_format", "language_code", "text", "context_id", "flush", "close_context")
_INSTEAD = "use the arguments text, model, voice, language and audio_format"


class Address(Struct, frozen=True):
    """Path and query of the address, and the settings of each context."""

    path: str
    query: str
    settings: dict[str, Any]


def split_model(name: str | None) -> tuple[str, str | None]:
    """Splits ``model[:voice]``. Raises `ConfigurationError` for a model of another provider or protocol."""
    model, voice = split_named(name, "ElevenLabs", _MODEL)
    if model.startswith("eleven_v3"):
        raise ConfigurationError(
            "model is of version 3, whose protocol is not supported here: use eleven_flash_v2_5", model=model
        )
    return model, voice


def address(request: SynthesizeRequest) -> Address:
    """Returns the URL path, query and settings for `request`. Raises `ConfigurationError` if they cannot express it."""
    refuse_options(request.options, _OURS, "ElevenLabs", _INSTEAD)
    model, suffix = split_model(request.model)
    voice = request.voice or suffix
    if not voice:
        raise ConfigurationError(
            f"voice must be the id of a voice of ElevenLabs: give voice=…, or model='{model}:<id>'", model=model
        )
    options = {name: value for name, value in accept_options(request.options).items() if value is not None}
    language = (normalize_language(request.language or "") or "").partition("-")[0]
    query = {
        "model_id": model,
        "output_format": f"{_ENCODINGS[request.audio_format.encoding]}_{request.audio_format.sample_rate}",
        **({"language_code": language} if language else {}),
        # We send whole sentences, so the service need not wait for more text.
        "auto_mode": True,
        **{name: value for name, value in options.items() if name not in _SETTINGS},
    }
    spelled = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
    try:
        path = f"/v1/text-to-speech/{quote(voice, safe='')}/multi-stream-input"
        return Address(path, urlencode(spelled), {name: options[name] for name in _SETTINGS if name in options})
    except UnicodeError as error:
        raise ConfigurationError(
            f"voice and options must be text that an address can hold as UTF-8: {error}", model=model
        ) from error
