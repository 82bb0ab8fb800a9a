"""What a session tells its user: frozen values to ``match`` on.

All times are ``float`` seconds on the stream's own sample clock, where 0 is the first captured sample. The clock
counts captured audio only: it neither jumps at a reconnection nor runs while the source is silent.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct

from .audio import AudioFormat


class Word(Struct, frozen=True):
    """One word of a transcript (times on the stream's clock) or of speech (times in the audio handed over)."""

    text: str
    start: float
    end: float
    confidence: float | None = None
    speaker: str | None = None


class SpeechStarted(Struct, frozen=True):
    """Somebody began to speak at `start`. A reconnection in mid-utterance does not repeat it."""

    start: float


class SpeechEnded(Struct, frozen=True):
    """The utterance ended at `end` (endpointing), or was finalized there."""

    end: float


class InterimTranscript(Struct, frozen=True, kw_only=True):
    """A guess at the current utterance, which the next one replaces. Unread ones coalesce: only the newest is kept."""

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    language: str | None = None
    confidence: float | None = None
    speaker: str | None = None
    extra: Any = None


class PreflightTranscript(Struct, frozen=True, kw_only=True):
    """An eager end of turn: good enough to begin a reply with, yet it may be taken back. Never acknowledges audio."""

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    language: str | None = None
    confidence: float | None = None
    speaker: str | None = None
    extra: Any = None


class FinalTranscript(Struct, frozen=True, kw_only=True):
    """Text that will not be revised. Finals and gaps arrive in stream order, each exactly once.

    `id` is unique within the session and stable across a crash and a journal's resumption. `seam` is true where the
    final touches the joint of two connections of a provider whose times are not exact: its first words were matched
    against what had been delivered before, by time and by text.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    language: str | None = None
    confidence: float | None = None
    speaker: str | None = None
    extra: Any = None
    id: str = ""
    seam: bool = False


class Gap(Struct, frozen=True):
    """Audio from `start` to `end` that will never be recognized.

    `reason` is ``"overflow"`` (the log was full), ``"replay-limit"`` (`ReplayPolicy.max_replayed`) or ``"unanswered"``
    (two connections heard it, and said nothing of it).
    """

    start: float
    end: float
    reason: str


class LinkLost(Struct, frozen=True):
    """The connection died of `cause`; attempt number `attempt` to replace it begins in `retry_in` seconds.

    Attempts are counted for each backend, from the last progress on.
    """

    cause: str
    attempt: int
    retry_in: float


class Resumed(Struct, frozen=True):
    """A new connection has taken over, `downtime` seconds after the last; `replayed` seconds are sent a second time.

    No `LinkLost` came before it where the last one was left for a fresh one, or for a better backend, as planned.
    """

    replayed: float
    downtime: float
    attempt: int


TranscriptEvent: TypeAlias = (
    SpeechStarted | InterimTranscript | PreflightTranscript | FinalTranscript | SpeechEnded | Gap | LinkLost | Resumed
)
"""Everything that iterating a transcript can yield."""


class AudioChunk(Struct, frozen=True):
    """Speech to play: audio in the session's format, beginning `start` seconds after the session's first sample.

    `segment` counts the segments from 0. `words` are those whose audio ends in this chunk, where the provider aligns
    them; their times are on the same clock as `start`. `restart` is true on the chunk with which all the text begins
    again after a drop, which happens under ``resume="restart"`` alone.
    """

    audio: bytes
    start: float
    segment: int
    words: tuple[Word, ...] = ()
    restart: bool = False

    def __repr__(self) -> str:
        return f"AudioChunk({len(self.audio)} bytes, start={self.start}, segment={self.segment})"


class Recognition(Struct, frozen=True):
    """The one-shot form of a transcript. `text` joins the finals; `gaps` names what could not be recognized."""

    text: str
    finals: tuple[FinalTranscript, ...]
    gaps: tuple[Gap, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of all finals, in stream order."""
        return tuple(word for final in self.finals for word in final.words)


class AudioClip(Struct, frozen=True):
    """The one-shot form of speech: all the audio, its format, and the words with their times in it."""

    audio: bytes
    audio_format: AudioFormat
    words: tuple[Word, ...]

    def __repr__(self) -> str:
        return f"AudioClip({self.duration:g} s, {self.audio_format})"

    @property
    def duration(self) -> float:
        """Seconds of audio."""
        return self.audio_format.seconds(len(self.audio) // self.audio_format.frame_size)
