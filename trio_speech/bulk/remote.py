"""Finds and copies recordings that URLs name, by the file systems of fsspec, which comes with the extra ``bulk``.

Some of them need a package of their own: s3fs for S3, aiohttp for HTTP.

A recording is copied to a temporary file before its session begins. So no session stays open, and is billed, while it
waits for a storage that is slow or has failed; and a storage need not be able to seek.
"""

from __future__ import annotations

import errno
import glob
import io
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from .addresses import recording_name, without_credentials
from .folders import is_recording

_STALLED = 60.0
"""Seconds without an answer or a byte over HTTP, after which a copy has failed."""

# The errors of the packages that file systems use, which they pass on as they are.
_ERRORS = (
    ("aiohttp", "ClientError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("azure.core.exceptions", "AzureError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("gcsfs.retry", "HttpError"),
)
_REFUSALS: Mapping[int | None, type[OSError]] = {
    401: PermissionError,
    403: PermissionError,
    404: FileNotFoundError,
    410: FileNotFoundError,
}
"""What an answer over HTTP means, by its status. All else may pass."""
_NUMBERS: Mapping[type[OSError], int] = {FileNotFoundError: errno.ENOENT, PermissionError: errno.EACCES}


def find_remote(url: str, options: Mapping[str, Any]) -> list[str]:
    """Returns the URLs of the recordings that a URL means: its own, or what a folder or a wildcard holds.

    Raises `ConfigurationError` if a package is missing, and `OSError`; if it is a `ConnectionError`, another try may
    succeed.
    """
    address = urlsplit(url)
    # In an address of the web, "?" begins the query.
    is_glob = glob.has_magic(address.path if _is_web(url) else url)
    if is_recording(address.path) and not is_glob:
        return [url]  # checking that it exists would cost a request per name
    with _storage_errors(url):
        system, path = _file_system(url, options)
        if is_glob:
            found = system.glob(path)
        elif system.isdir(path):
            found = [match for match in system.find(path) if is_recording(match)]
        else:
            return [url]
    return [system.unstrip_protocol(match) for match in sorted(found)]


def copy_remote(url: str, options: Mapping[str, Any], opened: ExitStack) -> BinaryIO:
    """Copies a recording to a temporary file, and opens that. `opened` closes and removes it.

    Raises what `find_remote` raises.
    """
    copy = Path(opened.enter_context(TemporaryDirectory(prefix="trio-speech-")), "recording")
    with _storage_errors(url):
        system, path = _file_system(url, options)
        system.get_file(path, str(copy))
    file = io.FileIO(copy)
    file.name = recording_name(url)  # for messages
    binary = opened.enter_context(io.BufferedReader(file))
    with suppress(PermissionError):  # where the system allows it, nothing is left if this process is killed
        copy.unlink()
    return binary


def _file_system(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    try:
        import fsspec.core  # noqa: PLC0415  # only those pay for it who name a URL

        settings = _with_timeout(url, options) if _is_web(url) else options
        system, path = fsspec.core.url_to_fs(url, **settings)
    except ImportError as error:
        raise ConfigurationError(
            f"{recording_name(url)} needs another package: pip install 'trio-speech[bulk]'; {error}"
        ) from error
    except ValueError as error:
        raise ConfigurationError(without_credentials(f"{recording_name(url)} cannot be read: {error}", url)) from error
    return system, str(path)


def _is_web(url: str) -> bool:
    return urlsplit(url).scheme in ("http", "https")


def _with_timeout(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Bounds each wait for the server, unless the program or fsspec's configuration says how long to wait.

    aiohttp bounds the whole copy instead, to five minutes, which a long recording may take.
    """
    aiohttp, config = import_module("aiohttp"), import_module("fsspec.config")
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_STALLED, sock_read=_STALLED)
    chosen = {**config.conf.get(urlsplit(url).scheme, {}), **options}
    return {**chosen, "client_kwargs": {"timeout": timeout, **chosen.get("client_kwargs", {})}}


@contextmanager
def _storage_errors(url: str) -> Generator[None]:
    """Turns what a file system raises into an `OSError` that shows no credentials.

    A `FileNotFoundError` or `PermissionError` stays one. All else becomes a `ConnectionError`.
    """
    packages = tuple(getattr(sys.modules[module], name) for module, name in _ERRORS if module in sys.modules)
    try:
        yield
    except (OSError, *packages) as error:
        raise _storage_error(error, url) from error


def _storage_error(error: Exception, url: str) -> OSError:
    status, text = getattr(error, "status", None), str(error) or type(error).__name__
    likely = _REFUSALS.get(status, ConnectionError)
    kind = next((kind for kind in _NUMBERS if isinstance(error, kind)), likely)
    number = _NUMBERS.get(kind, errno.EIO)
    if status is not None:  # of an answer over HTTP
        text = f"{status} {getattr(error, 'message', '')}"
    elif kind in _NUMBERS:  # then its text is the name of the file, or says the same
        text = os.strerror(number)
    return kind(number, without_credentials(text, url), recording_name(url))
