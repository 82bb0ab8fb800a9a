"""Spans and figures of what happens on the network, by OpenTelemetry, where its API is installed.

Where they go is the program's choice, as with every library that speaks to that API. Without the API, each call here is
of a method that does nothing. No audio, no text and no credential is in them, but for what a service quotes in a
complaint.

    span       from, to
    ────────   ─────────────────────────────────────────────────────────────────────
    dial       the credentials are asked for, the websocket is open
    link       a recognition has a connection, and has lost it or is done with it
    segment    a sentence is asked for, and all its audio came
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, TypeAlias

from ..._core.retry.causes import Cause

Operation: TypeAlias = Literal["dial", "link", "segment"]
Counted: TypeAlias = Literal["replayed", "lost", "repeated_words", "reconnects"]
Measured: TypeAlias = Literal["ping", "first_audio", "final_latency"]

_COUNTERS: dict[Counted, tuple[str, str]] = {
    "replayed": ("s", "Audio that was sent again."),
    "lost": ("s", "Audio named by gaps: no link will recognize it."),
    "repeated_words": ("{word}", "Words that came a second time, and were discarded."),
    "reconnects": ("{connection}", "Connections that took the place of one that was lost."),
}
_HISTOGRAMS: dict[Measured, tuple[str, str]] = {
    "ping": ("s", "From a ping to its pong."),
    "first_audio": ("s", "From the request for a sentence to its first audio."),
    "final_latency": ("s", "From the capture of the last sample of a final to its delivery."),
}


Failed: TypeAlias = Callable[[Cause], None]


def _nobody_listens(_: Cause) -> None:
    pass


class Telemetry:
    """Tells nobody."""

    def span(self, operation: Operation, endpoint: str) -> AbstractContextManager[Failed]:
        """Lasts as long as the block, to which it gives what is to be called where the operation fails."""
        return nullcontext(_nobody_listens)

    def count(self, what: Counted, amount: float, endpoint: str) -> None:
        """So much more of it."""

    def measure(self, what: Measured, seconds: float, endpoint: str) -> None:
        """One observation."""


class _Span:
    """A span, as a block. Nothing inside opens another, so it is never made the current one, which would cost more."""

    __slots__ = ("_error", "_span")

    def __init__(self, span: Any, error: Any) -> None:
        self._span = span
        self._error = error

    def __enter__(self) -> Failed:
        return self._failed

    def __exit__(self, *_: object) -> None:
        self._span.end()

    def _failed(self, cause: Cause) -> None:
        self._span.set_attribute("error.type", type(cause).__name__)
        self._span.set_status(self._error, str(cause))


class OpenTelemetry(Telemetry):
    """Tells the providers that the program has set, under the name of this package."""

    def __init__(self) -> None:
        from opentelemetry import metrics, trace  # noqa: PLC0415  # an extra

        self._error = trace.StatusCode.ERROR
        self._tracer = trace.get_tracer("trio_speech")
        meter = metrics.get_meter("trio_speech")
        self._counters: dict[Counted, Any] = {
            name: meter.create_counter(f"trio_speech.{name}", unit, description)
            for name, (unit, description) in _COUNTERS.items()
        }
        self._histograms: dict[Measured, Any] = {
            name: meter.create_histogram(f"trio_speech.{name}", unit, description)
            for name, (unit, description) in _HISTOGRAMS.items()
        }

    def span(self, operation: Operation, endpoint: str) -> _Span:
        attributes = {"trio_speech.endpoint": endpoint}
        return _Span(self._tracer.start_span(f"trio_speech.{operation}", attributes=attributes), self._error)

    def count(self, what: Counted, amount: float, endpoint: str) -> None:
        if amount:
            self._counters[what].add(amount, {"trio_speech.endpoint": endpoint})

    def measure(self, what: Measured, seconds: float, endpoint: str) -> None:
        self._histograms[what].record(seconds, {"trio_speech.endpoint": endpoint})


def telemetry() -> Telemetry:
    """What the environment offers."""
    try:
        return OpenTelemetry()
    except ImportError:
        return Telemetry()
