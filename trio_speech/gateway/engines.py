"""The two interfaces behind the gateway, `Recognizer` and `Voice`: implement them to plug in an engine of your own.

Times are sample indices, counted from the first sample of the session, at the sample rate that it was opened with.
Audio is signed 16-bit little-endian PCM, one channel. An engine is shared by all connections of a gateway. A session
and a synthesis belong to one connection, and to the task that opened them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from msgspec import Struct

from ..errors import SpeechError


class Busy(SpeechError):
    """The engine is at its capacity: try again when another session has ended. Sent to the client as code 429."""


class EngineFailed(SpeechError):
    """The engine failed during this session or synthesis. Others are not affected. Sent as code 500."""


class Declined(SpeechError):
    """The engine does not have what was asked for: a language, a voice, an option. Sent as code 400."""


class HeardWord(Struct, frozen=True, array_like=True):
    """One word of a hypothesis or a final. `confidence` is from 0 to 1, or ``None`` when the engine has none."""

    text: str
    start: int
    end: int
    confidence: float | None = None


class Onset(Struct, frozen=True, tag="onset"):
    """Speech began at `start`."""

    start: int


class Hypothesis(Struct, frozen=True, tag="hypothesis"):
    """The transcript of the utterance so far (an interim). A later one may change any of its words.

    `language` is what the engine recognized; ``None`` means the language that the client asked for.
    """

    text: str
    start: int
    end: int
    words: tuple[HeardWord, ...] = ()
    language: str | None = None


class Final(Struct, frozen=True, tag="final"):
    """The utterance is over and its transcript will not change. The text may be empty: it was not speech after all.

    `end` is a resume point: later results depend on no sample before it, so a new session that is fed from there on
    gives the same results. `language` is as in a `Hypothesis`.
    """

    text: str
    start: int
    end: int
    words: tuple[HeardWord, ...] = ()
    language: str | None = None


class Finalized(Struct, frozen=True, tag="finalized"):
    """Answers one `finalize`, after its final if there is one. No later result is about samples before `at`."""

    at: int


Result = Onset | Hypothesis | Final | Finalized


class RecognitionOptions(Struct, frozen=True, kw_only=True):
    """What the client asked for. `options` are the engine's own; an engine raises `Declined` for what it lacks."""

    sample_rate: int
    language: str | None = None
    model: str | None = None
    options: Mapping[str, Any] = {}


class RecognizerSession(Protocol):
    """One stream of audio. One task calls `feed` and `finalize`; another one calls `receive`."""

    async def feed(self, pcm: bytes) -> None:
        """Takes any whole number of samples. Waits while the engine is behind, which slows the client down.

        Raises `EngineFailed`. After a cancelled call the session can only be closed.
        """
        ...

    async def finalize(self) -> None:
        """Asks for the final of the utterance that is going on. A `Finalized` follows after the last result."""
        ...

    async def receive(self) -> Result:
        """Waits for the next result, in order. Raises `EngineFailed`."""
        ...


class Recognizer(Protocol):
    """Speech to text."""

    @property
    def capacity(self) -> int:
        """How many sessions may be open at the same time."""
        ...

    def open(self, options: RecognitionOptions) -> AbstractAsyncContextManager[RecognizerSession]:
        """Opens a session; leaving the block closes it. Entering raises `Busy`, `Declined` or `EngineFailed`."""
        ...


class SpokenWord(Struct, frozen=True, array_like=True):
    """One word as it is written in the text, and the samples between which it is spoken."""

    text: str
    start: int
    end: int


class SpeechAudio(Struct, frozen=True, tag="speech"):
    """The next piece of audio of a synthesis, and the times of words that have become known.

    Times count from the start of the synthesis. A word may come before or after the audio in which it is spoken.
    """

    pcm: bytes
    words: tuple[SpokenWord, ...] = ()


class SynthesisOptions(Struct, frozen=True, kw_only=True):
    """What the client asked for. `options` are the engine's own; an engine raises `Declined` for what it lacks."""

    sample_rate: int
    voice: str | None = None
    language: str | None = None
    model: str | None = None
    options: Mapping[str, Any] = {}


class Voice(Protocol):
    """Text to speech."""

    @property
    def capacity(self) -> int:
        """How many connections may use this voice at the same time."""
        ...

    def synthesize(
        self, text: str, options: SynthesisOptions
    ) -> AbstractAsyncContextManager[AsyncIterator[SpeechAudio]]:
        """Speaks `text`: yields an iterator of its audio. Leaving the block abandons the rest.

        The engine works ahead of the reader by a bounded amount. Iterating raises `Busy`, `Declined` or `EngineFailed`.
        """
        ...
