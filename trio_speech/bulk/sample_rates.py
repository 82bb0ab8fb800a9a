"""Chooses the sample rate at which recordings are sent."""

from __future__ import annotations

from collections.abc import Iterable

from ..audio import AudioFormat
from ..errors import ConfigurationError
from ..provider import Backend, TranscribeRequest

_SAMPLE_RATES = (16_000, 24_000)


def sample_rate_for(backends: Iterable[Backend], model: str | None = None) -> int:
    """Returns the sample rate at which to send recordings: the first of 16,000 and 24,000 that all backends take.

    If there is none, returns 16,000: the error of the session then says why.
    """
    several = list(backends)
    fitting = (rate for rate in _SAMPLE_RATES if all(_takes(backend, rate, model) for backend in several))
    return next(fitting, _SAMPLE_RATES[0])


def _takes(backend: Backend, rate: int, model: str | None) -> bool:
    try:
        backend.recognizer(TranscribeRequest(audio_format=AudioFormat.pcm16(rate), model=model))
    except ConfigurationError:
        return False
    return True
