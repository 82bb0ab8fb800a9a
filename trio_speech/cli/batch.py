"""Recognizes many recordings, a bounded number at a time. Each result is written as soon as its recording is done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Protocol, TextIO

import msgspec
import trio
from rich.markup import escape

import trio_speech as ts
from trio_speech._shell.concurrency.one_exception import one_exception
from trio_speech.audio.captions import text
from trio_speech.audio.files import AudioFile
from trio_speech.bulk import FileResult, open_results, recording_name
from trio_speech.bulk.folders import none_found, recordings_under

from .exits import INCOMPLETE, code_of, messages, tell
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
    """Returns the names, with each folder replaced by the recordings in it and in its folders.

    A recording that has several names, such as ``a.wav`` and ``./a.wav``, comes once, by the first. Raises
    `ConfigurationError` where a folder holds no recording, and `OSError`.
    """
    found: dict[str, str] = {}
    for name in names:
        expanded = recordings_under(name) if name != STANDARD and os.path.isdir(name) else [name]
        if not name or not expanded:
            raise none_found(name)
        for each in expanded:
            found.setdefault(each if each == STANDARD else os.path.abspath(each), each)
    return list(found.values())


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
            if recording_name(name) not in results.done:
                await limit.acquire()  # before the task is started: what waits costs nothing
                guard.start_soon(partial(one, client, name))
        for _ in range(jobs):  # until the last ones are done
            await limit.acquire()
    return codes


def _watch_nothing(recording: AudioFile, recognized: float, text: str) -> None:
    pass


async def _transcribe_one(client: ts.Client, name: str, asked: TranscribeOptions, results: Results) -> set[int]:
    output, seconds, error, code = _Nothing(), 0.0, None, 0
    shown = recording_name(name)
    try:
        _, seconds = await transcribe_file(client, source_of(name), asked, output, _watch_nothing)
    except ts.AuthenticationError:
        raise
    except (OSError, ts.SpeechError) as failure:
        error = str(failure) if isinstance(failure, ts.SpeechError) else f"{shown}: {failure.strerror}"
        seconds, code = getattr(failure, "seconds", 0.0), code_of(failure)
        tell(error)
    heard = output.recognition
    results.write(
        FileResult(file=shown, seconds=seconds, text=heard.text, finals=heard.finals, gaps=heard.gaps, error=error)
    )
    for gap in heard.gaps:
        messages.print(f"[yellow]not recognized:[/] {escape(shown)} {gap.start:.2f} to {gap.end:.2f} s ({gap.reason})")
    return {code} - {0} or ({INCOMPLETE} if heard.gaps else set())
