"""The codec of Deepgram's live recognition, ``/v1/listen``.

All settings are in the URL; audio is sent in binary frames. Results cover the audio in consecutive windows, silence
included, so the end of every final window acknowledges all audio before it. The codec gives a transcript the span from
its first word to its last, because its window may have begun long before. A final window without words becomes no
transcript, unless an interim had shown words in that window: then the empty final takes them back. One utterance may
take several finals.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs) and deepgram-sdk 7.17.0 (PyPI), ``listen/v1``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..._core.provider.messages import (
    Acknowledged,
    Closed,
    Failure,
    FinalizeAnswered,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    SttMessage,
)
from ..._core.provider.requests import Change
from ...events import Word
from .._codec import Frame, NeedsNewLink, SttCodec
from .._json import encode
from .._words import timed_word
from . import wire


def knows_keyterms(model: str) -> bool:
    """Whether the model takes ``keyterm``, which may change; older models take ``keywords``, which may not."""
    return model.startswith("nova-3")


class DeepgramCodec(SttCodec):
    """See `SttCodec`."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._closing = False
        self._guessed = False

    def audio(self, pcm: bytes | memoryview) -> Frame:
        return bytes(pcm)

    def finalize(self) -> Frame:
        return encode(wire.Finalize())

    def update(self, change: Change) -> Frame | NeedsNewLink | None:
        """See `SttCodec`. Only keyterms can be changed on an open connection, as a whole, and not with every model."""
        if change.language is not None or change.options:
            return NeedsNewLink()
        if change.keyterms is None:
            return None
        if not knows_keyterms(self._model):
            return NeedsNewLink()
        return encode(wire.Configure(change.keyterms))

    def keepalive(self) -> Frame:
        return encode(wire.KeepAlive())

    def close(self) -> Frame:
        self._closing = True
        return encode(wire.CloseStream())

    def decode(self, frame: Frame) -> Iterable[SttMessage]:
        said: Iterable[SttMessage]
        match wire.from_server.decode(frame):
            case wire.Results() as results:
                said = tuple(self._results(results))
            case wire.SpeechStarted(timestamp=at):
                said = (SpeechOnset(_known(at)),)
            case wire.UtteranceEnd(last_word_end=at):
                said = (SpeechOver(_known(at)),)
            case wire.Metadata():
                said = (Closed(),) if self._closing else ()
            case wire.ConfigureSuccess():
                said = ()
            case wire.ConfigureFailure(code=code, description=why, request_id=request_id):
                message = f"the keyterms were not taken: {why or 'no reason given'}"
                said = (Failure(message=message, code=code, request_id=request_id),)
            case wire.Error(variant=variant, description=why):
                said = (Failure(message=why or "no reason given", code=variant),)
            case unknown:
                said = (unknown,)
        return said

    def _results(self, results: wire.Results) -> Iterator[SttMessage]:
        best = next(iter(results.channel.alternatives), wire.Alternative())
        if best.transcript or (results.is_final and self._guessed):
            self._guessed = not results.is_final
            yield _hypothesis(results, best)
        elif results.is_final and results.speech_final:
            yield SpeechOver(_end(results))
        if results.is_final:
            yield Acknowledged(_end(results))
        if results.from_finalize:
            yield FinalizeAnswered()


def _known(time: float | None) -> float | None:
    return None if time is None or time < 0.0 else time


def _hypothesis(results: wire.Results, best: wire.Alternative) -> RecognitionResult:
    words = tuple(map(_word, best.words or ()))
    end = min(words[-1].end, _end(results)) if words else _end(results)
    return RecognitionResult(
        kind="final" if results.is_final else "interim",
        text=best.transcript,
        start=min(words[0].start, end) if words else _start(results),
        end=end,
        words=words,
        language=next(iter(best.languages or ()), None),
        confidence=best.confidence,
        ends_speech=results.is_final and results.speech_final,
    )


def _start(results: wire.Results) -> float:
    return max(0.0, results.start)


def _end(results: wire.Results) -> float:
    return _start(results) + max(0.0, results.duration)


def _word(word: wire.Word) -> Word:
    speaker = None if word.speaker is None else str(word.speaker)
    return timed_word(word.punctuated_word or word.word, word.start, word.end, word.confidence, speaker)
