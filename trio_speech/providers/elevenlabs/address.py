"""Converts requests into the queries of ElevenLabs' addresses, and into the first message of a voice's context.

Source: elevenlabs 2.78.0 (PyPI), ``realtime.scribe`` and ``text_to_speech``; ElevenLabs' AsyncAPI specification
(elevenlabs-docs).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ...audio import AudioFormat
from ...errors import ConfigurationError
from .._accept import own_options, refuse_options
from .._direct import needed_voice, split_named
from .._language import primary_language
from .._query import segment, written

_RECOGNIZER = "scribe_v2_realtime"
_VOICE = "eleven_flash_v2_5"
_ENCODINGS = {"pcm_s16le": "pcm", "mulaw": "ulaw", "alaw": "alaw"}
_SETTINGS = ("voice_settings", "generation_config", "pronunciation_dictionary_locators")
"""Options that go into the first message of a context. All others become query parameters."""
_OURS_HEARD = ("model_id", "audio_format", "language_code", "keyterms", "commit_strategy")
_OURS_SPOKEN = ("model_id", "output_format", "language_code", "text", "context_id", "flush", "close_context")
_CREDENTIALS = ("authorization", "xi-api-key", "xi_api_key", "single_use_token", "token")
"""Query parameters that would show a secret wherever the address is shown."""
_INSTEAD_HEARD = "use the arguments model, language, keyterms and audio_format; the session itself commits"
_INSTEAD_SPOKEN = "use the arguments text, model, voice, language and audio_format"


def split_recognizer(name: str | None) -> tuple[str, str | None]:
    """Splits ``model[:language]``. Raises `ConfigurationError` for a model that does not recognize speech."""
    model, language = split_named(name, "ElevenLabs", _RECOGNIZER)
    if not model.startswith("scribe"):
        raise ConfigurationError(f"model does not recognize speech: use {_RECOGNIZER}", model=model)
    return model, language


def recognition(request: TranscribeRequest) -> str:
    """Returns the query for a request, whose audio format must be supported. Raises `ConfigurationError`."""
    model, suffix = split_recognizer(request.model)
    settings: dict[str, Any] = {
        "model_id": model,
        "audio_format": _format(request.audio_format),
        "commit_strategy": "manual",
        "include_timestamps": True,
        "language_code": primary_language(request.language or suffix),
        "keyterms": request.keyterms,
        **_own(request.options, _OURS_HEARD, _INSTEAD_HEARD),
    }
    return written(settings, model)


def split_voice(name: str | None) -> tuple[str, str | None]:
    """Splits ``model[:voice]``. Raises `ConfigurationError` for a model of another provider or protocol."""
    model, voice = split_named(name, "ElevenLabs", _VOICE)
    if model.startswith("eleven_v3"):
        raise ConfigurationError(
            "model is of version 3, whose protocol is not supported here: use eleven_flash_v2_5", model=model
        )
    return model, voice


def speech(request: SynthesizeRequest) -> tuple[str, str, dict[str, Any]]:
    """Returns path and query of the address, and the settings of each context. Raises `ConfigurationError`."""
    model, suffix = split_voice(request.model)
    voice = needed_voice(request.voice or suffix, model, "ElevenLabs")
    options = _own(request.options, _OURS_SPOKEN, _INSTEAD_SPOKEN)
    settings = {name: options.pop(name) for name in _SETTINGS if name in options}
    query = {
        "model_id": model,
        "output_format": _format(request.audio_format),
        "language_code": primary_language(request.language),
        "auto_mode": True,  # we send whole sentences, so the service need not wait for more text
        **options,
    }
    path = f"/v1/text-to-speech/{segment(voice, model)}/multi-stream-input"
    return path, written(query, model), settings


def _own(options: Mapping[str, Any], ours: tuple[str, ...], instead: str) -> dict[str, Any]:
    refuse_options(options, _CREDENTIALS, "ElevenLabs", "give ElevenLabs(api_key=…) the credential")
    return own_options(options, ours, "ElevenLabs", instead)


def _format(audio_format: AudioFormat) -> str:
    return f"{_ENCODINGS[audio_format.encoding]}_{audio_format.sample_rate}"
