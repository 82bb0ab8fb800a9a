"""The messages between the gateway and a worker process: each request has exactly one reply.

A frame is a length (four bytes, big-endian) and a msgpack object with a ``type``. A worker first sends `ReadyReply`.
Because every request has one reply of bounded size, recovering from a cancelled request means reading one reply.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Struct

from ..engines import Declined, RecognitionOptions, Result, SpokenWord

HEADER = 4
LONGEST = 8 * 2**20
"""The largest frame, in bytes."""


class StartRequest(Struct, frozen=True, tag="start"):
    """Starts a recognition, and ends an earlier one. Answered by `ResultsReply`."""

    options: RecognitionOptions


class AudioRequest(Struct, frozen=True, tag="audio"):
    """The next audio of the recognition. Answered by `ResultsReply`."""

    pcm: bytes


class FinalizeRequest(Struct, frozen=True, tag="finalize"):
    """Asks for the final of the utterance that is going on. Answered by `ResultsReply`."""


class SpeakRequest(Struct, frozen=True, tag="speak"):
    """Speaks a short text, and drops the audio of an earlier one. `MoreRequest` then asks for its audio.

    Answered by `SpokenReply`.
    """

    text: str
    sample_rate: int
    speed: float


class MoreRequest(Struct, frozen=True, tag="more"):
    """Asks for about `seconds` of audio. Answered by `AudioReply`, which is empty at the end."""

    seconds: float


class ReadyReply(Struct, frozen=True, tag="ready"):
    """The first message of a worker: its engine is loaded."""

    pass


class ResultsReply(Struct, frozen=True, tag="results"):
    """The results that the request has completed."""

    results: tuple[Result, ...] = ()


class SpokenReply(Struct, frozen=True, tag="spoken"):
    """The text is spoken: its words, with their times in samples. `MoreRequest` asks for the audio."""

    words: tuple[SpokenWord, ...]


class AudioReply(Struct, frozen=True, tag="spoken_audio"):
    """The next audio of the text; empty at its end."""

    pcm: bytes


class RefusedReply(Struct, frozen=True, tag="refused"):
    """The request is declined, for the reason in `message`. The worker can be used again."""

    message: str


Request: TypeAlias = StartRequest | AudioRequest | FinalizeRequest | SpeakRequest | MoreRequest
Reply: TypeAlias = ReadyReply | ResultsReply | SpokenReply | AudioReply | RefusedReply

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def pack(message: Request | Reply) -> bytes:
    """Returns the frame. Raises `Declined` when a client's options hold too large a number or nest too deeply."""
    try:
        body = _encoder.encode(message)
    except (OverflowError, RecursionError) as error:
        raise Declined(f"an option cannot be sent to the engine: {error}") from None
    return len(body).to_bytes(HEADER, "big") + body


def request(body: bytes | bytearray) -> Request:
    """Decodes a request. Raises `msgspec.DecodeError`."""
    return _requests.decode(body)


def reply(body: bytes | bytearray) -> Reply:
    """Decodes a reply. Raises `msgspec.DecodeError`."""
    return _replies.decode(body)
