"""The backend for each name that ``--backend`` takes. Each reads its credentials from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import trio_speech as ts
from trio_speech.provider import TranscribeRequest

BackendName: TypeAlias = Literal["local", "livekit", "deepgram", "cartesia", "elevenlabs", "openai"]
"""The values of ``--backend``."""

BACKENDS: Mapping[BackendName, Callable[[], ts.Backend]] = {
    "local": ts.Local,
    "livekit": ts.LiveKit,
    "deepgram": ts.Deepgram,
    "cartesia": ts.Cartesia,
    "elevenlabs": ts.ElevenLabs,
    "openai": ts.OpenAI,
}

_SAMPLE_RATES = (16_000, 24_000)


def sample_rate_for(backend: ts.Backend, model: str | None = None) -> int:
    """Returns the sample rate at which to send recordings: the first of 16,000 and 24,000 that the backend takes.

    If it takes neither, returns 16,000: the error of the session then says why.
    """
    for rate in _SAMPLE_RATES:
        try:
            backend.recognizer(TranscribeRequest(audio_format=ts.AudioFormat.pcm16(rate), model=model))
        except ts.ConfigurationError:
            continue
        return rate
    return _SAMPLE_RATES[0]
