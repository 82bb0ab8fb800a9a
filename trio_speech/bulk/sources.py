"""Finds the recordings that paths, globs, folders and URLs mean, and opens them.

URLs such as ``s3://bucket/calls/*.flac`` or ``https://host/a.wav`` are read by fsspec, which comes with the extra
``bulk``. Some of its file systems need a package of their own: s3fs for S3, aiohttp for HTTP.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast
from urllib.parse import urlsplit

import trio

from ..audio import AudioFormat
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..audio.files import AudioFile

Sources: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""A path, a glob, a folder or a URL; or several."""

SAMPLE_RATE = 16_000
_SUFFIXES = {
    *("wav", "wave", "w64", "rf64", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "au", "snd", "caf"),
    *("m4a", "mp4", "m4v", "mov", "3gp", "webm", "mkv", "mka", "aac", "amr", "wma"),
}
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::|://)")


def is_recording(name: str) -> bool:
    """Whether a file in a folder counts as a recording, by its extension. Hidden files do not."""
    path = PurePosixPath(name)
    return path.suffix.removeprefix(".").lower() in _SUFFIXES and not path.name.startswith(".")


def recordings_under(folder: str) -> Iterator[str]:
    """Yields the recordings in a folder and its subfolders, sorted by path."""
    for path in sorted(Path(folder).rglob("*")):
        if is_recording(path.name) and path.is_file():
            yield str(path)


def find_recordings(sources: Sources, storage_options: Mapping[str, Any] | None = None) -> list[str]:
    """The recordings that `sources` mean, each once: absolute paths and URLs, as every machine understands them.

    A name without a wildcard is kept whether there is such a file or not. Raises `ConfigurationError` where a folder
    or a wildcard holds no recording, or where a URL needs a package that is missing; and `OSError`.
    """
    several = [sources] if isinstance(sources, str | os.PathLike) else sources
    found: dict[str, None] = {}
    for source in several:
        name = os.fspath(source)
        names = list(_remote(name, storage_options or {}) if _URL.match(name) else _local(name))
        if not names:
            raise ConfigurationError(f"{name} holds no recording: name a file, a folder or a wildcard with some")
        found.update(dict.fromkeys(names))
    return list(found)


def _local(name: str) -> Iterator[str]:
    path = os.path.abspath(name)
    if os.path.isdir(path):
        yield from recordings_under(path)
    elif glob.has_magic(name) and not os.path.exists(path):
        yield from (match for match in sorted(glob.glob(path, recursive=True)) if os.path.isfile(match))
    else:
        yield path


def _remote(url: str, options: Mapping[str, Any]) -> Iterator[str]:
    address = urlsplit(url)
    is_web = address.scheme in ("http", "https")
    # In an address of the web, "?" begins the query.
    is_glob = glob.has_magic(address.path if is_web else url)
    if is_recording(address.path) and not is_glob:
        yield url  # checking that it exists would cost a request per name
        return
    system, path = _file_system(url, options)
    if is_glob:
        yield from (system.unstrip_protocol(match) for match in sorted(system.glob(path)))
    elif system.isdir(path):
        yield from (system.unstrip_protocol(match) for match in sorted(system.find(path)) if is_recording(match))
    else:
        yield url


def _file_system(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    try:
        import fsspec.core  # noqa: PLC0415  # only those pay for it who name a URL

        system, path = fsspec.core.url_to_fs(url, **options)
    except ImportError as error:
        raise ConfigurationError(f"{url} needs another package: pip install 'trio-speech[bulk]'; {error}") from error
    except ValueError as error:
        raise ConfigurationError(f"{url} cannot be read: {error}") from error
    return system, str(path)


def open_recording(
    name: str, *, raw: AudioFormat | None, speed: float | None, storage_options: Mapping[str, Any] | None
) -> AbstractAsyncContextManager[AudioFile]:
    """Opens a recording as `trio_speech.audio.files.open_audio` does. Needs the extra ``audio``."""
    if _URL.match(name):
        return _open_remote(name, raw, speed, storage_options or {})
    return _open(name, raw, speed)


def _open(file: str | BinaryIO, raw: AudioFormat | None, speed: float | None) -> AbstractAsyncContextManager[AudioFile]:
    from ..audio.files import open_audio  # noqa: PLC0415  # results are read without any extra

    return open_audio(file, sample_rate=SAMPLE_RATE, raw=raw, speed=speed)


@asynccontextmanager
async def _open_remote(
    url: str, raw: AudioFormat | None, speed: float | None, options: Mapping[str, Any]
) -> AsyncGenerator[AudioFile, None]:
    def work() -> BinaryIO:
        system, path = _file_system(url, options)
        return cast("BinaryIO", system.open(path, "rb"))

    binary = await trio.to_thread.run_sync(work)
    try:
        async with _open(binary, raw, speed) as recording:
            yield recording
    finally:
        binary.close()
