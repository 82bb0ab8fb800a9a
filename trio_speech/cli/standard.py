"""Standard input and output in place of files."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TextIO

from trio_speech import AudioClip, ConfigurationError
from trio_speech.audio.files import AudioPath
from trio_speech.audio.writing import check_writable, encode_audio

STANDARD = "-"
"""Standard input or output, in place of a file's name."""


def opened(stream: TextIO | None) -> TextIO:
    """Returns `stream`. Raises `OSError` if it is ``None``: then it was closed before the command started."""
    if stream is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard input or output")
    return stream


def source_of(name: str) -> AudioPath:
    """Returns `name`, or the stream of standard input for ``-``. Raises `OSError` if that is closed."""
    return opened(sys.stdin).buffer if name == STANDARD else name


def read_text() -> str:
    """Reads all of standard input. Raises `OSError`, and `ConfigurationError` if it is not text."""
    stream = opened(sys.stdin)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="strict")  # in some locales Python lets through what is no text
    try:
        return stream.read()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"standard input is not text in {stream.encoding}: {error.reason}") from error


def check_output(name: str) -> None:
    """Checks that a clip can be written to `name`, before any speech is made.

    Raises `ConfigurationError` and `OSError`.
    """
    if name == STANDARD:
        opened(sys.stdout)
    else:
        check_writable(name)


def write_clip(clip: AudioClip, name: str) -> None:
    """Writes `clip` to a file in the format that its ending names; to standard output as WAV. Raises `OSError`."""
    if name != STANDARD:
        clip.save(name)
        return
    output = opened(sys.stdout).buffer
    output.write(encode_audio(clip.audio, clip.audio_format))
    output.flush()
