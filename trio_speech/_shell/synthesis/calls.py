"""The part of `Client` that synthesizes speech: `synthesize`, `render`, `prewarm`, and the pool's statistics."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
from typing import Any

from ..._core.provider.requests import SynthesizeRequest
from ..._core.provider.validation import Fallback, checked, fallback_models
from ..._core.synthesis.clip import ClipBuilder
from ..._core.synthesis.resume import Resume
from ...audio import AudioFormat
from ...errors import ConfigurationError
from ...events import AudioClip
from ...statistics import PoolStatistics
from ..concurrency.block import block
from ..concurrency.one_exception import one_exception
from ..concurrency.partial_result import attach
from ..connection import LinkDown
from ..network.dialer import Dialer, Route
from ..network.endpoint import NoCredential
from ..network.reconnect import error_after
from ..pool.lease import VoiceRoute
from ..pool.pool import Pool
from .session import SynthesisSession, TextSource
from .speech import Speech

DEFAULT_FORMAT = AudioFormat.pcm16(24_000)

_MODES = ("word", "segment", "restart", "never", "eager")


class SynthesisCalls:
    """The half of `Client` that synthesizes speech."""

    def __init__(self, routes: Sequence[Route], dialer: Dialer, pool: Pool) -> None:
        self._routes = routes
        self._dialer = dialer
        self._pool = pool

    @block
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
        """Opens a synthesis session for the length of an ``async with`` block::

            async with client.synthesize("It is ten past nine.") as speech:
                async for chunk in speech:
                    player.write(chunk.audio)

        - `text`: what to say: a string, or an iterable or async iterable of strings of any length, such as the tokens
          of a language model. Leave it out to push text with `Speech.send`. It is cut into sentences, and each is
          spoken as soon as it is complete.
        - `model`: the model as ``"provider/model"`` or ``"provider/model:voice"``; by default the backend's own.
        - `voice`: the provider's name or id of the voice; it wins over the one in `model`.
        - `language`: a BCP 47 tag such as ``"de"`` or ``"pt-BR"``. It also says by which rules sentences end.
        - `audio_format`: the encoding, sample rate and channels of the audio to be returned.
        - `options`: settings of this provider, sent as they are.
        - `resume`: what happens when the connection is lost in the middle of a sentence. ``"word"`` speaks the sentence
          again, and goes on after the last word that was handed over whole; a part of the next one that was handed over
          is repeated, and told by `AudioChunk.torn` (at most 0.25 s). ``"segment"`` hands over whole sentences only,
          and so repeats nothing. ``"restart"`` begins all of the text again, and sets `AudioChunk.restart`. ``"eager"``
          hands over audio as it comes, and begins the sentence again, told by `AudioChunk.torn`. ``"never"`` hands over
          audio as it comes, and raises `LinkError`. A voice that does not align words allows ``"segment"`` in place of
          ``"word"``: `Speech.resume_mode` returns the mode in effect.
        - `gateway_fallback`: models that the service itself is to try where `model` fails, best first.

        Entering the block does not wait for a connection. Where one is idle, a short text is asked for before the block
        begins. Leaving the block before the end drops the rest, and takes at most ``close_timeout``.

        Raises `ConfigurationError` on entering where the request is wrong. Where the session fails later, the block is
        cancelled, and one exception leaves it, never in a group: a `SpeechError`, or what the source of `text` raised.
        """
        self._dialer.check_open()
        _check(text, resume)
        request = _request(audio_format, model, voice, language, options, fallback=gateway_fallback)
        session = SynthesisSession(self._pool, self._dialer, self._voice_routes(request), request, resume)
        session.begin(text)
        async with one_exception(session.leave, within=self._dialer.liveness.close_timeout) as guard:
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
        """Speaks all of a text, and returns the audio with the times of its words::

            clip = await client.render("The children are playing in the garden.")
            print(f"{clip.duration:.1f} s, {len(clip.words)} words")

        - `text`: a string, or an iterable or async iterable of strings.
        - `model`: the model as ``"provider/model"`` or ``"provider/model:voice"``; by default the backend's own.
        - `voice`: the provider's name or id of the voice; it wins over the one in `model`.
        - `language`: a BCP 47 tag such as ``"de"``. It also says by which rules sentences end.
        - `audio_format`: the encoding, sample rate and channels of the clip.
        - `options`: settings of this provider, sent as they are.
        - `gateway_fallback`: models that the service itself is to try where `model` fails, best first.

        Each word is in the clip once, however often the connection was lost. Cancelling the call drops everything, and
        takes at most ``close_timeout``.

        Raises `ConfigurationError` at once where the request is wrong, `SpeechError` where the service or the network
        fails for longer than the `RetryPolicy` allows, and whatever the source of `text` raises. The error's
        ``partial`` is the clip of what was spoken before it, also where it is the source's own.
        """
        if text is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise ConfigurationError("text must be a string or an (async) iterable of strings, not None")
        builder = ClipBuilder(audio_format)
        try:
            async with self.synthesize(
                text,
                model=model,
                voice=voice,
                language=language,
                audio_format=audio_format,
                options=options,
                gateway_fallback=gateway_fallback,
            ) as speech:
                async for chunk in speech:
                    builder.add(chunk)
        except Exception as error:
            clip = builder.clip()
            note = f"{clip.duration:.1f} s of audio spoken before this error: see error.partial"
            attach(error, clip, note if clip.audio else "")
            raise
        return builder.clip()

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
        """Opens connections before they are needed, so that the first sentence need not wait for a dial::

            await client.prewarm(2, voice="a-voice")
            async with client.synthesize("Hello.", voice="a-voice") as speech:
                ...

        - `n`: how many connections are to be idle. ``PoolPolicy.max_size`` is the limit.
        - `model`, `voice`, `language`, `audio_format`, `options`, `gateway_fallback`: as for the `synthesize` that is
          to use them. Some protocols fix these per connection, so a session that asks for others dials its own.

        Returns once the connections are open and have answered a ping. If a session needs a connection meanwhile, it
        gets one of these. A checkpoint. Cancelling it lets the dials go on in the background.

        Raises the `SpeechError` of a dial that failed, what a token provider raised, `ConfigurationError` where the
        request is wrong, and `trio.ClosedResourceError` once the client is closed.
        """
        self._dialer.check_open()
        if type(n) is not int or n < 0:
            raise ConfigurationError(f"n must be a whole number of connections, 0 or more, not {n!r}")
        request = _request(audio_format, model, voice, language, options, fallback=gateway_fallback)
        first = self._voice_routes(request)[0]
        try:
            await self._pool.warm(first, n)
        except NoCredential as down:
            error = down.error
        except LinkDown as down:
            error = error_after(down.cause, first.provider)
        else:
            return
        raise error

    def statistics(self) -> PoolStatistics:
        """The pool of speech connections: how many are in which state, and the counts so far."""
        return self._pool.statistics()

    def _voice_routes(self, request: SynthesizeRequest) -> list[VoiceRoute]:
        last = len(self._routes) - 1
        return [
            VoiceRoute(route.backend.voice(request), route.connector, has_alternative=number < last)
            for number, route in enumerate(self._routes)
        ]


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
    # Bytes are iterable, and would be taken for a source of numbers.
    if isinstance(text, (bytes, bytearray)) or not (text is None or isinstance(text, (str, Iterable, AsyncIterable))):
        raise ConfigurationError(
            f"text must be a string or an (async) iterable of strings, not {type(text).__name__}; "
            "leave it out to push text with send()"
        )
    if resume not in _MODES:
        raise ConfigurationError(f"resume must be one of {', '.join(_MODES)}, not {resume!r}")
