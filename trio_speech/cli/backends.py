"""The backend for each name that ``--backend`` takes. Each reads its credentials from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import trio_speech as ts

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
