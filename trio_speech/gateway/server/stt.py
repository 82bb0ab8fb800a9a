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
from .connection import OPENING_TIMEOUT, ClientConnection, Rejected, check_encoding, sample_rate

_BYTES_PER_SAMPLE = 2


async def serve_recognition(
    client: ClientConnection[wire.SttClientMessage], recognizer: Recognizer, model: str | None
) -> None:
    """Serves the client until it sends ``session.close``.

    Raises `LinkDown` when the client is gone, one of `REFUSALS` when it must be told of an error, or an exception group
    of these.
    """
    options = _recognition_options(await client.receive(OPENING_TIMEOUT), model)
    async with recognizer.open(options) as session:
        await client.send(wire.SessionCreated(session_id=client.session_id))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_send_results, client, session, _ResultWriter(client.session_id, options))
            await _read_messages(client, session)
            nursery.cancel_scope.cancel(reason="the client closed the session")
    await client.confirm_close()


def _recognition_options(opening: wire.SttClientMessage, model: str | None) -> RecognitionOptions:
    if not isinstance(opening, wire.SttCreate):
        raise Rejected("session.create must come first")
    settings = opening.settings
    check_encoding(settings.encoding)
    return RecognitionOptions(
        sample_rate=sample_rate(settings.sample_rate),
        language=settings.language or None,
        model=opening.model or model,
        options=settings.extra or {},
    )


async def _read_messages(client: ClientConnection[wire.SttClientMessage], session: RecognizerSession) -> None:
    while True:
        match await client.receive():
            case wire.InputAudio(audio):
                if len(audio) % _BYTES_PER_SAMPLE:
                    raise Rejected(f"{len(audio)} bytes of audio are not a whole number of 16-bit samples")
                await session.feed(audio)
            case wire.SessionFinalize():
                await session.finalize()
            case wire.SessionUpdate():
                pass  # the protocol lets each model decide what can be changed in mid-session: here, nothing
            case wire.SttCreate():
                raise Rejected("session.create came twice")
            case wire.SessionClose():
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
