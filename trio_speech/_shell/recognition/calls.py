"""The part of `Client` that recognizes speech: `transcribe`, `recognize` and `resume_journal`."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from ..._core.provider.requests import TranscribeRequest
from ..._core.provider.validation import Fallback, checked, fallback_models, listed
from ..._core.recognition.recognition_builder import RecognitionBuilder
from ..._core.recognition.session import RecognitionMachine
from ...audio import AudioFormat
from ...errors import ConfigurationError, SpeechError
from ...events import Recognition, TranscriptEvent
from ...policy import ReplayPolicy
from ..concurrency.block import block
from ..concurrency.one_exception import one_exception
from ..concurrency.partial_result import attach
from ..network.dialer import Dialer, Route
from .backends import RecognizerBackends
from .journal_file import create_journal, journal_path, open_journal
from .session import RecognitionSession
from .source import AudioSource, check_source
from .transcript import Transcript

DEFAULT_FORMAT = AudioFormat.pcm16(16_000)


class RecognitionCalls:
    """The half of `Client` that recognizes speech."""

    def __init__(self, routes: Sequence[Route], network: Dialer, replay: ReplayPolicy) -> None:
        self._routes = routes
        self._network = network
        self._replay = replay

    @block
    async def transcribe(
        self,
        source: AudioSource | None = None,
        audio_format: AudioFormat = DEFAULT_FORMAT,
        *,
        model: str | None = None,
        language: str | None = None,
        options: Mapping[str, Any] | None = None,
        keyterms: Iterable[str] = (),
        gateway_fallback: Iterable[Fallback] = (),
        journal: str | os.PathLike[str] | None = None,
    ) -> AsyncGenerator[Transcript, None]:
        """Opens a recognition session for the length of an ``async with`` block::

            async with client.transcribe(microphone(), ts.AudioFormat.pcm16(16_000), language="en") as transcript:
                async for event in transcript:
                    match event:
                        case ts.FinalTranscript(text=text):
                            print(text)
                        case ts.LinkLost(cause=cause):
                            print(f"({cause}; going on)")
                        case _:
                            pass

        - `source`: the audio, as bytes or as an iterable, sync or async, of bytes-like chunks of any sizes. It is
          closed at the end. ``None``: push audio with `Transcript.send`.
        - `audio_format`: how the audio is encoded.
        - `model`: the recognizer, as ``provider/model`` or ``provider/model:language``; ``None``: the service's choice.
        - `language`: a code such as ``"en"`` or ``"pt-BR"``, or an English name.
        - `options`: settings of the provider's own, as it names them.
        - `keyterms`: words that are hard to guess, where the model takes such.
        - `gateway_fallback`: models that the service itself may fall back to (`LiveKit` alone).
        - `journal`: the path of a file that keeps the session's audio safe from a crash of this process; see
          `resume_journal`.

        Entering does not wait for the connection. Leaving before the end abandons the session, within
        ``close_timeout``. If the session fails, the block is cancelled, and one exception leaves it, never in a
        group: a `SpeechError`, or what the source raised. `SpeechError.partial` has what was recognized and not read.

        Raises `ConfigurationError` at once where the request cannot be served.
        """
        request = _request(audio_format, model, language, options, keyterms, fallback=gateway_fallback)
        session = self._new_session(source, request, journal)
        async with self._keeping_unread(session, source) as transcript:
            yield transcript

    @block
    async def resume_journal(
        self,
        path: str | os.PathLike[str],
        source: AudioSource | None = None,
        *,
        damaged: Literal["refuse", "salvage"] = "refuse",
    ) -> AsyncGenerator[Transcript, None]:
        """Continues the session of a killed process, as `transcribe` does, with the request that is in its journal::

            async with client.resume_journal("call.journal", damaged="salvage") as transcript:
                transcript.end_input()  # or go on sending
                async for event in transcript:
                    if isinstance(event, ts.FinalTranscript):
                        print(event.id, event.text)

        Audio that was captured and not settled is recognized first; then what is sent, or what `source` yields. The
        clock, the ids of finals and the journal continue. Nothing captured is lost; at most the last event that the
        killed process had read comes again, with the same `id`.

        Each record of a journal carries a checksum. Where the file is damaged, ``damaged="refuse"`` raises, says where,
        and leaves the file as it is; ``damaged="salvage"`` goes on with what is sound, and names what is lost by a
        `Gap` with the reason ``"damaged"``. Audio that ``overflow="drop_oldest"`` had given up is named likewise, as
        ``"overflow"``.

        Raises `OSError`, and `ConfigurationError` where the file is not a journal, is damaged, or is used by a session
        that still runs.
        """
        self._network.check_open()
        check_source(source)
        if damaged not in ("refuse", "salvage"):
            raise ConfigurationError(f'damaged must be "refuse" or "salvage", not {damaged!r}')
        kept, recovered = open_journal(journal_path(path), damaged)
        try:
            request = recovered.header.request
            machine = RecognitionMachine(
                request.audio_format, self._replay, start=recovered.start, ordinal=recovered.ordinal
            )
            machine.recover(recovered.audio, recovered.lost, settled=recovered.index.settled)
            session = self._session(machine, request)
        except BaseException:
            kept.close()
            raise
        session.keep_journal(kept)
        async with self._keeping_unread(session, source) as transcript:
            yield transcript

    def _new_session(
        self, source: AudioSource | None, request: TranscribeRequest, journal: str | os.PathLike[str] | None
    ) -> RecognitionSession:
        self._network.check_open()
        check_source(source)
        session = self._session(RecognitionMachine(request.audio_format, self._replay), request)
        if journal is not None:
            session.keep_journal(create_journal(journal_path(journal), request))
        return session

    def _session(self, machine: RecognitionMachine, request: TranscribeRequest) -> RecognitionSession:
        backends = RecognizerBackends(self._network, self._routes, request)
        return RecognitionSession(machine, backends, request, self._network.liveness, self._network.telemetry)

    @asynccontextmanager
    async def _running(
        self, session: RecognitionSession, source: AudioSource | None
    ) -> AsyncGenerator[Transcript, None]:
        async with one_exception(session.leave, within=self._network.liveness.close_timeout) as guard:
            session.start(guard, source)
            yield session.transcript

    @asynccontextmanager
    async def _keeping_unread(
        self, session: RecognitionSession, source: AudioSource | None
    ) -> AsyncGenerator[Transcript, None]:
        """Does what `_running` does, and attaches the events that were not read to the error that ends the session."""
        try:
            async with self._running(session, source) as transcript:
                yield transcript
        except SpeechError as error:
            if error is session.failure:
                _attach(error, RecognitionBuilder(), session.unread, "and not read")
            raise

    async def recognize(
        self,
        source: AudioSource,
        audio_format: AudioFormat = DEFAULT_FORMAT,
        *,
        model: str | None = None,
        language: str | None = None,
        options: Mapping[str, Any] | None = None,
        keyterms: Iterable[str] = (),
        gateway_fallback: Iterable[Fallback] = (),
        journal: str | os.PathLike[str] | None = None,
    ) -> Recognition:
        """Recognizes all of `source`, with the arguments of `transcribe`, and returns when the last word is final::

            recognition = await client.recognize(microphone(), ts.AudioFormat.pcm16(16_000), language="en")
            for word in recognition.words:
                print(f"{word.start:.2f} s  {word.text}")

        Raises what ends the session: a `SpeechError`, what the source raised, or `OSError` where the journal cannot be
        kept; `ConfigurationError` at once where the request cannot be served. The error's ``partial`` is the
        `Recognition` of all that was recognized before it, also where it is the source's own. Cancelling it abandons
        the session, within ``close_timeout``.
        """
        if source is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise ConfigurationError("recognize() needs a source: give it the audio, or push audio with transcribe()")
        request = _request(audio_format, model, language, options, keyterms, fallback=gateway_fallback)
        session = self._new_session(source, request, journal)
        builder = RecognitionBuilder()
        try:
            async with self._running(session, source) as transcript:
                async for event in transcript:
                    builder.add(event)
        except Exception as error:
            _attach(error, builder, session.unread, "before this error")
            raise
        return builder.recognition()


def _attach(error: Exception, builder: RecognitionBuilder, unread: Iterable[TranscriptEvent], when: str) -> None:
    for event in unread:
        builder.add(event)
    partial = builder.recognition()
    count = len(partial.finals)
    note = f"{count} final transcript{'s' * (count > 1)} recognized {when}: see error.partial"
    attach(error, partial, note if count else "")


def _request(
    audio_format: AudioFormat,
    model: str | None,
    language: str | None,
    options: Mapping[str, Any] | None,
    keyterms: Iterable[str],
    *,
    fallback: Iterable[Fallback],
) -> TranscribeRequest:
    return checked(
        TranscribeRequest(
            audio_format=audio_format,
            model=model,
            language=language,
            options={} if options is None else options,
            keyterms=listed("keyterms", keyterms),
            fallback=fallback_models(fallback),
        )
    )
