"""A worker process: ``python -m trio_speech.gateway.builtin.worker pocketsphinx`` (or ``hibari``, or ``espeak``).

It serves one recognition or one playback at a time, reads requests from its standard input and answers on its standard
output, and ends with its input: it does not outlive the gateway, however that one ended.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from ..engines import Declined
from . import messages
from .messages import (
    AudioReply,
    AudioRequest,
    FinalizeRequest,
    MoreRequest,
    ReadyReply,
    RefusedReply,
    Reply,
    Request,
    ResultsReply,
    SpeakRequest,
    SpokenReply,
    StartRequest,
)
from .playback import Playback, Utterance

Handler = Callable[[Request], Reply]


def pocketsphinx() -> Handler:
    """Loads PocketSphinx, and returns the function that answers requests."""
    from .sphinx import SphinxEngine, load_decoder  # noqa: PLC0415  # each kind of worker loads its own engine

    decoder = load_decoder()
    engine: SphinxEngine | None = None

    def serve(request: Request) -> Reply:
        nonlocal engine
        match request:
            case AudioRequest(pcm) if engine is not None:
                return ResultsReply(tuple(engine.feed(pcm)))
            case FinalizeRequest() if engine is not None:
                return ResultsReply(tuple(engine.finalize()))
            case StartRequest(options):
                if engine is not None:
                    engine.close()
                engine = SphinxEngine(decoder, options)
                return ResultsReply()
            case _:
                return _unexpected(request)

    return serve


def hibari() -> Handler:
    """Loads the neural voice, and returns the function that answers requests."""
    from .hibari import HibariEngine  # noqa: PLC0415

    return _speaker(HibariEngine().speak)


def espeak() -> Handler:
    """Loads eSpeak, and returns the function that answers requests."""
    from .espeak import EspeakEngine  # noqa: PLC0415

    return _speaker(EspeakEngine().speak)


def _speaker(speak: Callable[[str, float], Utterance]) -> Handler:
    playback: Playback | None = None

    def serve(request: Request) -> Reply:
        nonlocal playback
        match request:
            case MoreRequest(seconds) if playback is not None:
                return AudioReply(playback.next(seconds))
            case SpeakRequest(text, sample_rate, speed):
                playback = Playback(speak(text, speed), sample_rate)
                return SpokenReply(playback.words)
            case _:
                return _unexpected(request)

    return serve


def _unexpected(request: Request) -> RefusedReply:
    return RefusedReply(f"{type(request).__name__} was not expected here")


HANDLERS = {"pocketsphinx": pocketsphinx, "hibari": hibari, "espeak": espeak}


def run(handler: Handler, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answers requests until they end, or until nobody reads the replies."""
    with suppress(BrokenPipeError):
        _send(replies, ReadyReply())
        while (body := _body(requests)) is not None:
            try:
                reply = handler(messages.request(body))
            except Declined as refusal:
                reply = RefusedReply(refusal.message)
            _send(replies, reply)


def _send(replies: BinaryIO, reply: Reply) -> None:
    """Writes all of it: an unbuffered pipe may take only a part when a signal arrives."""
    rest = memoryview(messages.pack(reply))
    while rest:
        rest = rest[replies.write(rest) :]


def _body(requests: BinaryIO) -> bytes | None:
    header = requests.read(messages.HEADER)
    length = int.from_bytes(header, "big")
    body = requests.read(length) if len(header) == messages.HEADER else b""
    return body if body and len(body) == length else None


def main(kind: str) -> None:
    """Runs a worker of `kind`, a key of `HANDLERS`, until its input ends.

    Moves the pipes to other descriptors first, so that a library that prints cannot break a frame.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the gateway gets Ctrl-C too, and ends us
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb", buffering=0)  # a buffer would be flushed once more at exit
    os.dup2(2, 1)
    run(HANDLERS[kind](), requests, replies)


if __name__ == "__main__":
    main(sys.argv[1])
