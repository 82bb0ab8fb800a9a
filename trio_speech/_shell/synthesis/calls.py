"""The client's side of synthesis: sessions made of requests, and the pool that they share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ..._core.provider.requests import SynthesizeRequest
from ..._core.provider.validation import Fallback, checked, fallback_models
from ..._core.synthesis.resume import Resume
from ...audio import AudioFormat
from ...errors import ConfigurationError
from ...events import AudioClip
from ...statistics import PoolStatistics
from ..concurrency.one_exception import one_exception
from ..connection import LinkDown
from ..network.dialer import Dialer, NoCredential, Route
from ..network.reconnect import error_after
from ..pool.lease import VoiceRoute
from ..pool.pool import Pool
from .session import SynthesisSession, TextSource
from .speech import Speech

DEFAULT_FORMAT = AudioFormat.pcm16(24_000)

_MODES = ("word", "segment", "restart", "never")


class SynthesisCalls:
    """The half of `Client` that speaks."""

    def __init__(self, routes: Sequence[Route], network: Dialer, pool: Pool) -> None:
        self._routes = routes
        self._network = network
        self._pool = pool

    @asynccontextmanager
    async def synthesize(
        self,
        text: TextSource | None = None,
        *,
        model: str | None = None,
        voice: str | None = None,
        language: str | None = None,
        audio_format: AudioFormat = DEFAULT_FORMAT,
        options: Mapping[str, Any] | None = None,
        resume: Resume = "word",
        gateway_fallback: Iterable[Fallback] = (),
    ) -> AsyncGenerator[Speech, None]:
        """A synthesis session, for the length of the block.

        `text` is a string, or an iterable or async iterable of pieces of any sizes, such as a language model's tokens;
        without it, push text with `Speech.send`. It is spoken sentence by sentence, on a connection of the client's
        pool. `resume` says what to do about a drop in mid-audio: ``"word"`` speaks the sentence again and hands over
        only what was not yet, ``"segment"`` hands over whole sentences only, ``"restart"`` begins all the text again
        and says so on the chunk, ``"never"`` raises. `Speech.resume` tells what the voice allows of it.

        Entering does not wait for a connection; where one is idle, a short text is asked for before the block begins.
        Leaving before the end abandons the session, within ``close_timeout``. What the session dies of cancels the
        block, and leaves it as one bare exception: a `SpeechError`, or what the source raised. Raises
        `ConfigurationError` at once where the request cannot be served.
        """
        self._network.check_open()
        _check(text, resume)
        request = _request(audio_format, model, voice, language, options, fallback=gateway_fallback)
        session = SynthesisSession(self._pool, self._network, self._voices(request), request, resume)
        session.begin(text)
        async with one_exception(session.leave, within=self._network.liveness.close_timeout) as guard:
            session.start(guard, text)
            yield session.speech

    async def render(
        self,
        text: TextSource,
        *,
        model: str | None = None,
        voice: str | None = None,
        language: str | None = None,
        audio_format: AudioFormat = DEFAULT_FORMAT,
        options: Mapping[str, Any] | None = None,
        gateway_fallback: Iterable[Fallback] = (),
    ) -> AudioClip:
        """All of `text` at once: takes what `synthesize` takes but `resume`, and returns when the last word is spoken.

        No word is lost or said twice. Raises what a session dies of: a `SpeechError`, or what the source raised;
        `ConfigurationError` at once where the request cannot be served. Cancelling it abandons the session, within
        ``close_timeout``.
        """
        if text is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise ConfigurationError("there is no text: give a string or an (async) iterable of strings")
        async with self.synthesize(
            text,
            model=model,
            voice=voice,
            language=language,
            audio_format=audio_format,
            options=options,
            gateway_fallback=gateway_fallback,
        ) as speech:
            chunks = [chunk async for chunk in speech]
        words = tuple(word for chunk in chunks for word in chunk.words)
        return AudioClip(b"".join(chunk.audio for chunk in chunks), audio_format, words)

    async def prewarm(
        self,
        n: int = 1,
        *,
        model: str | None = None,
        voice: str | None = None,
        language: str | None = None,
        audio_format: AudioFormat = DEFAULT_FORMAT,
        options: Mapping[str, Any] | None = None,
        gateway_fallback: Iterable[Fallback] = (),
    ) -> None:
        """Makes `n` connections ready for syntheses that ask for the same, as far as ``max_size`` allows.

        Returns when they are open and have answered a ping, or have made room for whom somebody waits. Raises the
        `SpeechError` of a dial that failed, or what a token provider raised; `ConfigurationError` where the request
        cannot be served, `trio.ClosedResourceError` once the client is closed. A checkpoint.
        """
        self._network.check_open()
        if type(n) is not int or n < 0:
            raise ConfigurationError(f"{n!r} connections cannot be prewarmed: give a whole number")
        request = _request(audio_format, model, voice, language, options, fallback=gateway_fallback)
        wanted = self._voices(request)[0]
        try:
            await self._pool.warm(wanted, n)
        except NoCredential as down:
            error = down.error
        except LinkDown as down:
            error = error_after(down.cause, wanted.provider)
        else:
            return
        raise error

    def statistics(self) -> PoolStatistics:
        """The pool of speech connections: how it stands, and what it has seen."""
        return self._pool.statistics()

    def _voices(self, request: SynthesizeRequest) -> list[VoiceRoute]:
        return [VoiceRoute(route.backend.voice(request), route.connector) for route in self._routes]


def _request(
    audio_format: AudioFormat,
    model: str | None,
    voice: str | None,
    language: str | None,
    options: Mapping[str, Any] | None,
    *,
    fallback: Iterable[Fallback],
) -> SynthesizeRequest:
    return checked(
        SynthesizeRequest(
            audio_format=audio_format,
            model=model,
            voice=voice,
            language=language,
            options={} if options is None else options,
            fallback=fallback_models(fallback),
        )
    )


def _check(text: object, resume: str) -> None:
    if isinstance(text, (bytes, bytearray)) or not (text is None or isinstance(text, (str, Iterable, AsyncIterable))):
        raise ConfigurationError(
            f"the text is a {type(text).__name__}: give a string or an (async) iterable of strings, "
            "or leave it out and call send()"
        )
    if resume not in _MODES:
        raise ConfigurationError(f"resume is {resume!r}: use one of {', '.join(_MODES)}")
