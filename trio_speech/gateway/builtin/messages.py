"""What the gateway and a worker process say to each other: one request, then its one reply.

A frame is its length in four bytes, big-endian, and a msgpack object, told apart by its ``type``. A worker begins with
`ReadyReply`. That every request has exactly one reply, of bounded size, is what makes a cancelled one easy to get over.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Struct

from ..engines import Declined, RecognitionOptions, Result, SpokenWord

HEADER = 4
LONGEST = 8 * 2**20
"""Bytes of one frame."""


class ListenRequest(Struct, frozen=True, tag="listen"):
    """Begin a recognition; the one before is forgotten. Answered by `ResultsReply`."""

    hearing: RecognitionOptions


class AudioRequest(Struct, frozen=True, tag="hear"):
    """The next audio of the recognition. Answered by `ResultsReply`."""

    pcm: bytes


class FinalizeRequest(Struct, frozen=True, tag="finalize"):
    """Settle what was heard. Answered by `ResultsReply`."""


class SayRequest(Struct, frozen=True, tag="say"):
    """Speak a text of bounded length, whose audio is asked for with `MoreRequest`; the one before is forgotten.

    Answered by `SpokenReply`.
    """

    text: str
    sample_rate: int
    speed: float


class MoreRequest(Struct, frozen=True, tag="more"):
    """The next `seconds` of audio, or about so much. Answered by `AudioReply`, which is empty at the end."""

    seconds: float


class ReadyReply(Struct, frozen=True, tag="ready"):
    pass


class ResultsReply(Struct, frozen=True, tag="heard"):
    results: tuple[Result, ...] = ()


class SpokenReply(Struct, frozen=True, tag="spoken"):
    words: tuple[SpokenWord, ...]


class AudioReply(Struct, frozen=True, tag="audio"):
    pcm: bytes


class RefusedReply(Struct, frozen=True, tag="refused"):
    """The request cannot be met, for the reason that `message` gives. The worker is none the worse."""

    message: str


Request: TypeAlias = ListenRequest | AudioRequest | FinalizeRequest | SayRequest | MoreRequest
Reply: TypeAlias = ReadyReply | ResultsReply | SpokenReply | AudioReply | RefusedReply

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def pack(message: Request | Reply) -> bytes:
    """The frame for `message`. Raises `Declined` where a client's number is too long, or its options too deep."""
    try:
        body = _encoder.encode(message)
    except (OverflowError, RecursionError) as error:
        raise Declined(f"an option cannot be passed on to the engine: {error}") from None
    return len(body).to_bytes(HEADER, "big") + body


def request(body: bytes | bytearray) -> Request:
    """The request in a frame's body. Raises `msgspec.DecodeError`."""
    return _requests.decode(body)


def reply(body: bytes | bytearray) -> Reply:
    """The reply in a frame's body. Raises `msgspec.DecodeError`."""
    return _replies.decode(body)
