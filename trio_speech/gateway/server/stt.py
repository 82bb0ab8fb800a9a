"""One client of ``/v1/stt``: audio in, transcripts out."""

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


async def converse(talk: ClientConnection[wire.SttClientMessage], recognizer: Recognizer, model: str | None) -> None:
    """Serves the client until it says ``session.close``.

    Raises `LinkDown` where it leaves, what it is to be told of, and groups of these.
    """
    hearing = _hearing(await talk.hear(OPENING_TIMEOUT), model)
    async with recognizer.open(hearing) as session:
        await talk.say(wire.SessionCreated(session_id=talk.session_id))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_report, talk, session, _Scribe(talk.session_id, hearing))
            await _listen(talk, session)
            nursery.cancel_scope.cancel(reason="the client closed the session")
    await talk.say_closed()


def _hearing(opening: wire.SttClientMessage, model: str | None) -> RecognitionOptions:
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


async def _listen(talk: ClientConnection[wire.SttClientMessage], session: RecognizerSession) -> None:
    while True:
        match await talk.hear():
            case wire.InputAudio(audio):
                if len(audio) % _BYTES_PER_SAMPLE:
                    raise Rejected(f"{len(audio)} bytes of audio are not a whole number of 16-bit samples")
                await session.feed(audio)
            case wire.SessionFinalize():
                await session.finalize()
            case wire.SessionUpdate():
                pass  # the protocol leaves it to the model what can be changed while it runs
            case wire.SttCreate():
                raise Rejected("session.create came twice")
            case wire.SessionClose():
                return


async def _report(talk: ClientConnection[wire.SttClientMessage], session: RecognizerSession, scribe: _Scribe) -> None:
    while True:
        for message in scribe.write(await session.receive()):
            await talk.say(message)


class _Scribe:
    """Writes results as the protocol has them: seconds for samples."""

    def __init__(self, session_id: str, hearing: RecognitionOptions) -> None:
        self._session_id = session_id
        self._rate = hearing.sample_rate
        self._language = hearing.language
        self._interims = hearing.options.get("interim_results") is not False

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
        sure = [word.confidence for word in result.words if word.confidence is not None]
        return wire.FinalTranscript(
            session_id=self._session_id,
            transcript=result.text,
            language=result.language or self._language,
            start=result.start / self._rate,
            duration=(result.end - result.start) / self._rate,
            confidence=sum(sure) / len(sure) if sure else UNSET,
            words=tuple(map(self._word, result.words)),
        )

    def _word(self, word: HeardWord) -> wire.Word:
        confidence = UNSET if word.confidence is None else word.confidence
        return wire.Word(word.text, word.start / self._rate, word.end / self._rate, confidence)
