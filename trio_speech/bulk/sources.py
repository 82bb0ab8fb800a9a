"""Finds the recordings that paths, globs, folders and URLs mean, and opens them."""

from __future__ import annotations

import glob
import os
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from ..audio import AudioFormat
from ..errors import ConfigurationError
from .addresses import is_url, recording_name
from .folders import none_found, recordings_under
from .remote import copy_remote, find_remote

if TYPE_CHECKING:
    from ..audio.files import AudioFile

Sources: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""A path, a glob, a folder or a URL; or several."""


def find_recordings(sources: Sources, storage_options: Mapping[str, Any] | None = None) -> list[str]:
    """The recordings that `sources` mean, each once: absolute paths and URLs, as every machine understands them.

    A name without a wildcard is kept whether there is such a file or not. Results call a recording by its
    `recording_name`. Raises `ConfigurationError` where a folder or a wildcard holds no recording, where two URLs differ
    in nothing but their credentials, or where a URL needs a package that is missing; and `OSError`.
    """
    several = [sources] if isinstance(sources, str | os.PathLike) else sources
    found: dict[str, str] = {}
    for source in several:
        name = os.fspath(source)
        addresses = find_remote(name, storage_options or {}) if is_url(name) else list(_local(name))
        if not addresses:
            raise none_found(recording_name(name))
        for address in addresses:
            if found.setdefault(recording_name(address), address) != address:
                raise ConfigurationError(
                    f"{recording_name(address)} is named twice, with other credentials: name each recording once"
                )
    return list(found.values())


def _local(name: str) -> Iterator[str]:
    path = os.path.abspath(name)
    if not name:  # the path is that of the working directory, which nobody meant
        return
    if os.path.isdir(path):
        yield from recordings_under(path)
    elif glob.has_magic(name) and not os.path.exists(path):
        yield from (match for match in sorted(glob.glob(path, recursive=True)) if os.path.isfile(match))
    else:
        yield path


def open_recording(
    name: str,
    *,
    sample_rate: int,
    raw: AudioFormat | None,
    speed: float | None,
    storage_options: Mapping[str, Any] | None,
) -> AbstractAsyncContextManager[AudioFile]:
    """Opens a recording as `trio_speech.audio.files.open_audio` does. Needs the extra ``audio``."""
    from ..audio.files import open_audio  # noqa: PLC0415  # results are read without any extra

    opened = partial(open_audio, sample_rate=sample_rate, raw=raw, speed=speed)
    return _open_remote(name, storage_options or {}, opened) if is_url(name) else opened(name)


@asynccontextmanager
async def _open_remote(
    url: str, options: Mapping[str, Any], opened: Callable[[BinaryIO], AbstractAsyncContextManager[AudioFile]]
) -> AsyncGenerator[AudioFile, None]:
    from ..audio.opening import opened_in_thread  # noqa: PLC0415

    async with opened_in_thread(partial(copy_remote, url, options)) as copy, opened(copy) as recording:
        yield recording
