"""Converts a recognition request into the query of Deepgram's URL, ``/v1/listen``.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs) and deepgram-sdk 7.17.0 (PyPI), ``listen/v1``.
"""

from __future__ import annotations

from typing import Any

from ..._core.provider.requests import TranscribeRequest
from .._accept import own_options
from .._direct import split_named
from .._language import normalize_language
from .._query import listed, written
from .listen import knows_keyterms

ENCODINGS = {"pcm_s16le": "linear16", "mulaw": "mulaw", "alaw": "alaw"}
_MODEL = "nova-3"
_OURS = ("encoding", "sample_rate", "channels", "multichannel", "callback", "callback_method", "model", "language")
_INSTEAD = "use the arguments audio_format, model and language; results always come to this session"


def split_model(name: str | None) -> tuple[str, str | None]:
    """Splits ``model[:language]``. Raises `ConfigurationError` for a model of another provider."""
    return split_named(name, "Deepgram", _MODEL)


def query(request: TranscribeRequest) -> str:
    """Returns the query for a request. Raises `ConfigurationError` if a URL cannot express it."""
    model, suffix = split_model(request.model)
    settings: dict[str, Any] = {
        "model": model,
        "encoding": ENCODINGS[request.audio_format.encoding],
        "sample_rate": request.audio_format.sample_rate,
        "channels": request.audio_format.channels,
        "interim_results": True,
        "language": normalize_language(request.language or suffix or ""),
        **own_options(request.options, _OURS, "Deepgram", _INSTEAD),
    }
    if request.keyterms:
        key = "keyterm" if knows_keyterms(model) else "keywords"
        settings[key] = [*listed(settings.get(key, ())), *request.keyterms]
    return written(settings, model)
