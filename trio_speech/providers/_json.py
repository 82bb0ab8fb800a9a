"""Reads and writes frames that hold JSON. What is malformed raises `ProtocolError`, which quotes no content."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct
from pybase64 import b64decode

from .._core.provider.messages import Unknown
from ..errors import ConfigurationError, ProtocolError

Message = TypeVar("Message")

Seconds = Annotated[float, Meta(ge=-1e9, le=1e9)]
"""A time in seconds in a message. Numbers outside of -1e9 to 1e9, infinite ones included, are malformed."""

Milliseconds = Annotated[float, Meta(ge=-1e12, le=1e12)]
"""A time in milliseconds in a message, within the same bounds as `Seconds`."""

_LONGEST_TAG = 64
_MALFORMED = (msgspec.DecodeError, UnicodeError, RecursionError)


class _Tagged(Struct, frozen=True):
    type: str


_tag_decoder = msgspec.json.Decoder(_Tagged)


def encode(message: Any) -> str:
    """Returns the text frame for `message`: a struct, or a dict. Raises as `msgspec.json.encode` does."""
    return msgspec.json.encode(message).decode()


def audio_of(text: str) -> bytes:
    """Decodes the base64 of a field ``audio``. Raises `ProtocolError` if it is malformed.

    Faster than a field of type ``bytes``, and done only where the audio is wanted.
    """
    try:
        return b64decode(text, validate=True)
    except ValueError:  # its message may quote the content
        raise ProtocolError("malformed message: Invalid base64 encoded string - at `$.audio`") from None


class OneShape(Generic[Message]):
    """Decodes the messages of a direction in which all messages have one shape, whatever they say."""

    def __init__(self, shape: type[Message]) -> None:
        self._decoder = msgspec.json.Decoder(shape)

    def decode(self, frame: str | bytes) -> Message:
        """Returns the message in a frame. Raises `ProtocolError`, which does not quote it, if it is malformed."""
        try:
            return self._decoder.decode(frame)
        except _MALFORMED as error:
            raise ProtocolError(f"malformed message: {error}") from error


class TaggedUnion(Generic[Message]):
    """Decodes the messages of one direction: a union of structs that are tagged by their JSON field ``type``."""

    def __init__(self, union: Any) -> None:
        kinds = get_args(union) or (union,)
        if any(kind.__struct_config__.tag_field != "type" for kind in kinds):
            raise ConfigurationError('TaggedUnion takes structs whose tag_field is "type": decode others by msgspec')
        self._decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(union)
        self._tags = frozenset(kind.__struct_config__.tag for kind in kinds)

    def decode(self, frame: str | bytes) -> Message | Unknown:
        """Returns the message in a frame; `Unknown` if its tag is not in the union, or the frame is binary.

        Raises `ProtocolError` if the frame is not a tagged JSON object, or the fields of a known tag are wrong. The
        error does not quote the content, which may be a transcript.
        """
        if not isinstance(frame, str):
            return Unknown("binary")
        try:
            try:
                # One pass for the common case. The tag is decoded alone only if that fails.
                return self._decoder.decode(frame)
            except msgspec.ValidationError:
                tag = _tag_decoder.decode(frame).type
                if tag in self._tags:
                    raise
                return Unknown(tag[:_LONGEST_TAG])
        except _MALFORMED as error:
            raise ProtocolError(f"malformed message: {error}") from error
