"""Tables and plots, on the terminal and as RESULTS.md."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).parent
PLOTS = HERE / "plots"
PACKAGES = ("livekit-agents", "deepgram-sdk", "cartesia", "trio", "trio-websocket", "msgspec")
METHOD = """\
# Results

Written by `python tests/benchmarks --page`; `nox -s bench` prints the same tables.

**Method.** One light service (`peer.py`) speaks the LiveKit inference protocol to every side: an interim transcript for
each half second of audio, a final for each two, five words with times in each. Every side runs in a fresh process on
core {client}, the service on core {service}. Over TLS the service has a certificate of its own authority, TLS 1.3, on
loopback too. Audio is 16 kHz mono PCM of noise as loud as speech, pushed in
20 ms, and sent in frames of 50 ms by all. CPU is the client process's own (`time.process_time`), without set-up, for
each second of audio that was pushed while it was measured. The sides take turns within a round; a figure is the median
of {rounds} rounds, a ratio the median of the ratios within the rounds: below 1 ours is the cheaper. *bare* is a
trio-websocket loop that sends the same frames and drops what it reads, *raw* writes ready-made frames to sockets and
does nothing else. Latency of a final: from the moment when its last 20 ms were due until the program has the event.

**Machine.** {machine}; load average at the beginning {load:.1f}. Much above 1, other programs were running beside the
benchmarks: then times by the wall clock say little, and the ratios of CPU time are what to look at.

**Versions.** {versions}.
"""


class Part(Protocol):
    def text(self) -> str: ...
    def markdown(self) -> str: ...


@dataclass
class Table:
    title: str
    head: list[str]
    rows: list[list[str]] = field(default_factory=list)
    note: str = ""

    def text(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.head))]
        cells = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        return "\n".join(["", self.title, *cells, *([self.note] if self.note else [])])

    def markdown(self) -> str:
        rule = ["---"] * len(self.head)
        rows = "\n".join(f"| {' | '.join(row)} |" for row in (self.head, rule, *self.rows))
        return f"## {self.title}\n\n{rows}\n" + (f"\n{self.note}\n" if self.note else "")


@dataclass
class Plot:
    name: str
    draw: Any

    def text(self) -> str:
        return f"(plots/{self.name}.svg)"

    def markdown(self) -> str:
        import matplotlib

        matplotlib.use("svg")
        matplotlib.rcParams["svg.hashsalt"] = self.name
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
        self.draw(axes)
        axes.grid(alpha=0.3)
        axes.legend()
        PLOTS.mkdir(exist_ok=True)
        figure.savefig(PLOTS / f"{self.name}.svg", metadata={"Date": None})
        pyplot.close(figure)
        return f"![{self.name.replace('_', ' ')}](plots/{self.name}.svg)\n"


def lines(
    name: str, title: str, across: str, series: Mapping[str, Sequence[tuple[float, float]]], *, scale: str = "log"
) -> Plot:
    """CPU by something else."""

    def draw(axes: Any) -> None:
        for label, points in series.items():
            axes.plot(*zip(*points, strict=True), marker="o", label=label)
        axes.set(title=title, xlabel=across, ylabel="CPU for a second of audio, ms", xscale=scale, ylim=(0, None))
        plain_ticks(axes, sorted({x for points in series.values() for x, _ in points}) if scale == "log" else None)

    return Plot(name, draw)


def distribution(name: str, title: str, series: Mapping[str, Sequence[float]]) -> Plot:
    """Which share took at most so long, of seconds."""
    longest = 1_000 * max(max(values) for values in series.values())
    shortest = 1_000 * min(min(values) for values in series.values())

    def draw(axes: Any) -> None:
        for label, values in series.items():
            ordered = sorted(values)[:: max(1, len(values) // 400)]
            shares = [100 * (i + 1) / len(ordered) for i in range(len(ordered))]
            axes.plot([1_000 * value for value in ordered], shares, label=label)
        axes.set(title=title, xlabel="ms, on a logarithmic scale", ylabel="% that took at most so long", xscale="log")
        steps = [step * 10.0**power for power in range(-2, 6) for step in (1, 2, 5)]
        plain_ticks(axes, [step for step in steps if 0.9 * shortest <= step <= 1.1 * longest])

    return Plot(name, draw)


def plain_ticks(axes: Any, at: Sequence[float] | None) -> None:
    """Numbers as people write them, at these places alone."""
    from matplotlib.ticker import NullLocator, StrMethodFormatter

    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    if at is not None:
        axes.set_xticks(at)


def write(name: str, parts: Sequence[Part], *, rounds: int, cores: tuple[int | None, int | None], load: float) -> None:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    client, service = cores
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    method = METHOD.format(client=client, service=service, rounds=rounds, machine=machine, load=load, versions=versions)
    (HERE / name).write_text("\n".join([method, *(part.markdown() for part in parts)]), encoding="utf-8")
