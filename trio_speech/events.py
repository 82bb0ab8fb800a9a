"""The values that sessions give to the program: transcript events, audio chunks, and the results of the one-shot calls.

All are frozen structs, made to be taken apart with ``match``. All times are ``float`` seconds on the stream's own
clock. That clock counts samples, so 0 is the first captured sample; it does not jump when a connection is replaced,
and it stands still while no audio is captured.
"""

from __future__ import annotations

import os
from typing import Any, TypeAlias

from msgspec import Struct

from .audio import AudioFormat


class Word(Struct, frozen=True):
    """One word of a transcript or of speech, with its place in the audio.

    Fields:
        text: The word, with its punctuation where the service puts it there.
        start: Where the word begins, in seconds: on the stream's clock in a transcript, from the session's first sample
            in speech.
        end: Where the word ends, in seconds on the same clock.
        confidence: How sure the recognizer is, from 0 to 1; ``None`` where the service does not say, and in speech.
        speaker: The service's label of the speaker, where speakers were told apart.
    """

    text: str
    start: float
    end: float
    confidence: float | None = None
    speaker: str | None = None


class SpeechStarted(Struct, frozen=True):
    """Somebody began to speak. A connection that is replaced in the middle of an utterance does not repeat this event.

    Fields:
        start: Where the utterance begins, in seconds on the stream's clock.
    """

    start: float


class SpeechEnded(Struct, frozen=True):
    """The utterance ended: the service found its end, or the program finalized it.

    Fields:
        end: Where the utterance ends, in seconds on the stream's clock.
    """

    end: float


class TurnEnded(Struct, frozen=True):
    """The speaker has finished, as the service judges by the words and the voice: it is the program's turn.

    It comes after the final transcripts of the turn, once for each turn, and only from services that judge turns.
    Others report only pauses (`SpeechEnded`). An end that is only likely comes before it, as a `PreflightTranscript`.

    Fields:
        end: Where the turn ends, in seconds on the stream's clock.
        confidence: How sure the service is, from 0 to 1; ``None`` where it does not say.
    """

    end: float
    confidence: float | None = None


class InterimTranscript(Struct, frozen=True, kw_only=True):
    """A guess at the current utterance, which the next transcript replaces. Only the newest unread one is kept.

    Fields:
        text: The whole text of the guess.
        start: Where the audio begins that the text stands for, in seconds on the stream's clock.
        end: Where that audio ends.
        words: The words with their times, where the service gives them.
        language: The language that the service recognized, such as ``"en"``; ``None`` where it does not say.
        confidence: How sure the recognizer is, from 0 to 1; ``None`` where the service does not say.
        speaker: The service's label of the speaker, where speakers were told apart.
        extra: What else the service said about this transcript, as it said it.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    language: str | None = None
    confidence: float | None = None
    speaker: str | None = None
    extra: Any = None


class PreflightTranscript(Struct, frozen=True, kw_only=True):
    """The service thinks that the speaker may have finished. Use it to start a reply early.

    It may be taken back: the speaker may go on, and then a longer final transcript follows.

    Fields:
        text: The whole text of the utterance so far.
        start: Where the audio begins that the text stands for, in seconds on the stream's clock.
        end: Where that audio ends.
        words: The words with their times, where the service gives them.
        language: The language that the service recognized, such as ``"en"``; ``None`` where it does not say.
        confidence: How sure the recognizer is, from 0 to 1; ``None`` where the service does not say.
        speaker: The service's label of the speaker, where speakers were told apart.
        extra: What else the service said about this transcript, as it said it.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    language: str | None = None
    confidence: float | None = None
    speaker: str | None = None
    extra: Any = None


