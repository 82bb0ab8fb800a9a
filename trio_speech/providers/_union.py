"""Reads JSON frames that a field named ``type`` tells apart: known, unknown or malformed."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from .._core.provider.messages import Unknown
from ..errors import ProtocolError

Message = TypeVar("Message")

Seconds = Annotated[float, Meta(ge=-1e9, le=1e9)]
"""A time on the wire. Anything but a number from -1e9 to 1e9 is malformed; so is an infinite one."""

_LONGEST_TAG = 64


class _Tagged(Struct, frozen=True):
    type: str


_tag_decoder = msgspec.json.Decoder(_Tagged)


class TaggedUnion(Generic[Message]):
    """One direction of a wire: a union of structs tagged by their JSON field ``type``."""

    def __init__(self, union: Any) -> None:
        self._decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(union)
        self._tags = frozenset(kind.__struct_config__.tag for kind in get_args(union))

    def decode(self, frame: str | bytes) -> Message | Unknown:
        """The message in a frame; `Unknown` where its tag is not in the union, or where the frame is binary.

        Raises `ProtocolError` where the frame is not a tagged JSON object, or where a known tag has wrong fields. The
        error quotes nothing of the content, which may be a transcript.
        """
        if not isinstance(frame, str):
            return Unknown("binary")
        try:
            try:
                # One pass for the common case. Only where that fails is the tag looked at alone.
                return self._decoder.decode(frame)
            except msgspec.ValidationError:
                tag = _tag_decoder.decode(frame).type
                if tag in self._tags:
                    raise
                return Unknown(tag[:_LONGEST_TAG])
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise ProtocolError(f"malformed message: {error}") from error
