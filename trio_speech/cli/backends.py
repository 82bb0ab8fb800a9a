"""Which service a name stands for. Each takes its credentials from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import trio_speech as ts

BackendName: TypeAlias = Literal["local", "livekit", "deepgram", "cartesia"]
"""What ``--backend`` takes."""

BACKENDS: Mapping[BackendName, Callable[[], ts.Backend]] = {
    "local": ts.Local,
    "livekit": ts.LiveKit,
    "deepgram": ts.Deepgram,
    "cartesia": ts.Cartesia,
}
