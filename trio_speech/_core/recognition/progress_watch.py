"""Is the service ill although it answers pings?

Laws
    1. Silence is no illness: nothing is owed for it. A result is owed from the first speech that is sent after the last
       one, and a guess owes its final.
    2. Owed for half of `timeout` seconds, it is asked for: noise as loud as speech may be nothing to speak of.
    3. Owed for `timeout` seconds, it will not come: the link is dead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

_LOUD = 1_024
"""Peak of 16-bit PCM, about -30 dBFS, from which on audio may be speech."""


class ProgressWatch:
    """Watches that results come for the speech that is sent; ``None``: it does not."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self.owed = False
        """Whether a result is owed: then more speech makes no difference."""
        self.doubtful_from = self.overdue_from = math.inf
        """When to ask for what is owed, and when the link is dead."""

    def sent(self, audio: bytes, encoding: str, now: float) -> bool:
        """Audio went out; says whether a result is owed for it that was not owed before."""
        if self.owed or self.timeout is None or not is_loud(audio, encoding):
            return False
        self.made(now, owes=True)
        return True

    def made(self, now: float, *, owes: bool) -> None:
        """Something came that shows the recognizer at work, and which `owes` a final or not."""
        self.owed = owes
        patience = math.inf if self.timeout is None or not owes else self.timeout
        self.doubtful_from = now + patience / 2
        self.overdue_from = now + patience


def is_loud(audio: bytes, encoding: str) -> bool:
    """Whether `audio` may hold speech."""
    telling = audio[1::2] if encoding == "pcm_s16le" else audio
    return bool(telling.translate(None, _QUIET[encoding]))


def _mulaw(code: int) -> int:
    exponent, mantissa = (~code >> 4) & 7, ~code & 15
    return (((mantissa << 3) + 132) << exponent) - 132


def _alaw(code: int) -> int:
    exponent, mantissa = ((code ^ 0x55) >> 4) & 7, (code ^ 0x55) & 15
    return (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 264) << (exponent - 1)


def _high_byte(code: int) -> int:
    return min(code, 255 - code) << 8


def _quiet(magnitude: Callable[[int], int]) -> bytes:
    return bytes(code for code in range(256) if magnitude(code) < _LOUD)


_QUIET: Mapping[str, bytes] = {
    "pcm_s16le": _quiet(_high_byte),
    "mulaw": _quiet(_mulaw),
    "alaw": _quiet(_alaw),
}
"""The bytes of quiet values, by encoding; of PCM only the high byte of each value is looked at."""
