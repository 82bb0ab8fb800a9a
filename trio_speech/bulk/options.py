"""Options that are the same for all recordings of an archive, as values that can be sent to workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from ..audio import AudioFormat
from ..errors import ConfigurationError
from ..policy import LivenessPolicy, ReplayPolicy, RetryPolicy


class EndpointLimits(Struct, frozen=True, kw_only=True):
    """How much a service may be asked for, by all workers of a cluster together. ``None``: no limit.

    Fields:
        streams: Sessions at once.
        dials_per_second: Connections that are begun within any second, the reconnections included.
        speed: How fast each session sends its audio, as a multiple of real time. All sessions together send at most
            `streams` times as much.
    """

    streams: int | None = None
    dials_per_second: int | None = None
    speed: float | None = None

    def __post_init__(self) -> None:
        for name in ("streams", "dials_per_second"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ConfigurationError(f"EndpointLimits.{name} is {value!r}: use a whole number from 1 up, or None")
        if self.speed is not None and not self.speed > 0:
            raise ConfigurationError(f"EndpointLimits.speed is {self.speed!r}: use a number above 0, or None")


class BulkOptions(Struct, frozen=True, kw_only=True):
    """What is the same for all recordings.

    Fields:
        model: The model, as the service names it; ``None``: its default.
        language: The language of the speech.
        options: The service's own settings.
        keyterms: Words that the recognizer should listen for.
        raw: The format of files that hold samples alone; ``None``: they have headers.
        storage_options: What fsspec needs to open URLs, such as credentials.
        limits: What the service may be asked for.
        retry: When a session reconnects, and when it gives up.
        replay: How a session sends audio again.
        liveness: How soon a connection counts as dead.
    """

    model: str | None = None
    language: str | None = None
    options: Mapping[str, Any] | None = None
    keyterms: tuple[str, ...] = ()
    raw: AudioFormat | None = None
    storage_options: Mapping[str, Any] | None = None
    limits: EndpointLimits = EndpointLimits()
    retry: RetryPolicy = RetryPolicy()
    replay: ReplayPolicy = ReplayPolicy()
    liveness: LivenessPolicy = LivenessPolicy()
