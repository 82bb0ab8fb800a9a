"""How the scripted recognizer is to behave."""

from __future__ import annotations

import math
from random import Random
from typing import Literal

from msgspec import Struct

from ..._core.provider.profile import SttProfile


class Drift(Struct, frozen=True):
    """Times that are off by up to `bound` seconds, differently on each connection, changing slowly along it."""

    bound: float = 0.08
    seed: int = 0


class Manner(Struct, frozen=True, kw_only=True):
    """How the scripted recognizer behaves. The default is a provider of exact spans; all durations are in seconds."""

    endpointing: float | None = 0.3
    """Silence that ends an utterance; ``None``: there are no finals but when they are asked for."""
    longest: float | None = 15.0
    """An utterance is given in finals of this length at most."""
    interim: float | None = 0.2
    """How much audio lies between two interims."""
    preflight: float | None = None
    """Silence after which an utterance is given early, as a preflight."""
    word_times: bool = True
    """Finals carry words."""
    spans: Literal["utterance", "billed"] = "utterance"
    """``"billed"``: like cartesia/ink-2, a final starts at 0 and lasts as long as the audio billed since the last."""
    drift: Drift | None = None
    held: float = 0.0
    """Finals come only when so much more audio has been heard, or when they are asked for."""
    twice: bool = False
    """Each final comes a second time."""
    mid_word: Literal["hold", "cut"] = "hold"
    """When asked for finals in mid-word: the word waits for its end, or falls to pieces."""
    finalized: Literal["after", "before", "never"] = "after"
    """Where the answer to finalize comes, seen from the finals that it brings."""
    trailing: float = 0.0
    """Time between the answer to finalize and finals that come after it."""
    onsets: bool = True
    """Says when speech starts."""
    silence: float = 3.0
    """Silence is acknowledged in stretches of this length."""
    utterance_end: float | None = None
    """Silence after a word that is told as such, apart from any final."""
    pace: float | None = None
    """It hears no faster than at this multiple of real time: what is sent faster waits."""

    def profile(self) -> SttProfile:
        """What a client may rely on with a provider of this manner."""
        trusted = self.spans == "utterance"
        return SttProfile(
            acknowledges="span" if trusted else "finalize",
            exact_times=trusted and self.drift is None,
            word_times=self.word_times and trusted,
            finalizes_itself=self.endpointing is not None,
        )


class Clock(Struct, frozen=True):
    """What one connection takes a moment for, both in seconds."""

    offset: float = 0.0
    swing: float = 0.0

    def __call__(self, seconds: float) -> float:
        return max(0.0, seconds + self.offset + self.swing * math.sin(seconds / 5)) if self.offset else seconds


def clock_of(drift: Drift | None, number: int) -> Clock:
    """The clock of the connection of that number."""
    if drift is None:
        return Clock()
    random = Random(f"{drift.seed}:{number}")  # noqa: S311
    share = random.uniform(0.2, 0.8) * random.choice((-1, 1))
    return Clock(share * drift.bound, (1 - abs(share)) * drift.bound)
