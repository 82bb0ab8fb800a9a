"""The codec of ElevenLabs' voices with contexts.

A connection carries up to five *contexts*; a sixth makes the service close it. A codec speaks one text after the other,
each in a context of its own, which it closes as soon as the text is sent: only then does the service say that the
context's audio is complete (``isFinal``). A context cannot be stopped: all audio of an abandoned one is received.

Characters are aligned, not words. By the specification, and by what pipecat reports, their times begin at 0 in every
message, so the codec adds the length of the audio that came before. Some models align a sentence twice, at first in
part: the repeated characters are dropped.

Source: elevenlabs 2.78.0 (PyPI); livekit-plugins-elevenlabs 1.8.9; pipecat 1.14.0 and its issues 2227 and 4316. Not
verified against the live service: the clock of the alignment. So words are not aligned, and sentences are handed over
whole, unless the option ``sync_alignment`` asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from msgspec import Struct

from ..._core.provider.messages import Aligned, Audio, Done, Failure, TtsMessage
from ...audio import AudioFormat
from ...errors import ProtocolError
from ...events import Word
from .._clock import AudioClock
from .._codec import Frame, TtsCodec
from .._json import encode
from .._letters import Letters
from . import wire
from .profiles import VOICE

_LEAST_REPEATED = 8
"""Characters that an alignment must share with the one before to count as its repetition. Shorter texts may really be
spoken twice, as in "no no"."""


class _Letter(Struct, frozen=True):
    char: str
    start: float
    end: float


class ElevenLabsCodec(TtsCodec):
    """See `TtsCodec`. `settings` are sent with the first message of each context; contexts are ``name-1``, ``name-2``,
    …
    """

    def __init__(self, settings: Mapping[str, Any], name: str, audio_format: AudioFormat) -> None:
        self._settings = settings
        self._name = name
        self._format = audio_format
        self._contexts = 0
        self._speaking: str | None = None
        self._begin()

    def speak(self, text: str) -> Iterable[Frame]:
        self._contexts += 1
        context = self._speaking = f"{self._name}-{self._contexts}"
        self._begin()
        return (
            encode({"text": text + " ", "context_id": context, **self._settings}),
            encode({"text": "", "context_id": context, "flush": True}),
            encode({"context_id": context, "close_context": True}),
        )

    def _begin(self) -> None:
        self._alignment = _Alignment()
        self._received = AudioClock(self._format)

    def keepalive(self) -> Frame | None:
        # It names no context: one that the service has closed meanwhile would be opened again. Without a name it may be
        # sent only while no context is open.
        return encode({"text": ""}) if self._speaking is None else None

    def decode(self, frame: Frame) -> Iterable[TtsMessage]:
        message = wire.from_server.decode(frame)
        if message.error is not None or message.message is not None:
            return (_failure(message),) if message.context in (None, self._speaking) else ()
        if message.context is None or message.context != self._speaking:
            return ()
        return tuple(self._said(message))

    def _said(self, message: wire.Message) -> Iterator[TtsMessage]:
        base, pcm = self._received.now, message.pcm
        self._received.add(pcm)
        letters = () if message.alignment is None else _letters(message.alignment, base)
        words = tuple(self._alignment.take(letters, base))
        if pcm:
            yield Audio(pcm)
        if message.ends_context:
            words += tuple(self._alignment.rest())
            self._speaking = None
        if words:
            yield Aligned(words)
        if message.ends_context:
            yield Done()


class _Alignment:
    """Collects the words of one context from alignments, which may repeat the one before."""

    def __init__(self) -> None:
        self._words = Letters(spaced=True)
        self._told: list[_Letter] = []
        self._base = 0.0

    def take(self, letters: tuple[_Letter, ...], base: float) -> Iterator[Word]:
        """Yields the words that `letters` complete. `base`: where their audio begins, in seconds of the context."""
        old = [letter.char for letter in self._told]
        again = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1].char, zip(old, letters, strict=False)))
        if again == len(old) < len(letters) and again >= _LEAST_REPEATED:
            # The same sentence again, and more of it: the times count from where the sentence began.
            shift = self._base - base
            new = tuple(_Letter(each.char, each.start + shift, each.end + shift) for each in letters[again:])
        else:
            new = letters
            self._base = base
        if letters:
            self._told = list(letters)
        yield from self._words.take(new)

    def rest(self) -> Iterator[Word]:
        """Yields the last word. Call it when the context is over."""
        yield from self._words.rest()


def _letters(times: wire.CharacterTimes, base: float) -> tuple[_Letter, ...]:
    starts, lengths = times.starts or times.starts_too, times.lengths or times.lengths_too
    if not len(times.chars) == len(starts) == len(lengths):
        raise ProtocolError("malformed message: characters and times differ in number")
    timed = zip(times.chars, starts, lengths, strict=True)
    return tuple(
        _Letter(char, max(0.0, base + start / 1e3), max(0.0, base + (start + max(0.0, length)) / 1e3))
        for char, start, length in timed
    )


def _failure(message: wire.Message) -> Failure:
    said = message.message or message.error or "no reason given"
    retryable = any(text in f"{said} {message.error}".lower() for text in VOICE.close_reason_fates)
    return Failure(message=said, code=message.error or message.code, retryable=retryable or None)
