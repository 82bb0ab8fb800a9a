"""Puts a recognition request into the query of Deepgram's address.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs) and deepgram-sdk 7.17.0 (PyPI), ``listen/v1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ..._core.provider.requests import TranscribeRequest
from ...errors import ConfigurationError
from .._accept import accept_options, refuse_options
from .._direct import split_named
from .._language import normalize_language
from .listen import knows_keyterms

_MODEL = "nova-3"
_ENCODINGS = {"pcm_s16le": "linear16", "mulaw": "mulaw", "alaw": "alaw"}
_OURS = ("encoding", "sample_rate", "channels", "multichannel", "callback", "callback_method", "model", "language")
_INSTEAD = "use the arguments audio_format, model and language; results always come to this session"


def split_model(name: str | None) -> tuple[str, str | None]:
    """Splits ``model[:language]``. Raises `ConfigurationError` for a model of another provider, and for Flux."""
    model, language = split_named(name, "Deepgram", _MODEL)
    if model.startswith("flux"):
        raise ConfigurationError(
            "model is a Flux model, whose protocol is not supported here: use a nova model, or LiveKit()",
            model=model,
        )
    return model, language


def query(request: TranscribeRequest) -> str:
    """The query for a request. Raises `ConfigurationError` where an address cannot hold it."""
    model, suffix = split_model(request.model)
    language = normalize_language(request.language or suffix or "")
    settings: dict[str, Any] = {
        "model": model,
        "encoding": _ENCODINGS[request.audio_format.encoding],
        "sample_rate": request.audio_format.sample_rate,
        "channels": request.audio_format.channels,
        "interim_results": True,
        **({"language": language} if language else {}),
        **_options(request.options),
    }
    if request.keyterms:
        key = "keyterm" if knows_keyterms(model) else "keywords"
        settings[key] = [*_listed(settings.get(key, ())), *request.keyterms]
    pairs = [(name, _spelled(name, each)) for name, value in settings.items() for each in _listed(value)]
    try:
        return urlencode(pairs)
    except UnicodeError as error:
        raise ConfigurationError(
            f"options and keyterms must be text that an address can hold as UTF-8: {error}", model=model
        ) from error


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    refuse_options(options, _OURS, "Deepgram", _INSTEAD)
    return {name: value for name, value in accept_options(options).items() if value is not None}


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def _spelled(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ConfigurationError(
        f"options[{name!r}] must be text, a number, a boolean, or a list of these, not {type(value).__name__}"
    )
