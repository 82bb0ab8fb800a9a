"""Converts a recognition request into the query of Deepgram's URL, ``/v1/listen``.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs) and deepgram-sdk 7.17.0 (PyPI), ``listen/v1``.
"""

from __future__ import annotations

from typing import Any

from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from .._accept import own_options
from .._direct import split_named
from .._language import normalize_language
from .._query import listed, written
from .listen import knows_keyterms

ENCODINGS = {"pcm_s16le": "linear16", "mulaw": "mulaw", "alaw": "alaw"}
_MODEL = "nova-3"
_OURS = (
    *("model", "language", "encoding", "sample_rate", "channels", "multichannel", "container"),
    *("callback", "callback_method"),
)
_INSTEAD = "use the arguments audio_format, model, voice and language; results always come to this session"


def split_model(name: str | None) -> tuple[str, str | None]:
    """Splits ``model[:language]``. Raises `ConfigurationError` for a model of another provider."""
    return split_named(name, "Deepgram", _MODEL)


def settings(request: TranscribeRequest | SynthesizeRequest, model: str, **usual: Any) -> dict[str, Any]:
    """Returns the settings that each address of Deepgram's has: model, format, those that are `usual`, and the options.

    Raises `ConfigurationError` for an option that this library sets from its own arguments.
    """
    return {
        "model": model,
        "encoding": ENCODINGS[request.audio_format.encoding],
        "sample_rate": request.audio_format.sample_rate,
        **usual,
        **own_options(request.options, _OURS, "Deepgram", _INSTEAD),
    }


def query(request: TranscribeRequest) -> str:
    """Returns the query for a request. Raises `ConfigurationError` if a URL cannot express it."""
    model, suffix = split_model(request.model)
    language = normalize_language(request.language or suffix or "")
    asked = settings(request, model, channels=request.audio_format.channels, interim_results=True, language=language)
    if request.keyterms:
        key = "keyterm" if knows_keyterms(model) else "keywords"
        asked[key] = [*listed(asked.get(key, ())), *request.keyterms]
    return written(asked, model)
