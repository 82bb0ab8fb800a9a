"""The codec for speech through the gateway, one generation after the other.

Voice, model, language and options are sent with every text. The protocol has no message that cancels. If a provider
aligns characters instead of words, they are joined into words here.

Source: the official clients, livekit-agents 1.8.9 (PyPI) and @livekit/agents 1.9.0 (npm).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import UNSET

from ..._core.provider.messages import Aligned, Audio, Closed, Done, Opened, TtsMessage
from ..._core.provider.requests import FallbackModel, SynthesizeRequest
from ...events import Word
from .._accept import accept_options
from .._codec import Frame, TtsCodec
from .._language import normalize_language
from .._letters import Letters
from .._words import timed_word
from . import wire
from .failures import failure
from .models import aligned_options, split_model

_FLUSH = wire.encode(wire.SessionFlush())


def creation(request: SynthesizeRequest) -> wire.TtsCreate:
    """Returns the first message for a request. Raises `ConfigurationError` if it cannot express the request."""
    model, voice = split_model(request.model)
    language = normalize_language(request.language) if request.language else None
    return wire.TtsCreate(
        sample_rate=str(request.audio_format.sample_rate),
        encoding=request.audio_format.encoding,
        extra=_options(model, request.options),
        voice=request.voice or voice or UNSET,
        model=model or UNSET,
        language=language or UNSET,
        fallback=wire.Fallback(tuple(map(_fallback, request.fallback))) if request.fallback else UNSET,
        connection=wire.UpstreamPolicy(),
    )


def _fallback(fallback: FallbackModel) -> wire.FallbackModel:
    model, voice = split_model(fallback.model)
    return wire.FallbackModel(
        model=model or "", voice=fallback.voice or voice or "", extra=_options(model, fallback.options or {})
    )


def _options(model: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    return aligned_options(model, accept_options(options))


def models(created: wire.TtsCreate) -> list[tuple[str | None, Mapping[str, Any]]]:
    """Returns the requested model and then the fallback models, each with the options that are sent for it."""
    others = created.fallback.models if created.fallback else ()
    return [(created.model or None, created.extra or {}), *((each.model, each.extra or {}) for each in others)]


class LiveKitTtsCodec(TtsCodec):
    """See `TtsCodec`. `opening` is `created`, encoded; `spaced`: aligned words contain the blanks between them."""

    def __init__(self, created: wire.TtsCreate, opening: str, *, spaced: bool) -> None:
        self._opening = opening
        self._config = wire.GenerationConfig(voice=created.voice, model=created.model, language=created.language)
        self._extra = created.extra
        self._letters = Letters(spaced=spaced)

    def open(self) -> Iterable[Frame]:
        return (self._opening,)

    def speak(self, text: str) -> Iterable[Frame]:
        # Without a blank at its end, the gateway expects the text to go on in the middle of a word.
        spoken = wire.InputTranscript(transcript=text + " ", generation_config=self._config, extra=self._extra)
        return (wire.encode(spoken), _FLUSH)

    def close(self) -> Frame:
        return wire.encode(wire.SessionClose())

    def decode(self, frame: Frame) -> Iterable[TtsMessage]:
        said: Iterable[TtsMessage]
        match wire.tts_from_server.decode(frame):
            case wire.OutputAudio(pcm=pcm):
                said = (Audio(pcm),) if pcm else ()
            case wire.OutputAlignment(words=words, chars=chars):
                said = _aligned(map(_word, words) if words else self._letters.take(chars or ()))
            case wire.Done():
                said = (*_aligned(self._letters.rest()), Done())
            case wire.SessionCreated(session_id=session_id):
                said = (Opened(session_id),)
            case wire.SessionClosed():
                said = (Closed(),)
            case wire.Error() as error:
                said = (failure(error),)
            case unknown:
                said = (unknown,)
        return said


def _aligned(words: Iterable[Word]) -> tuple[TtsMessage, ...]:
    found = tuple(words)
    return (Aligned(found),) if found else ()


def _word(word: wire.AlignedWord) -> Word:
    return timed_word(word.word, word.start, word.end)
