"""trio_speech while OpenTelemetry is not to be had, is there, or listens: how much of the CPU goes into telling it."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from statistics import mean
from time import thread_time
from typing import Any

import ours
import trio
from load import asked, tell

from trio_speech._shell.network import dialer as endpoints
from trio_speech._shell.observability.telemetry import Failed, Telemetry, telemetry


class Timed(Telemetry):
    """Another's calls, and the CPU seconds that each took, with what a look at the clock takes."""

    def __init__(self, told: Telemetry) -> None:
        self._told = told
        self.took: list[float] = []

    @contextmanager
    def span(self, *what: Any) -> Generator[Failed]:
        began = thread_time()
        span = self._told.span(*what)
        failed = span.__enter__()
        self.took.append(thread_time() - began)
        yield failed
        began = thread_time()
        span.__exit__(None, None, None)
        self.took.append(thread_time() - began)

    def count(self, *what: Any) -> None:
        began = thread_time()
        self._told.count(*what)
        self.took.append(thread_time() - began)

    def measure(self, *what: Any) -> None:
        began = thread_time()
        self._told.measure(*what)
        self.took.append(thread_time() - began)

    def spent(self) -> float:
        """CPU seconds of all calls, as if those of the warm-up were like the others: the first make what others use."""
        return mean(self.took[len(self.took) // 5 :]) * len(self.took)


def prepare(kind: str) -> None:
    if kind == "missing":
        sys.modules["opentelemetry"] = None  # type: ignore[assignment]
    elif kind == "listening":
        from opentelemetry import metrics, trace
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        tracers = TracerProvider()
        tracers.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
        trace.set_tracer_provider(tracers)
        metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))


if __name__ == "__main__":
    load = asked()
    prepare(load.telemetry)
    timed = Timed(telemetry())
    endpoints.telemetry = lambda: timed
    told = trio.run(getattr(ours, load.task), load)
    told.extra |= {"spent": timed.spent()}
    tell(told)
