"""Converts a recognition request into the query of the URL of ElevenLabs' realtime recognition.

Source: elevenlabs 2.78.0 (PyPI), ``realtime.scribe``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from ..._core.provider.requests import TranscribeRequest
from ...errors import ConfigurationError
from .._accept import accept_options, refuse_options
from .._direct import split_named
from .._language import normalize_language

_MODEL = "scribe_v2_realtime"
_ENCODINGS = {"pcm_s16le": "pcm", "mulaw": "ulaw"}
_OURS = ("model_id", "audio_format", "language_code", "keyterms", "commit_strategy", "token")
_INSTEAD = "use the arguments model, language, keyterms and audio_format; the session itself commits"


def split_scribe(name: str | None) -> tuple[str, str | None]:
    """Splits ``model[:language]``. Raises `ConfigurationError` for a model that does not recognize speech."""
    model, language = split_named(name, "ElevenLabs", _MODEL)
    if not model.startswith("scribe"):
        raise ConfigurationError(f"model does not recognize speech: use {_MODEL}", model=model)
    return model, language


def query(request: TranscribeRequest) -> str:
    """Returns the query for a request, whose audio format must be supported. Raises `ConfigurationError`."""
    refuse_options(request.options, _OURS, "ElevenLabs", _INSTEAD)
    model, suffix = split_scribe(request.model)
    language = (normalize_language(request.language or suffix or "") or "").partition("-")[0]
    asked: dict[str, Any] = {
        "model_id": model,
        "audio_format": f"{_ENCODINGS[request.audio_format.encoding]}_{request.audio_format.sample_rate}",
        "commit_strategy": "manual",
        "include_timestamps": True,
        **({"language_code": language} if language else {}),
        **({"keyterms": list(request.keyterms)} if request.keyterms else {}),
        **{name: value for name, value in accept_options(request.options).items() if value is not None},
    }
    spelled = {name: str(value).lower() if isinstance(value, bool) else value for name, value in asked.items()}
    try:
        return urlencode(spelled, doseq=True)
    except UnicodeError as error:
        raise ConfigurationError(
            f"options and keyterms must be text that an address can hold as UTF-8: {error}", model=model
        ) from error
