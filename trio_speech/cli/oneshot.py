"""One recording to text, one text to audio, with progress on standard error where somebody watches it."""

from __future__ import annotations

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from soundfile import SoundFile

import trio_speech as ts

from .audiofile import duration, pcm
from .exits import messages

_SAMPLE_RATE = 16_000


async def recognize(
    backend: ts.Backend, recording: SoundFile, model: str | None, language: str | None
) -> ts.Recognition:
    """All of the recording. Raises `SpeechError`."""
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as progress:
        task = progress.add_task("recognizing", total=duration(recording))
        source = pcm(recording, _SAMPLE_RATE, lambda seconds: progress.advance(task, seconds))
        async with ts.open_client(backend) as client:
            audio_format = ts.AudioFormat.pcm16(_SAMPLE_RATE)
            return await client.recognize(source, audio_format, model=model, language=language)


async def render(
    backend: ts.Backend, text: str, model: str | None, voice: str | None, language: str | None
) -> ts.AudioClip:
    """All of the text, spoken. Raises `SpeechError`."""
    async with ts.open_client(backend) as client:
        return await client.render(text, model=model, voice=voice, language=language)
