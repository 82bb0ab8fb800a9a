"""Recognizes one recording: finals are written as they come, and progress is shown on standard error."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Literal, Protocol, TextIO, TypeAlias

import msgspec
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

import trio_speech as ts
from trio_speech._core.recognition.recognition_builder import RecognitionBuilder
from trio_speech.audio.captions import CaptionFormat, PlainText, SubRip, WebVtt
from trio_speech.audio.files import AudioFile, AudioPath, open_audio

from .exits import messages

FormatName: TypeAlias = Literal["text", "json", "srt", "vtt"]
"""The values of ``--format``."""

_CAPTIONS: dict[FormatName, Callable[[], CaptionFormat]] = {"text": PlainText, "srt": SubRip, "vtt": WebVtt}
_SHOWN_CHARACTERS = 40


Watch: TypeAlias = Callable[[AudioFile, float, str], object]
"""Called with a recording, the seconds of it that have been recognized, and the last text."""


class TranscribeOptions(msgspec.Struct, frozen=True):
    """The options that are the same for all recordings."""

    model: str | None = None
    language: str | None = None
    raw: ts.AudioFormat | None = None
    sample_rate: int = 16_000


class Output(Protocol):
    """Where the transcript of one recording is written. `final` is called with each final, as soon as it comes."""

    def final(self, final: ts.FinalTranscript) -> None: ...
    def end(self, recognition: ts.Recognition) -> None:
        """Call once at the end of the recognition, even if it failed."""
        ...


class CaptionOutput:
    """Writes each final at once, as text or as a caption: a reader of a pipe need not wait, an error loses nothing."""

    def __init__(self, captions: CaptionFormat, stream: TextIO) -> None:
        self._captions = captions
        self._stream = stream
        self._write(captions.begin())

    def final(self, final: ts.FinalTranscript) -> None:
        self._write(self._captions.add(final))

    def end(self, recognition: ts.Recognition) -> None:
        self._stream.flush()

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class JsonOutput:
    """Writes the recognition as JSON at its end, with the field names of `Recognition`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def final(self, final: ts.FinalTranscript) -> None:
        pass

    def end(self, recognition: ts.Recognition) -> None:
        self._stream.write(msgspec.json.format(msgspec.json.encode(recognition), indent=2).decode() + "\n")
        self._stream.flush()


def output_in(name: FormatName, stream: TextIO) -> Output:
    """Returns an output that writes to `stream` in the format `name`."""
    return JsonOutput(stream) if name == "json" else CaptionOutput(_CAPTIONS[name](), stream)


async def transcribe_file(
    client: ts.Client,
    file: AudioPath,
    asked: TranscribeOptions,
    output: Output,
    watch: Callable[[AudioFile, float, str], object],
) -> tuple[ts.Recognition, float]:
    """Recognizes a recording; returns the recognition, and the seconds of audio read.

    Raises `OSError` and `SpeechError`; by then, `output` has what was recognized.
    """
    builder = RecognitionBuilder()
    async with open_audio(file, sample_rate=asked.sample_rate, raw=asked.raw) as recording:
        session = client.transcribe(recording, recording.audio_format, model=asked.model, language=asked.language)
        try:
            async with session as transcript:
                async for event in transcript:
                    builder.add(event)
                    if isinstance(event, ts.FinalTranscript):
                        output.final(event)
                    watch(recording, transcript.statistics().settled, getattr(event, "text", ""))
        finally:
            recognition = builder.recognition()
            output.end(recognition)
        if not recording.position and recording.damage is None:
            raise ts.ConfigurationError(f"{recording.name} holds no audio: not a single sample")
    return recognition, recording.position


@contextmanager
def progress_bar(*, shown: bool) -> Generator[Watch]:
    """Yields a function that draws a bar on standard error: how much has been recognized, and the last text."""
    columns = BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=messages, transient=True, disable=not shown) as progress:
        task = progress.add_task("", total=None)

        def watch(recording: AudioFile, recognized: float, text: str) -> None:
            shown = text[-_SHOWN_CHARACTERS:] or progress.tasks[task].description
            progress.update(task, total=recording.duration, completed=recognized, description=shown)

        yield watch
