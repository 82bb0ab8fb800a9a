"""What codecs and machines say to each other: requests on the way out, provider-neutral messages on the way in.

A codec turns one provider's wire into these values and back; the machines know no provider. Times of a message are
seconds on the clock of *its own connection*, which starts at 0 with the first sample sent on it.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import asdict, force_setattr

from ...events import Word

_LONGEST_COMPLAINT = 500

# ---------------------------------------------------------------- requests


# ---------------------------------------------------------------- messages from a recognizer


class Opened(Struct, frozen=True):
    """The service has opened the session."""

    session_id: str | None = None


class SpeechOnset(Struct, frozen=True):
    """Somebody began to speak; ``None``: at a time the service does not tell."""

    at: float | None = None


class RecognitionResult(Struct, frozen=True, kw_only=True):
    """A transcript of some degree of certainty.

    `start` and `end` bound the audio it stands for, as the provider tells it: whether that can be trusted is in the
    profile. `id` identifies a final where the provider gives it an identity, so that a repeated one is recognized.
    `ends_speech` says that the utterance is over with it.
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


class SpeechOver(Struct, frozen=True):
    """The utterance ended, said apart from any final."""

    at: float | None = None


class Acknowledged(Struct, frozen=True):
    """All audio before `upto` has been recognized (a watermark); says nothing of words."""

    upto: float


class FinalizeAnswered(Struct, frozen=True):
    """The answer to a finalize request. Trailing finals may still follow."""


# ---------------------------------------------------------------- messages from a voice


class Audio(Struct, frozen=True):
    """Speech in the session's format, which need not be PCM."""

    pcm: bytes


class Aligned(Struct, frozen=True):
    """Words with their times in the audio of the current generation."""

    words: tuple[Word, ...]


class Done(Struct, frozen=True):
    """The generation is complete."""


# ---------------------------------------------------------------- messages from either


class Going(Struct, frozen=True):
    """The service announces that it will end the connection, in `within` seconds."""

    within: float


class Closed(Struct, frozen=True):
    """The service has ended the session in-band."""


class Failure(Struct, frozen=True, kw_only=True):
    """The service reports an error in-band. `retryable` is its own opinion, or ``None``.

    What it says at greater length than 500 characters is cut short: it goes into errors, logs and spans.
    """

    message: str
    code: int | str | None = None
    request_id: str | None = None
    retryable: bool | None = None
    retry_after: float | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, str):
                force_setattr(self, name, value[:_LONGEST_COMPLAINT])


class Unknown(Struct, frozen=True):
    """A message of a type that the codec does not know: skipped. A recognition counts them."""

    tag: str


SttMessage: TypeAlias = (
    Opened
    | SpeechOnset
    | RecognitionResult
    | SpeechOver
    | Acknowledged
    | FinalizeAnswered
    | Going
    | Closed
    | Failure
    | Unknown
)
TtsMessage: TypeAlias = Opened | Audio | Aligned | Done | Going | Closed | Failure | Unknown
