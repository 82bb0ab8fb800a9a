"""Checks what a user gives as `source`, and reads it in chunks of whole samples."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from ...audio import AudioFormat
from ...errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Buffer

AudioSource: TypeAlias = "Buffer | Iterable[Buffer] | AsyncIterable[Any]"
"""All the audio at once, or chunks of any sizes: an iterable, an async iterable, or a `trio.abc.ReceiveStream`."""


def check_source(source: object) -> None:
    """Raises `ConfigurationError` if `source` is no `AudioSource`. ``None`` is allowed: the user calls `send` then."""
    if isinstance(source, str) or not (source is None or hasattr(source, "__aiter__") or isinstance(source, Iterable)):
        raise ConfigurationError(
            f"source must be bytes, or an iterable or async iterable of bytes, not {type(source).__name__}: "
            "leave it out to send audio with send()"
        )


def chunks_of(source: Buffer | Iterable[Buffer]) -> Iterable[Buffer]:
    """Returns the chunks of a synchronous source."""
    return [source] if is_buffer(source) else source  # type: ignore[list-item,return-value]


def is_buffer(source: object) -> bool:
    """Whether `source` is bytes-like."""
    try:
        memoryview(source)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


class WholeSamples:
    """Joins samples that a source splits between two chunks."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._size = audio_format.frame_size
        self._rest = b""

    def of(self, chunk: Buffer) -> Buffer:
        """Returns `chunk` with the incomplete sample before it, and without the incomplete sample at its end.

        Returns the chunk itself if no sample is split. Raises `TypeError` if it is not bytes-like.
        """
        if not self._rest and type(chunk) is bytes and not len(chunk) % self._size:
            return chunk
        view = memoryview(chunk)
        if not self._rest and not view.nbytes % self._size:
            return chunk  # whether its layout is right is checked when it is captured
        whole = self._rest + view.tobytes()
        end = len(whole) - len(whole) % self._size
        self._rest = whole[end:]
        return whole[:end]

    def end(self) -> None:
        """Call when the source has ended. Raises `ConfigurationError` if it ended inside a sample."""
        if self._rest:
            raise ConfigurationError(
                f"the source ended {len(self._rest)} bytes into a sample of {self._size} bytes: "
                "give the audio_format that its audio is in"
            )
