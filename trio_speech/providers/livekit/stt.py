"""The codec for recognition through the gateway.

Audio may be sent before the gateway has answered. An interim without text takes back the one before, if that had text;
``xai/stt-1`` sends such interims every second. A final without text is delivered. Every final ends the utterance.

Source: the official clients, livekit-agents 1.8.9 (PyPI) and @livekit/agents 1.9.0 (npm).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from msgspec import UNSET

from ..._core.provider.messages import Closed, FinalizeAnswered, Opened, RecognitionResult, SpeechOnset, SttMessage
from ..._core.provider.requests import Change, FallbackModel, TranscribeRequest
from ...events import Word
from .._accept import accept_options
from .._codec import Frame
from .._language import normalize_language
from .._words import timed_word
from . import wire
from .failures import failure
from .models import split_model, with_keyterms

AUTO = "auto"
"""The model name with which the gateway chooses by the language. It is sent in the URL, not in the first message."""


def models(request: TranscribeRequest) -> tuple[str | None, ...]:
    """Returns the requested model and then the fallback models, without their suffixes."""
    return tuple(split_model(name)[0] for name in (request.model, *(each.model for each in request.fallback)))


def creation(request: TranscribeRequest) -> wire.SttCreate:
    """Returns the first message for a request. Raises `ConfigurationError` if it cannot express the request."""
    model, suffix = split_model(request.model)
    language = normalize_language(request.language or suffix or "")
    extra = accept_options(request.options)
    if request.keyterms:
        extra |= with_keyterms(model, extra, request.keyterms)
    return wire.SttCreate(
        model=UNSET if model in (None, AUTO) else model,
        settings=wire.SttSettings(
            sample_rate=str(request.audio_format.sample_rate),
            encoding=request.audio_format.encoding,
            language=language or UNSET,
            extra=extra,
        ),
        fallback=wire.Fallback(tuple(map(_fallback, request.fallback))) if request.fallback else UNSET,
        connection=wire.UpstreamPolicy(),
    )


def _fallback(fallback: FallbackModel) -> wire.FallbackModel:
    model, _ = split_model(fallback.model)  # the gateway takes no language for a fallback
    extra = None if fallback.options is None else accept_options(fallback.options)
    return wire.FallbackModel(model=model or "", extra=extra)


class LiveKitSttCodec:
    """See `SttCodec`. `opening` is the encoded first message for `request`."""

    def __init__(self, request: TranscribeRequest, opening: str) -> None:
        self._opening = opening
        self._model = split_model(request.model)[0]
        self._options: dict[str, Any] = dict(request.options)
        self._keyterms = request.keyterms

    def open(self) -> Iterable[Frame]:
        return (self._opening,)

    audio = staticmethod(wire.encode_audio)

    def finalize(self) -> Frame:
        return wire.encode(wire.SessionFinalize())

    def update(self, change: Change) -> Frame | None:
        language = normalize_language(change.language or "")
        extra = self._changed(change)
        if not language and not extra:
            return None
        settings = wire.SttChanges(language=language or UNSET, extra=extra or UNSET)
        return wire.encode(wire.SessionUpdate(settings=settings))

    def _changed(self, change: Change) -> dict[str, Any]:
        extra = accept_options(change.options or {})
        options = self._options | extra
        keyterms = self._keyterms if change.keyterms is None else change.keyterms
        if keyterms or self._keyterms:
            entry = with_keyterms(self._model, options, keyterms)
            if change.keyterms is not None or entry.keys() & extra.keys():
                extra |= entry
        self._options, self._keyterms = options, keyterms
        return extra

    def keepalive(self) -> None:
        return None

    def close(self) -> Frame:
        return wire.encode(wire.SessionClose())

    def decode(self, frame: Frame) -> Iterable[SttMessage]:
        said: Iterable[SttMessage]
        match wire.stt_from_server.decode(frame):
            case wire.InterimTranscript() as interim:
                said = (_hypothesis("interim", interim),)
            case wire.PreflightTranscript() as preflight:
                said = (_hypothesis("preflight", preflight),)
            case wire.FinalTranscript() as final:
                said = (_hypothesis("final", final),)
            case wire.StartOfSpeech():
                said = (SpeechOnset(),)
            case wire.SessionFinalized():
                said = (FinalizeAnswered(),)
            case wire.SessionCreated(session_id=session_id):
                said = (Opened(session_id),)
            case wire.SessionClosed():
                said = (Closed(),)
            case wire.Error() as error:
                said = (failure(error),)
            case unknown:
                said = (unknown,)
        return said


def _hypothesis(kind: Literal["interim", "preflight", "final"], transcript: wire.Transcript) -> RecognitionResult:
    start = max(0.0, transcript.start)
    return RecognitionResult(
        kind=kind,
        text=transcript.transcript,
        start=start,
        end=start + max(0.0, transcript.duration),
        words=tuple(map(_word, transcript.words or ())),
        language=transcript.language or None,
        confidence=None if transcript.confidence is UNSET else transcript.confidence,
        speaker=transcript.speaker_id or None,
        extra=transcript.extra,
        ends_speech=kind == "final",
    )


def _word(word: wire.Word) -> Word:
    confidence = None if word.confidence is UNSET else word.confidence
    return timed_word(word.word, word.start, word.end, confidence, word.speaker_id or None)
