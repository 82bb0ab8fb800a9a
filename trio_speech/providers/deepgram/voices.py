"""Converts a synthesis request into the query of Deepgram's URL, ``/v1/speak``.

Deepgram's names of models are names of voices: ``aura-2-thalia-en`` is the voice *thalia* of the family *aura-2*,
speaking English.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs) and deepgram-sdk 7.17.0 (PyPI), ``speak/v1``.
"""

from __future__ import annotations

from ..._core.provider.requests import SynthesizeRequest
from ...errors import ConfigurationError
from .._direct import split_named
from .._language import primary_language
from .._query import written
from .address import settings

_FAMILY = "aura-2"
_VOICE = "thalia"
_FAMILIES = ("aura", "aura-2")
_RECOGNIZERS = ("nova", "flux")


def voice_model(request: SynthesizeRequest) -> str:
    """Returns the full name of the model for a request, such as ``aura-2-thalia-en``.

    Raises `ConfigurationError` for a model of another provider, and for a full name together with another voice.
    """
    model, suffix = split_named(request.model, "Deepgram", _FAMILY)
    if model.startswith(_RECOGNIZERS):
        raise ConfigurationError(
            f"model is {model!r}, which recognizes and does not speak: use {_FAMILY!r}", model=model
        )
    voice = request.voice or suffix
    if model not in _FAMILIES:
        if voice is not None:
            raise ConfigurationError(
                f"model is {model!r}, which names a voice already: leave voice out, or use the model {_FAMILY!r}",
                model=model,
            )
        return model
    if voice is not None and voice.startswith(tuple(f"{family}-" for family in _FAMILIES)):
        return voice
    return f"{model}-{voice or _VOICE}-{primary_language(request.language) or 'en'}"


def query(request: SynthesizeRequest) -> str:
    """Returns the query for a request. Raises `ConfigurationError` if a URL cannot express it."""
    model = voice_model(request)
    return written(settings(request, model), model)
