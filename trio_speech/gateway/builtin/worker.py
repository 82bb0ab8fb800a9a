"""A worker process: ``python -m trio_speech.gateway.builtin.worker recognizer`` (or ``hibari``, or ``espeak``).

It serves one recognition or one recital at a time, reads requests from its standard input and answers on its standard
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
    ListenRequest,
    MoreRequest,
    ReadyReply,
    RefusedReply,
    Reply,
    Request,
    ResultsReply,
    SayRequest,
    SpokenReply,
)
from .playback import Playback, Utterance

Servant = Callable[[Request], Reply]


def recognizer() -> Servant:
    """Loads the model, and returns what answers requests."""
    from .sphinx import SphinxEngine, load_decoder  # noqa: PLC0415  # each kind of worker loads its own engine

    decoder = load_decoder()
    ear: SphinxEngine | None = None

    def serve(request: Request) -> Reply:
        nonlocal ear
        match request:
            case AudioRequest(pcm) if ear is not None:
                return ResultsReply(tuple(ear.feed(pcm)))
            case FinalizeRequest() if ear is not None:
                return ResultsReply(tuple(ear.finalize()))
            case ListenRequest(hearing):
                if ear is not None:
                    ear.close()
                ear = SphinxEngine(decoder, hearing)
                return ResultsReply()
            case _:
                return _misplaced(request)

    return serve


def hibari() -> Servant:
    """Loads the neural voice, and returns what answers requests."""
    from .hibari import HibariEngine  # noqa: PLC0415

    return _speaker(HibariEngine().speak)


def espeak() -> Servant:
    """Loads the plain voice, and returns what answers requests."""
    from .espeak import EspeakEngine  # noqa: PLC0415

    return _speaker(EspeakEngine().speak)


def _speaker(speak: Callable[[str, float], Utterance]) -> Servant:
    recital: Playback | None = None

    def serve(request: Request) -> Reply:
        nonlocal recital
        match request:
            case MoreRequest(seconds) if recital is not None:
                return AudioReply(recital.next(seconds))
            case SayRequest(text, sample_rate, speed):
                recital = Playback(speak(text, speed), sample_rate)
                return SpokenReply(recital.words)
            case _:
                return _misplaced(request)

    return serve


def _misplaced(request: Request) -> RefusedReply:
    return RefusedReply(f"{type(request).__name__} was not expected here")


SERVANTS = {"recognizer": recognizer, "hibari": hibari, "espeak": espeak}


def run(servant: Servant, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answers requests until they end, or nobody is there for the answer."""
    with suppress(BrokenPipeError):
        _send(replies, ReadyReply())
        while (body := _body(requests)) is not None:
            try:
                reply = servant(messages.request(body))
            except Declined as refusal:
                reply = RefusedReply(refusal.message)
            _send(replies, reply)


def _send(replies: BinaryIO, reply: Reply) -> None:
    """All of it: where a signal comes between, a pipe takes a part."""
    rest = memoryview(messages.pack(reply))
    while rest:
        rest = rest[replies.write(rest) :]


def _body(requests: BinaryIO) -> bytes | None:
    header = requests.read(messages.HEADER)
    length = int.from_bytes(header, "big")
    body = requests.read(length) if len(header) == messages.HEADER else b""
    return body if body and len(body) == length else None


def main(kind: str) -> None:
    """Serves as `kind`, with the pipes to the gateway on file descriptors that no library prints to by chance."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the gateway ends us in its time
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb", buffering=0)  # an answer that nobody took must not be tried again at the exit
    os.dup2(2, 1)
    run(SERVANTS[kind](), requests, replies)


if __name__ == "__main__":
    main(sys.argv[1])
