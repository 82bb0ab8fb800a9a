from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from trio.testing import MockClock

import trio_speech as ts
from trio_speech._shell.observability.telemetry import OpenTelemetry, Telemetry, telemetry
from trio_speech.testing import Drop, Hear, Refuse, ScriptedGateway, Speak, open_gateway, say, speech

FORMAT = ts.AudioFormat.pcm16(8_000)
SPOKEN = say(0.3, "turn left", 0.8, "at the bridge", 0.8)


class Told:
    """What the SDK was told."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader])

    def spans(self, name: str) -> list[Any]:
        return [span for span in self._exporter.get_finished_spans() if span.name == f"trio_speech.{name}"]

    def point(self, name: str) -> Any:
        """The one point of an instrument."""
        data: Any = self._reader.get_metrics_data()
        instruments = [each for scope in data.resource_metrics[0].scope_metrics for each in scope.metrics]
        (found,) = [each for each in instruments if each.name == f"trio_speech.{name}"]
        (point,) = found.data.data_points
        return point

    def everything(self) -> str:
        data: Any = self._reader.get_metrics_data()
        return "".join(span.to_json() for span in self._exporter.get_finished_spans()) + str(data.to_json())


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    told = Told()
    monkeypatch.setattr(trace, "get_tracer", told.tracers.get_tracer)
    monkeypatch.setattr(metrics, "get_meter", told.meters.get_meter)
    yield told
    told.meters.shutdown()
    told.tracers.shutdown()


async def test_a_recognition_has_a_span_per_link_and_counts_what_was_replayed(
    gateway: ScriptedGateway, told: Told, autojump_clock: MockClock
) -> None:
    gateway.plan(Hear(1.5), Drop(), Refuse(503))
    async with gateway.client() as client:
        async with client.transcribe(SPOKEN, SPOKEN.audio_format) as transcript:
            async for _ in transcript:
                pass
        statistics = transcript.statistics()
    lost, last = told.spans("link")
    assert lost.attributes["error.type"] == "Broken"
    assert not lost.status.is_ok
    assert "error.type" not in last.attributes
    assert [span.attributes.get("error.type") for span in told.spans("dial")] == [None, "Refused", None]
    assert told.point("reconnects").value == 1
    assert told.point("replayed").value == pytest.approx(statistics.replayed)
    assert told.point("final_latency").count == statistics.finals
    assert statistics.replayed > 0


async def test_audio_lost_after_the_last_link_is_counted(
    gateway: ScriptedGateway, told: Told, autojump_clock: MockClock
) -> None:
    gateway.plan(Hear(2.0), Drop(), *[Refuse(503)] * 50)
    said = speech(10.0)
    policies: Any = {
        "retry": ts.RetryPolicy(deadline=8.0),
        "replay": ts.ReplayPolicy(limit=1.0, overflow="drop_oldest"),
    }
    with pytest.raises(ts.RetriesExhausted):  # noqa: PT012  # a block
        async with gateway.client(**policies) as client, client.transcribe(said.source()) as transcript:
            async for _ in transcript:
                pass
    lost = transcript.statistics().in_gaps
    assert lost > 1.0
    assert told.point("lost").value == pytest.approx(lost)


async def test_a_planned_move_is_no_error(gateway: ScriptedGateway, told: Told, autojump_clock: MockClock) -> None:
    said = speech(30.0)
    retry = ts.RetryPolicy(max_attempts=0, return_after=10.0)
    gateway.plan(Refuse(503))
    async with (
        open_gateway() as second,
        ts.open_client([gateway.backend(), second.backend()], retry=retry) as client,
        client.transcribe(said, said.audio_format) as transcript,
    ):
        resumed = [event async for event in transcript if isinstance(event, ts.Resumed)]
    assert len(resumed) == 2
    assert [span.attributes.get("error.type") for span in told.spans("link")] == [None, None]
    assert told.point("reconnects").value == 1, "for the refusal, and not for the return"


async def test_a_synthesis_has_a_span_per_sentence(
    gateway: ScriptedGateway, told: Told, autojump_clock: MockClock
) -> None:
    gateway.plan(Speak(0.3), Drop())
    async with gateway.client() as client:
        await client.render("This is one. This is two.", audio_format=FORMAT)
    kinds = [span.attributes.get("error.type") for span in told.spans("segment")]
    assert kinds == ["Broken", None, None]
    assert told.point("first_audio").count == 3


async def test_pings_are_measured(gateway: ScriptedGateway, told: Told, autojump_clock: MockClock) -> None:
    liveness = ts.LivenessPolicy(ping_interval=0.5)
    async with gateway.client(liveness=liveness) as client:
        await client.recognize(SPOKEN, SPOKEN.audio_format)
    assert told.point("ping").count >= 3


async def test_no_text_and_no_transcript_is_exported(
    gateway: ScriptedGateway, told: Told, autojump_clock: MockClock
) -> None:
    gateway.plan(Hear(1.5), Drop())
    async with gateway.client() as client:
        await client.recognize(SPOKEN, SPOKEN.audio_format)
        await client.render("A secret garden.", audio_format=FORMAT)
    everything = told.everything()
    assert "trio_speech.endpoint" in everything
    assert not [word for word in ("secret", "garden", "bridge") if word in everything]


def test_without_the_api_telemetry_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(telemetry()) is OpenTelemetry
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    silent = telemetry()
    assert type(silent) is Telemetry
    silent.count("replayed", 1.0, "endpoint")
    silent.measure("ping", 1.0, "endpoint")
    with silent.span("dial", "endpoint") as failed:
        failed(None)  # type: ignore[arg-type]
