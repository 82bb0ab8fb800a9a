"""The messages that a codec makes of what a service sends, in terms that are the same for all providers.

The session machines know these messages and no provider. Times are seconds on the clock of the message's *own
connection*, which starts at 0 with the first sample sent on it; the machines map them to the stream's clock.
"""

from __future__ import annotations

from hashlib import sha256
from operator import attrgetter
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import asdict, force_setattr, replace

from ...events import Word

_LONGEST_MESSAGE, LONGEST_LABEL = 500, 100
_SPEAKER = attrgetter("speaker")


# ---------------------------------------------------------------- messages from a recognizer


class Opened(Struct, frozen=True):
    """The service has opened the session.

    Fields:
        session_id: The service's name for the session; ``None`` where it gives none.
    """

    session_id: str | None = None


class SpeechOnset(Struct, frozen=True):
    """Somebody began to speak.

    Fields:
        at: When, in seconds; ``None`` where the service does not say.
    """

    at: float | None = None


class RecognitionResult(Struct, frozen=True, kw_only=True):
    """A transcript: interim, preflight or final.

    Fields:
        kind: ``"interim"``: a guess, which the next result replaces. ``"preflight"``: the speaker may have finished.
            ``"final"``: will not be revised.
        text: The text; a final without text ends an utterance that had no words, and an interim without text takes the
            one before it back.
        start: Where the audio begins that the text stands for, as the service says it, in seconds.
        end: Where that audio ends. The profile says whether `start` and `end` can be trusted.
        words: The words with their times, where the service gives them.
        language: The language that was recognized; ``None`` where the service does not say.
        confidence: From 0 to 1; ``None`` where the service does not say.
        speaker: The label of the speaker, where speakers were told apart.
        extra: What else the service said, for the user.
        id: The service's own name for a final, by which one that comes twice is recognized.
        ends_speech: The utterance is over with this result.

    Labels of speakers and `id` are remembered for longer than the result lives. So that no service can fill the memory
    with them, one of more than 100 characters is replaced by its beginning and a digest of all of it.
    """

    kind: Literal["interim", "preflight", "final"]
    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    language: str | None = None
    confidence: float | None = None
    speaker: str | None = None
    extra: Any = None
    id: str | None = None
    ends_speech: bool = False

    def __post_init__(self) -> None:
        if self.id is not None and len(self.id) > LONGEST_LABEL:
            force_setattr(self, "id", _shortened(self.id))
        if self.speaker is not None and len(self.speaker) > LONGEST_LABEL:
            force_setattr(self, "speaker", _shortened(self.speaker))
        if any(map(_SPEAKER, self.words)) and any(len(word.speaker or "") > LONGEST_LABEL for word in self.words):
            words = (replace(word, speaker=word.speaker and _shortened(word.speaker)) for word in self.words)
            force_setattr(self, "words", tuple(words))


def _shortened(label: str) -> str:
    if len(label) <= LONGEST_LABEL:
        return label
    digest = sha256(label.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{label[:60]}…{digest}"


class SpeechOver(Struct, frozen=True):
    """The utterance ended; sent by services that say so apart from a final.

    Fields:
        at: When, in seconds; ``None`` where the service does not say.
    """

    at: float | None = None


class TurnOver(Struct, frozen=True):
    """The speaker has finished a turn; sent by services that judge turns, after the finals of the turn.

    Fields:
        at: When, in seconds; ``None`` where the service does not say.
        confidence: From 0 to 1; ``None`` where the service does not say.
    """

    at: float | None = None
    confidence: float | None = None


class Acknowledged(Struct, frozen=True):
    """The service has recognized all audio before a certain time. This says nothing about words.

    Fields:
        upto: That time, in seconds.
    """

    upto: float


class Unheard(Struct, frozen=True):
    """The service has given up a stretch of audio: no final of it will come. It becomes a `Gap`, and is not sent again.

    It comes instead of a final, in the same order. Its times can be trusted, whatever the profile says.

    Fields:
        start: Where the audio begins that the service cannot recognize, in seconds.
        end: Where that audio ends.
    """

    start: float
    end: float


class FinalizeAnswered(Struct, frozen=True):
    """The service's answer to a finalize request. Finals may still follow it."""


# ---------------------------------------------------------------- messages from a voice


class Audio(Struct, frozen=True):
    """Some speech of the current generation.

    Fields:
        pcm: The audio, in the format that was asked for (which need not be PCM). It may end inside a sample.
    """

    pcm: bytes


class Aligned(Struct, frozen=True):
    """Words of the current generation, with their times in its audio.

    Fields:
        words: The words, in order; times are seconds from the first audio of the generation.
    """

    words: tuple[Word, ...]


class Done(Struct, frozen=True):
    """All audio of the current generation has come."""


# ---------------------------------------------------------------- messages from either


class Going(Struct, frozen=True):
    """The service announces that it will end the connection. The session moves to a new one before.

    After the close message it means that all audio was heard: from then on any end of the connection is the service's
    own, even one without a close frame.

    Fields:
        within: Seconds until then.
    """

    within: float


class Closed(Struct, frozen=True):
    """The service has ended the session, by a message of its protocol."""


class Failure(Struct, frozen=True, kw_only=True):
    """The service reports an error, by a message of its protocol. Texts are cut at 500 characters.

    Fields:
        message: What the service said.
        code: The service's code; the profile's `failure_fates` says what it means, and a number is else read as an HTTP
            status.
        request_id: The service's name for the request, to quote to its support.
        retryable: Whether the service says that the same may succeed later; ``None`` where it does not say.
        retry_after: Seconds to wait before the next attempt; ``None`` where the service does not say.
    """

    message: str
    code: int | str | None = None
    request_id: str | None = None
    retryable: bool | None = None
    retry_after: float | None = None

    def __post_init__(self) -> None:
        # These texts go into errors, logs and spans: a service must not fill them with megabytes.
        for name, value in asdict(self).items():
            if isinstance(value, str):
                force_setattr(self, name, value[:_LONGEST_MESSAGE])


class Unknown(Struct, frozen=True):
    """A message of a type that the codec does not know. It is skipped, and counted in the statistics.

    Fields:
        tag: The type, as the service named it.
    """

    tag: str


SttMessage: TypeAlias = (
    Opened
    | SpeechOnset
    | RecognitionResult
    | SpeechOver
    | TurnOver
    | Acknowledged
    | Unheard
    | FinalizeAnswered
    | Going
    | Closed
    | Failure
    | Unknown
)
"""What a recognizer's codec may return."""

TtsMessage: TypeAlias = Opened | Audio | Aligned | Done | Going | Closed | Failure | Unknown
"""What a voice's codec may return."""
