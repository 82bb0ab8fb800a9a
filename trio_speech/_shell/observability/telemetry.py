"""Spans and metrics about the network: recorded by OpenTelemetry if its API is installed, else dropped.

The program chooses where they go, as with every library that uses OpenTelemetry. They hold no audio, no transcript, no
text to speak and no credential, except where a service quotes one in its error message.

    span       begins, ends
    ────────   ─────────────────────────────────────────────────────────────────────
    dial       when the credential is asked for; when the websocket is open
    link       when a recognition has a connection; when it has lost it, or needs it no more
    segment    when a sentence is asked for; when all its audio has come
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, TypeAlias

from ..._core.retry.causes import Cause

Operation: TypeAlias = Literal["dial", "link", "segment"]
Counted: TypeAlias = Literal["replayed", "lost", "repeated_words", "reconnects", "suspected", "cleared"]
Measured: TypeAlias = Literal["ping", "first_audio", "final_latency"]

_COUNTERS: dict[Counted, tuple[str, str]] = {
    "replayed": ("s", "Audio that was sent again."),
    "lost": ("s", "Audio named by gaps: no link will recognize it."),
    "repeated_words": ("{word}", "Words that came a second time, and were discarded."),
    "reconnects": ("{connection}", "Connections that took the place of one that was lost."),
    "suspected": ("{suspicion}", "Connections that were suspected to be dead."),
    "cleared": ("{suspicion}", "Suspect connections that showed life."),
}
_HISTOGRAMS: dict[Measured, tuple[str, str]] = {
    "ping": ("s", "From a ping to its pong."),
    "first_audio": ("s", "From the request for a sentence to its first audio."),
    "final_latency": ("s", "From the capture of the last sample of a final to its delivery."),
}


Failed: TypeAlias = Callable[[Cause], None]


def _ignore(_: Cause) -> None:
    pass


class Telemetry:
    """No-op telemetry, used when the OpenTelemetry API is not installed."""

    def span(self, operation: Operation, endpoint: str) -> AbstractContextManager[Failed]:
        """Returns a context manager that records a span. It yields a function to call with the cause of a failure."""
        return nullcontext(_ignore)

    def count(self, what: Counted, amount: float, endpoint: str) -> None:
        """Adds `amount` to the counter `what`."""

    def measure(self, what: Measured, seconds: float, endpoint: str) -> None:
        """Records one value in the histogram `what`."""


class _Span:
    """A span as a context manager.

    It is not made the current span: no other is opened in it, and it would cost more.
    """

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
    """Telemetry that records to the tracer and meter providers that the program has set."""

    def __init__(self) -> None:
        from opentelemetry import metrics, trace  # noqa: PLC0415  # only in the otel extra

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
    """Returns OpenTelemetry if its API is installed, else no-op telemetry."""
    try:
        return OpenTelemetry()
    except ImportError:
        return Telemetry()
