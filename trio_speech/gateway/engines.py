"""What the gateway asks of a recognizer and of a voice: two small interfaces, so that any engine can be plugged in.

Every time is a whole number of samples, counted from the first one of the session at the rate that it was opened at.
Audio is signed 16-bit little-endian PCM with one channel. Engines are shared by all connections of a gateway; a session
and a synthesis belong to one connection, and to the task that opened them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from msgspec import Struct

from ..errors import SpeechError


class Busy(SpeechError):
    """The engine is at its capacity: try again once another session has ended. The wire says it with code 429."""


class EngineFailed(SpeechError):
    """The engine broke down under this session or synthesis. Others are not affected."""


class Declined(SpeechError):
    """The engine cannot do what was asked: a language it does not know, an option out of range. Code 400."""


class HeardWord(Struct, frozen=True, array_like=True):
    """One word of a hypothesis or of a final, with a confidence from 0 to 1 where the engine has one."""

    text: str
    start: int
    end: int
    confidence: float | None = None


class Onset(Struct, frozen=True, tag="onset"):
    """Speech began at `start`."""

    start: int


class Hypothesis(Struct, frozen=True, tag="hypothesis"):
    """What the utterance sounds like so far. Later ones may rewrite it from the first word on.

    `language` is the one that was heard, where the engine tells: else the client is told the one that it asked for.
    """

    text: str
    start: int
    end: int
    words: tuple[HeardWord, ...] = ()
    language: str | None = None


class Final(Struct, frozen=True, tag="final"):
    """The utterance is over, and this will not change. Its text may be empty: it was no speech after all.

    `end` is a resume point: what comes later depends on no sample before it. A session that is opened anew and fed from
    there gives the same results. `language` is as in a `Hypothesis`.
    """

    text: str
    start: int
    end: int
    words: tuple[HeardWord, ...] = ()
    language: str | None = None


class Finalized(Struct, frozen=True, tag="finalized"):
    """Answers one `finalize`, after the final that it may have led to: all samples before `at` are settled."""

    at: int


Result = Onset | Hypothesis | Final | Finalized


class RecognitionOptions(Struct, frozen=True, kw_only=True):
    """How to listen: samples a second, and what the client asked for. Options unknown to an engine mean nothing."""

    sample_rate: int
    language: str | None = None
    model: str | None = None
    options: Mapping[str, Any] = {}


class RecognizerSession(Protocol):
    """One stream of audio. `feed` and `finalize` belong to one task, `receive` to one other."""

    async def feed(self, pcm: bytes) -> None:
        """Take audio; any whole number of samples. Waits while the engine is behind: that is the backpressure.

        Raises `EngineFailed`. A cancelled call leaves the session fit only to be closed.
        """
        ...

    async def finalize(self) -> None:
        """Ask for the final of what is pending. Results come as ever, and after the last a `Finalized`."""
        ...

    async def receive(self) -> Result:
        """The next result, in order. Raises `EngineFailed`."""
        ...


class Recognizer(Protocol):
    """Speech to text."""

    @property
    def capacity(self) -> int:
        """How many sessions may be open at once."""
        ...

    def open(self, hearing: RecognitionOptions) -> AbstractAsyncContextManager[RecognizerSession]:
        """A session, closed on leaving the block. Entering raises `Busy`, `Declined` or `EngineFailed`."""
        ...


class SpokenWord(Struct, frozen=True, array_like=True):
    """One word of the text as it was written there, and where the audio says it."""

    text: str
    start: int
    end: int


class SpeechAudio(Struct, frozen=True, tag="speech"):
    """The next stretch of audio of a synthesis, and words of its alignment that have become known.

    Words count from the start of the synthesis. They may come before or after the audio that they are about.
    """

    pcm: bytes
    words: tuple[SpokenWord, ...] = ()


class SynthesisOptions(Struct, frozen=True, kw_only=True):
    """How to speak: samples a second, and what the client asked for. Options unknown to an engine mean nothing."""

    sample_rate: int
    voice: str | None = None
    language: str | None = None
    model: str | None = None
    options: Mapping[str, Any] = {}


class Voice(Protocol):
    """Text to speech."""

    @property
    def capacity(self) -> int:
        """How many connections may hold this voice at once."""
        ...

    def synthesize(
        self, text: str, manner: SynthesisOptions
    ) -> AbstractAsyncContextManager[AsyncIterator[SpeechAudio]]:
        """The speech for `text`, given up on leaving the block.

        Iterating waits for the engine, which runs ahead of it by a bounded stretch; it raises `Busy`, `Declined` or
        `EngineFailed`.
        """
        ...
