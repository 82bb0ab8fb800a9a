"""Converts a recognition request into the query of the URL of Deepgram Flux, ``/v2/listen``.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs) and deepgram-sdk 7.17.0 (PyPI), ``listen/v2``.
"""

from __future__ import annotations

from ..._core.provider.requests import TranscribeRequest
from ...errors import ConfigurationError
from .._language import normalize_language
from .._query import listed, written
from .address import settings, split_model

_TIMEOUT = 5_000
"""Milliseconds of silence after which a turn always ends, unless ``eot_timeout_ms`` is given."""


def is_flux(model: str) -> bool:
    """Whether a model uses the protocol of Flux."""
    return model.startswith("flux")


def query(request: TranscribeRequest) -> str:
    """Returns the query for a request. Raises `ConfigurationError` if a URL cannot express it."""
    model, suffix = split_model(request.model)
    asked = settings(request, model)
    for name, more in (
        ("keyterm", request.keyterms),
        ("language_hint", _hints(model, request.language or suffix or "")),
    ):
        if more:
            asked[name] = [*listed(asked.get(name, ())), *more]
    return written(asked, model)


def turn_timeout(request: TranscribeRequest) -> float:
    """Returns the seconds of silence after which a turn always ends."""
    milliseconds = request.options.get("eot_timeout_ms")
    return (milliseconds if isinstance(milliseconds, (int, float)) else _TIMEOUT) / 1_000


def _hints(model: str, given: str) -> tuple[str, ...]:
    """Returns the language as hints, if the model takes hints.

    Flux has no setting for it: a model knows one language, or detects which it is. Raises `ConfigurationError` if the
    model does not know the language.
    """
    language = normalize_language(given)
    if language is None or language == "multi":
        return ()
    known = model.rpartition("-")[2]
    if known == "multi":
        return (language,)
    if language.partition("-")[0] != known:
        raise ConfigurationError(
            f"language is {language!r}, and the model {model!r} does not know it: use 'flux-general-multi'", model=model
        )
    return ()
