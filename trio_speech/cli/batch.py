"""Recognizes many recordings, a bounded number at a time. Each result is written as soon as its recording is done."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Protocol, TextIO

import msgspec
import trio
from rich.markup import escape

import trio_speech as ts
from trio_speech._shell.concurrency.one_exception import one_exception
from trio_speech.audio.captions import text
from trio_speech.audio.files import AudioFile
from trio_speech.bulk import FileResult, open_results
from trio_speech.bulk.folders import recordings_under

from .exits import INCOMPLETE, code_of, messages
from .standard import STANDARD, opened, source_of
from .transcription import TranscribeOptions, transcribe_file


class Results(Protocol):
    """Where results are written: a file, or standard output. `done`: the recordings that need not be recognized."""

    @property
    def done(self) -> set[str]: ...
    def write(self, result: FileResult) -> None: ...


class _Lines:
    """Writes each result to standard output, as a line of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self.done: set[str] = set()
        self._stream = stream

    def write(self, result: FileResult) -> None:
        self._stream.write(msgspec.json.encode(result).decode() + "\n")
        self._stream.flush()


class _Texts(_Lines):
    """Writes each transcript to standard output, under the name of its file."""

    def write(self, result: FileResult) -> None:
        self._stream.write(f"==> {result.file} <==\n{text(result.finals)}\n")
        self._stream.flush()


class _Nothing:
    """An `Output` that writes nothing, and keeps the recognition."""

    def __init__(self) -> None:
        self.recognition = ts.Recognition("", (), ())

    def final(self, final: ts.FinalTranscript) -> None:
        pass

    def end(self, recognition: ts.Recognition) -> None:
        self.recognition = recognition


def results_in(jsonl: str | None, *, resume: bool) -> AbstractContextManager[Results]:
    """Returns where to write results: the file `jsonl`, or standard output as JSON lines or as text (``None``).

    With `resume`, recordings with a result in the file are done, errors aside. Without it, the file must not exist.
    Raises `ConfigurationError` and `OSError`.
    """
    if jsonl is not None and jsonl != STANDARD:
        return open_results(jsonl, resume=resume)
    if resume:
        raise ts.ConfigurationError("--resume finds what is done in a file: give --jsonl FILE")
    return nullcontext(_Texts(opened(sys.stdout)) if jsonl is None else _Lines(opened(sys.stdout)))


def recordings_in(names: Iterable[str]) -> list[str]:
    """Returns the names, each once, with each folder replaced by the recordings in it and in its folders."""
    return list(dict.fromkeys(found for name in names for found in _expanded(name)))


def _expanded(name: str) -> Iterator[str]:
    if name == STANDARD or not Path(name).is_dir():
        yield name
        return
    yield from recordings_under(name)


async def transcribe_all(
    backend: ts.Backend, names: Iterable[str], asked: TranscribeOptions, results: Results, jobs: int
) -> set[int]:
    """Recognizes all recordings that are not done yet, `jobs` at a time. Returns the exit codes of those that failed.

    A recording that cannot be read or recognized is named on standard error, and the others go on. Refused credentials
    end everything: raises `AuthenticationError`.
    """
    codes: set[int] = set()
    limit = trio.Semaphore(jobs)

    async def one(client: ts.Client, name: str) -> None:
        try:
            codes.update(await _transcribe_one(client, name, asked, results))
        finally:
            limit.release()

    async with ts.open_client(backend) as client, one_exception() as guard:
        for name in names:
            if name not in results.done:
                await limit.acquire()  # before the task is started: what waits costs nothing
                guard.start_soon(partial(one, client, name))
        for _ in range(jobs):  # until the last ones are done
            await limit.acquire()
    return codes


def _watch_nothing(recording: AudioFile, recognized: float, text: str) -> None:
    pass


async def _transcribe_one(client: ts.Client, name: str, asked: TranscribeOptions, results: Results) -> set[int]:
    output, seconds, error, code = _Nothing(), 0.0, None, 0
    try:
        _, seconds = await transcribe_file(client, source_of(name), asked, output, _watch_nothing)
    except ts.AuthenticationError:
        raise
    except (OSError, ts.SpeechError) as failure:
        error = str(failure) if isinstance(failure, ts.SpeechError) else f"{name}: {failure.strerror}"
        seconds, code = getattr(failure, "seconds", 0.0), code_of(failure)
        messages.print(f"[red]trio-speech:[/] {escape(error)}", soft_wrap=True)
    heard = output.recognition
    results.write(
        FileResult(file=name, seconds=seconds, text=heard.text, finals=heard.finals, gaps=heard.gaps, error=error)
    )
    for gap in heard.gaps:
        messages.print(f"[yellow]not recognized:[/] {escape(name)} {gap.start:.2f} to {gap.end:.2f} s ({gap.reason})")
    return {code} - {0} or ({INCOMPLETE} if heard.gaps else set())