class FinalTranscript(Struct, frozen=True, kw_only=True):
    """Text that will not be revised. Finals arrive in stream order, each exactly once.

    Fields:
        text: The text. It may be empty where the service ends an utterance without words.
        start: Where the audio begins that the text stands for, in seconds on the stream's clock.
        end: Where that audio ends.
        words: The words with their times, where the service gives them.
        language: The language that the service recognized, such as ``"en"``; ``None`` where it does not say.
        confidence: How sure the recognizer is, from 0 to 1; ``None`` where the service does not say.
        speaker: The service's label of the speaker, where speakers were told apart.
        extra: What else the service said about this transcript, as it said it.
        id: Unique within the session. After a crash, a session that `Client.resume_journal` resumes gives a repeated
            final the same `id`.
        seam: True where this final is the first after a connection was replaced and the service's times are not exact.
            Its first words were then compared with those delivered before, by time and by text, and words that were
            found to be repeated were cut off.
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
    """Audio that has not been recognized and will not be. Each lost sample is named by exactly one gap.

    Fields:
        start: Where the lost audio begins, in seconds on the stream's clock.
        end: Where the lost audio ends.
        reason: ``"overflow"``: the replay log was full (`ReplayPolicy.limit`). ``"replay-limit"``: a reconnection would
            have sent more again than `ReplayPolicy.max_replayed` allows. ``"doubt"``: words of it were shown, and two
            connections in a row sent no final of them. ``"unanswered"``: two connections in a row took the audio and
            answered nothing about it. ``"unheard"``: the service said that it had failed to recognize it.
            ``"damaged"``: a journal was damaged there (`Client.resume_journal`).
    """

    start: float
    end: float
    reason: str


class LinkLost(Struct, frozen=True):
    """The connection broke. The session reconnects by itself; this event is for information.

    Fields:
        cause: Why the connection ended, in words.
        attempt: The number of the coming attempt to reconnect, counted for each backend since the last progress.
        retry_in: Seconds until that attempt begins. Where the connection was closed because too much is unread
            (`ReplayPolicy.max_unread_bytes`), it begins once half of that has been read.
    """

    cause: str
    attempt: int
    retry_in: float


class Resumed(Struct, frozen=True):
    """A new connection has taken over.

    No `LinkLost` precedes it where the change was planned: a connection that reached its greatest age was replaced, a
    better backend became available again, or `Transcript.update` asked for what no running connection can change.

    Fields:
        replayed: Seconds of audio that are sent a second time.
        downtime: Seconds during which there was no connection.
        attempt: Attempts to reconnect since the last progress, this one included; 0 where nothing had failed.
    """

    replayed: float
    downtime: float
    attempt: int


TranscriptEvent: TypeAlias = (
    SpeechStarted
    | InterimTranscript
    | PreflightTranscript
    | FinalTranscript
    | SpeechEnded
    | TurnEnded
    | Gap
    | LinkLost
    | Resumed
)
"""Everything that iterating a `Transcript` can yield."""


class AudioChunk(Struct, frozen=True):
    """A piece of speech to play.

    Fields:
        audio: The audio, in the session's `AudioFormat`.
        start: Where the chunk begins, in seconds since the session's first sample.
        segment: The number of the segment of text (usually a sentence) that is spoken, counted from 0.
        words: The words that end in this chunk, where the service aligns them, and words before it that were aligned
            late. Their times are on the clock of `start`.
        restart: True on the chunk with which all text begins again after a reconnection, under ``resume="restart"``.
        ends_segment: True on the last chunk of a segment. Its audio may be empty, where the service reports the end
            after all of the audio was handed over.
        torn: Seconds of audio at the end of what was handed over before that broke off with a connection. This chunk
            speaks them again from their beginning. 0 where nothing is repeated.
    """

    audio: bytes
    start: float
    segment: int
    words: tuple[Word, ...] = ()
    restart: bool = False
    ends_segment: bool = False
    torn: float = 0.0

    def __repr__(self) -> str:
        return f"AudioChunk({len(self.audio)} bytes, start={self.start}, segment={self.segment})"


class Recognition(Struct, frozen=True):
    """What `Client.recognize` returns.

    Fields:
        text: The texts of all finals, joined by spaces where their script has spaces between words.
        finals: The final transcripts, in stream order.
        gaps: The audio that could not be recognized.
    """

    text: str
    finals: tuple[FinalTranscript, ...]
    gaps: tuple[Gap, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of all finals, in stream order."""
        return tuple(word for final in self.finals for word in final.words)


class AudioClip(Struct, frozen=True):
    """What `Client.render` returns.

    Fields:
        audio: All the audio.
        audio_format: How `audio` is encoded.
        words: The words with their times in the audio, where the service aligns them.
    """

    audio: bytes
    audio_format: AudioFormat
    words: tuple[Word, ...]

    def __repr__(self) -> str:
        return f"AudioClip({self.duration:g} s, {self.audio_format})"

    @property
    def duration(self) -> float:
        """Seconds of audio."""
        return self.audio_format.seconds(len(self.audio) // self.audio_format.frame_size)

    def save(self, file: str | os.PathLike[str]) -> None:
        """Writes the audio to `file`, in the format that its ending names, such as ``.wav``, ``.flac`` or ``.ogg``.

        Needs the extra ``audio``. Blocks while it writes. Raises `ConfigurationError` for another ending, and `OSError`
        if the file cannot be written.
        """
        from .audio.writing import write_audio  # noqa: PLC0415  # of an extra

        write_audio(file, self.audio, self.audio_format)
