"""What codecs and machines say to each other: requests on the way out, provider-neutral messages on the way in.

A codec turns one provider's wire into these values and back; the machines know no provider. Times of a message are
seconds on the clock of *its own connection*, which starts at 0 with the first sample sent on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, TypeVar

from msgspec import Struct, ValidationError, convert, field
from msgspec.structs import asdict, force_setattr, replace

from ..audio import AudioFormat
from ..errors import ConfigurationError
from ..events import Word

_LONGEST_COMPLAINT = 500

# ---------------------------------------------------------------- requests


class FallbackModel(Struct, frozen=True):
    """A model that the service itself is to try where the first one fails."""

    model: str
    options: Mapping[str, Any] | None = None
    voice: str | None = None


class TranscribeRequest(Struct, frozen=True, kw_only=True):
    """What a recognition session asks for. `model` may carry a ``:language`` suffix; `language` wins over it."""

    audio_format: AudioFormat
    model: str | None = None
    language: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    keyterms: tuple[str, ...] = ()
    fallback: tuple[FallbackModel, ...] = ()


class SynthesizeRequest(Struct, frozen=True, kw_only=True):
    """What a synthesis session asks for. `model` may carry a ``:voice`` suffix; `voice` wins over it."""

    audio_format: AudioFormat
    model: str | None = None
    voice: str | None = None
    language: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    fallback: tuple[FallbackModel, ...] = ()


class Change(Struct, frozen=True, kw_only=True):
    """A live change of a recognition session; what is ``None`` stays as it is."""

    language: str | None = None
    options: Mapping[str, Any] | None = None
    keyterms: tuple[str, ...] | None = None


_Asked = TypeVar("_Asked", TranscribeRequest, SynthesizeRequest, Change)
_Item = TypeVar("_Item")


class _Plain(Struct):
    """What a caller gives as plain values, by whatever request."""

    model: str | None = None
    voice: str | None = None
    language: str | None = None
    options: Mapping[str, Any] | None = None
    keyterms: tuple[str, ...] | None = None


def checked(asked: _Asked) -> _Asked:
    """`asked`, with options of its own. Raises `ConfigurationError` where a value is not of the kind it is to be."""
    if not isinstance(asked, Change):
        _check_kind("audio_format", asked.audio_format, AudioFormat)
        for each in asked.fallback:
            _check_kind("a gateway_fallback", each, FallbackModel)
            _plain(each, " of a gateway_fallback")
    return replace(asked, options=_plain(asked).options)


def _plain(asked: Struct, whose: str = "") -> _Plain:
    given = asdict(asked)
    try:
        plain = convert(given, _Plain)
        for text in (plain.model, plain.voice, plain.language, *(plain.keyterms or ())):
            (text or "").encode()
    except ValidationError as error:
        found = str(error).replace("$.", "").replace("null", "None").replace("`object", "`mapping")
        raise ConfigurationError(f"an argument{whose} is of the wrong kind: {found}") from None
    except UnicodeError as error:
        raise ConfigurationError(f"an argument{whose} cannot be sent: {error}") from None
    except AttributeError:  # of what has items by index, and no keys
        kind = type(given["options"]).__name__
        raise ConfigurationError(f"the options{whose} are of type {kind}, and no mapping") from None
    return plain


def _check_kind(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise ConfigurationError(f"{name} is of type {type(value).__name__}, and no {kind.__name__}")


def listed(name: str, values: Iterable[_Item]) -> tuple[_Item, ...]:
    """The `values` of the argument `name`. Raises `ConfigurationError` for a string, which would be taken for its
    letters, and for what is no iterable."""
    if isinstance(values, str):
        raise ConfigurationError(f"{name} is one string, {values!r}: give a list")
    if not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"{name} is of type {type(values).__name__}: give a list")
    return tuple(values)


# ---------------------------------------------------------------- messages from a recogniser


class Opened(Struct, frozen=True):
    """The service has opened the session."""

    session_id: str | None = None


class Onset(Struct, frozen=True):
    """Somebody began to speak; ``None``: at a time the service does not tell."""

    at: float | None = None


class Hypothesis(Struct, frozen=True, kw_only=True):
    """A transcript of some degree of certainty.

    `start` and `end` bound the audio it stands for, as the provider tells it: whether that can be trusted is in the
    profile. `id` identifies a final where the provider gives it an identity, so that a repeated one is recognised.
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
    """All audio before `upto` has been recognised (a watermark); says nothing of words."""

    upto: float


class Finalized(Struct, frozen=True):
    """The answer to a finalize request. Trailing finals may still follow."""


# ---------------------------------------------------------------- messages from a voice


class Audio(Struct, frozen=True):
    """PCM in the session's format."""

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
    """A message of a type that the codec does not know: skipped, and counted."""

    tag: str


SttMessage: TypeAlias = (
    Opened | Onset | Hypothesis | SpeechOver | Acknowledged | Finalized | Going | Closed | Failure | Unknown
)
TtsMessage: TypeAlias = Opened | Audio | Aligned | Done | Going | Closed | Failure | Unknown
