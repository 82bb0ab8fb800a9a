"""Is the service ill although it answers pings?

Law: a link is dead when speech has been sent and nothing has been said of it for `timeout` seconds. Silence is no
illness: before the verdict, the audio itself is looked at.
"""

from __future__ import annotations

from collections.abc import Callable

_LOUD = 1_000
"""Peak of 16-bit PCM, about -30 dBFS, above which audio may be speech."""


class Progress:
    """Watches that results come while speech is sent; ``None``: it does not."""

    def __init__(self, timeout: float | None, now: float) -> None:
        self.timeout = timeout
        self._since = now

    def made(self, now: float) -> None:
        """Something came that shows the recogniser at work."""
        self._since = now

    def deadline(self) -> float | None:
        """When to look again."""
        return None if self.timeout is None else self._since + self.timeout

    def overdue(self, now: float, is_silence: Callable[[], bool]) -> bool:
        """Whether the link is dead; `is_silence` looks at what was sent and is not acknowledged."""
        if self.timeout is None or now < self._since + self.timeout:
            return False
        if not is_silence():
            return True
        self._since = now
        return False


def is_loud(audio: bytes, encoding: str) -> bool:
    """Whether `audio` may hold speech. Of companded audio, anything at all may."""
    if encoding != "pcm_s16le":
        return bool(audio)
    if not audio:
        return False
    values = memoryview(audio).cast("h")
    return max(values) > _LOUD or min(values) < -_LOUD
