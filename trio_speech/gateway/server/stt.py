"""Serves one client of ``/v1/stt``: audio comes in, transcripts go out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

import trio
from msgspec import UNSET

from ...providers.livekit import wire
from ..engines import (
    Final,
    Finalized,
    HeardWord,
    Hypothesis,
    Onset,
    RecognitionOptions,
    Recognizer,
    RecognizerSession,
    Result,
)
from .backlog import Backlog
from .connection import OPENING_TIMEOUT, ClientConnection, Rejected, sample_rate
from .encodings import WireEncoding, find_encoding


async def serve_recognition(
    client: ClientConnection[wire.SttClientMessage], recognizer: Recognizer, model: str | None
) -> None:
    """Serves the client until it sends ``session.close``.

    Raises `LinkDown` when the client is gone, one of `REFUSALS` when it must be told of an error, or an exception group
    of these.
    """
    opening = await client.receive(OPENING_TIMEOUT)
    if not isinstance(opening, wire.SttCreate):
        raise Rejected("session.create must come first")
    encoding = find_encoding(opening.settings.encoding)
    options = _recognition_options(opening, model)
    backlog = Backlog()
    async with recognizer.open(options) as session:
        await client.send(wire.SessionCreated(session_id=client.session_id))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_send_results, client, session, _ResultWriter(client.session_id, options))
            nursery.start_soon(_read_messages, client, encoding, backlog)
            await _feed(session, backlog)
            nursery.cancel_scope.cancel(reason="the client closed the session")
    await client.confirm_close()


def _recognition_options(opening: wire.SttCreate, model: str | None) -> RecognitionOptions:
    settings = opening.settings
    return RecognitionOptions(
        sample_rate=sample_rate(settings.sample_rate),
        language=settings.language or None,
        model=opening.model or model,
        options=settings.extra or {},
    )


async def _read_messages(
    client: ClientConnection[wire.SttClientMessage], encoding: WireEncoding, backlog: Backlog
) -> None:
    """Puts the client's requests into `backlog`, until ``session.close``."""
    while True:
        match await client.receive():
            case wire.InputAudio(audio):
                await backlog.put(encoding.decode(audio))
            case wire.SessionFinalize() as request:
                await backlog.put(request)
            case wire.SessionUpdate(settings):
                if settings != wire.SttChanges():
                    raise Rejected("nothing of a running session can be changed: open a new one")
            case wire.SttCreate():
                raise Rejected("session.create came twice")
            case wire.SessionClose() as request:
                await backlog.put(request)
                return


async def _feed(session: RecognizerSession, backlog: Backlog) -> None:
    """Passes the requests in `backlog` to the engine, until ``session.close``."""
    while True:
        match await backlog.take():
            case bytes() as pcm:
                await session.feed(pcm)
            case wire.SessionFinalize():
                await session.finalize()
            case _:
                return


async def _send_results(
    client: ClientConnection[wire.SttClientMessage], session: RecognizerSession, writer: _ResultWriter
) -> None:
    while True:
        for message in writer.write(await session.receive()):
            await client.send(message)


class _ResultWriter:
    """Turns an engine's results into messages of the protocol, and samples into seconds."""

    def __init__(self, session_id: str, options: RecognitionOptions) -> None:
        self._session_id = session_id
        self._rate = options.sample_rate
        self._language = options.language
        self._interims = options.options.get("interim_results") is not False

    def write(self, result: Result) -> Iterable[wire.Said]:
        match result:
            case Onset():
                return [wire.StartOfSpeech()]
            case Hypothesis():
                return [self._interim(result)] if self._interims else []
            case Final():
                return [self._final(result)]
            case Finalized():
                return [wire.SessionFinalized()]
            case _:
                assert_never(result)

    def _interim(self, result: Hypothesis) -> wire.InterimTranscript:
        return wire.InterimTranscript(
            session_id=self._session_id,
            transcript=result.text,
            language=result.language or self._language,
            start=result.start / self._rate,
            duration=(result.end - result.start) / self._rate,
            words=tuple(map(self._word, result.words)),
        )

    def _final(self, result: Final) -> wire.FinalTranscript:
        known = [word.confidence for word in result.words if word.confidence is not None]
        return wire.FinalTranscript(
            session_id=self._session_id,
            transcript=result.text,
            language=result.language or self._language,
            start=result.start / self._rate,
            duration=(result.end - result.start) / self._rate,
            confidence=sum(known) / len(known) if known else UNSET,
            words=tuple(map(self._word, result.words)),
        )

    def _word(self, word: HeardWord) -> wire.Word:
        confidence = UNSET if word.confidence is None else word.confidence
        return wire.Word(word.text, word.start / self._rate, word.end / self._rate, confidence)
