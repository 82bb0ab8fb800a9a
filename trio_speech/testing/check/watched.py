"""Law 5: what a codec says over a whole session is possible. Each session of the check watches its codecs for it.

A recognizer's codec
    - says `FinalizeAnswered` no more often than it was asked for finals, and not never if the service answers;
    - says no time behind the audio that was sent, and no final of audio that it has acknowledged before (where the
      profile trusts its spans);
    - says that the session is over where the service says so.

A voice's codec
    - says `Done` once for each generation, and audio and words only while one is under way;
    - gives the words of a generation in order, within its audio;
    - says `Done` for a cancelled generation where the service says that it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..._core.provider.messages import (
    Acknowledged,
    Aligned,
    Audio,
    Done,
    FinalizeAnswered,
    RecognitionResult,
    SttMessage,
    TtsMessage,
    Unheard,
)
from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ...audio import AudioFormat
from ...providers._clock import AudioClock
from ...providers._codec import Frame
from .complaints import Complaints, bounded

_TOLERANCE = 0.1  # seconds: services round, and a final may end inside of a word's last sound

Watch = Callable[[Any, Any, AudioFormat], Any]
"""Returns a codec that stands for another: takes that, its profile, and the format of the request."""


class Delegating:
    """An object whose attributes are another's, unless a subclass has them."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class WatchedBackend(Delegating):
    """A backend each of whose codecs is replaced by what `recognition` or `synthesis` makes of it."""

    def __init__(self, backend: Any, recognition: Watch, synthesis: Watch) -> None:
        super().__init__(backend)
        self._recognition = recognition
        self._synthesis = synthesis

    def recognizer(self, request: TranscribeRequest) -> Any:
        return _WatchedProvider(self._inner.recognizer(request), self._recognition, request.audio_format)

    def voice(self, request: SynthesizeRequest) -> Any:
        return _WatchedProvider(self._inner.voice(request), self._synthesis, request.audio_format)


class _WatchedProvider(Delegating):
    def __init__(self, provider: Any, watch: Watch, audio_format: AudioFormat) -> None:
        super().__init__(provider)
        self._watch = watch
        self._format = audio_format

    def codec(self) -> Any:
        return self._watch(self._inner.codec(), self._inner.profile, self._format)


class WatchedRecognition(Delegating):
    """A recognizer's codec, whose breaches of the law are added to `complaints`."""

    def __init__(self, codec: Any, profile: SttProfile, audio_format: AudioFormat, complaints: Complaints) -> None:
        super().__init__(codec)
        self._profile = profile
        self._sent = AudioClock(audio_format)
        self._complaints = complaints
        complaints.recognizes = True  # a voice has no more to say when its connection is closed
        self._unanswered = 0
        self._acknowledged = 0.0
        self._ids: set[str] = set()

    def open(self) -> Iterator[Frame]:
        return bounded(self._inner.open(), "open")

    def audio(self, pcm: bytes | memoryview) -> Frame:
        self._sent.add(pcm)
        return self._inner.audio(pcm)  # type: ignore[no-any-return]

    def finalize(self) -> Frame | None:
        frame: Frame | None = self._inner.finalize()
        self._unanswered += frame is not None
        self._complaints.finalizes += frame is not None and self._profile.answers_finalize
        return frame

    def decode(self, frame: Frame) -> Iterator[SttMessage]:
        for message in bounded(self._inner.decode(frame), "decode"):
            self._complaints.said[type(message).__name__] += 1
            self._complaints.texts += self._wrong(message)
            yield message

    def _wrong(self, message: SttMessage) -> Iterator[str]:
        match message:
            case FinalizeAnswered():
                self._unanswered -= 1
                if self._unanswered < 0:
                    yield "FinalizeAnswered, and no request for finals is unanswered"
            case Acknowledged(upto):
                yield from self._beyond(upto, message)
                self._acknowledged = max(self._acknowledged, upto)
            case Unheard(_, end):
                yield from self._beyond(end, message)
            case RecognitionResult(kind="final") if self._profile.trusts_spans and not self._profile.overlapping:
                yield from self._wrong_final(message)
            case _:
                pass

    def _wrong_final(self, final: RecognitionResult) -> Iterator[str]:
        yield from self._beyond(final.end, final)
        first = final.words[0].end if final.words else final.end
        told = final.id is not None and final.id in self._ids
        if final.text.strip() and not told and first < self._acknowledged - self._tolerance:
            yield f"{final!r}, and the audio up to {self._acknowledged:.3f} s was acknowledged before"
        if final.id is not None:
            self._ids.add(final.id)
        if self._profile.acknowledges == "span":
            self._acknowledged = max(self._acknowledged, final.end)

    def _beyond(self, time: float, message: SttMessage) -> Iterator[str]:
        if time > self._sent.now + self._tolerance:
            yield f"{message!r}, and {self._sent.now:.3f} s of audio were sent"

    @property
    def _tolerance(self) -> float:
        return 2 * self._profile.drift + _TOLERANCE


class WatchedSynthesis(Delegating):
    """A voice's codec, whose breaches of the law are added to `complaints`."""

    def __init__(self, codec: Any, profile: TtsProfile, audio_format: AudioFormat, complaints: Complaints) -> None:
        super().__init__(codec)
        self._may_add = profile.quiet_after_done > 0  # then more may come after `Done`, even another one
        self._format = audio_format
        self._complaints = complaints
        self._unfinished = 0
        self._cancelled = False
        self._begin()

    def open(self) -> Iterator[Frame]:
        return bounded(self._inner.open(), "open")

    def speak(self, text: str) -> Iterator[Frame]:
        self._unfinished += 1
        self._begin()
        return bounded(self._inner.speak(text), "speak")

    def cancel(self) -> Frame | None:
        frame: Frame | None = self._inner.cancel()
        if frame is not None and not self._cancelled:
            self._cancelled = True
            self._complaints.unended += 1
        return frame

    def _begin(self) -> None:
        self._heard = AudioClock(self._format)
        self._aligned = 0.0

    def decode(self, frame: Frame) -> Iterator[TtsMessage]:
        for message in bounded(self._inner.decode(frame), "decode"):
            self._complaints.said[type(message).__name__] += 1
            self._complaints.texts += self._wrong(message)
            yield message

    def _wrong(self, message: TtsMessage) -> Iterator[str]:
        if isinstance(message, (Audio, Aligned, Done)) and not self._unfinished and not self._may_add:
            yield f"{type(message).__name__}, and no generation is under way"
        match message:
            case Audio(pcm):
                self._heard.add(pcm)
            case Aligned(words):
                for word in words:
                    if word.start < self._aligned - _TOLERANCE:
                        yield f"{word!r} after a word at {self._aligned:.3f} s of the same generation"
                    self._aligned = word.start
            case Done():
                self._unfinished = max(0, self._unfinished - 1)
                self._complaints.unended -= self._cancelled
                self._cancelled = False
                if self._aligned > self._heard.now + _TOLERANCE:
                    yield f"a word at {self._aligned:.3f} s of a generation of {self._heard.now:.3f} s"
            case _:
                pass
