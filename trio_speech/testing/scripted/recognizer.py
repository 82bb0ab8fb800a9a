"""The scripted recognizer: it decodes the words that audio encodes, and reports them as a `Manner` says.

Laws
    1. The results depend on the audio and on where finalize was called, never on how the audio was cut into chunks.
    2. Each letter received is in exactly one final: a client that sends all audio once gets each word once.
    3. In the default manner all times are exact to the sample.
    4. `Acknowledged` comes after the finals of the audio before it, and no later result is about that audio.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from ..._core.provider.messages import Acknowledged, FinalizeAnswered, RecognitionResult, SpeechOnset, SpeechOver
from ...audio.formats import AudioFormat
from ...events import Word
from ..word_signal import AudibleWord, WordDecoder
from .manner import Manner, clock_of

_STEP = 0.02
"""Seconds. Decisions are made at multiples of it only, so that they do not depend on the chunks (law 1)."""


class Pause(Struct, frozen=True):
    """Waits `seconds` before the next message is sent."""

    seconds: float


class UtteranceEnded(Struct, frozen=True):
    """No word came for `Manner.utterance_end` seconds after `since`, the end of the last one (seconds)."""

    since: float


RecognizerOutput: TypeAlias = (
    SpeechOnset | RecognitionResult | SpeechOver | UtteranceEnded | Acknowledged | FinalizeAnswered | Pause
)


class ScriptedRecognizer:
    """Recognizes the audio of one connection. `number`: the connection's; its times drift differently for each."""

    def __init__(self, manner: Manner, audio_format: AudioFormat, number: int = 0) -> None:
        self.manner = manner
        self.audio_format = audio_format
        self._rate = audio_format.sample_rate
        self._clock = clock_of(manner.drift, number)
        self._step = max(1, audio_format.samples(_STEP))
        self._decoder = WordDecoder(0, audio_format)
        self._words: list[AudibleWord] = []
        self._words_ended = 0
        self._speaking = False
        self._preflighted = False
        self._billed = 0
        self._last_end = 0
        self._utterance_end_told = 0
        self._acknowledged = 0
        self._held: list[tuple[int, RecognizerOutput]] = []

    @property
    def words_begun(self) -> int:
        """The number of words that have begun so far."""
        return self._words_ended + (self._decoder.pending is not None)

    @property
    def seconds_into_word(self) -> float:
        """Seconds of the word in progress that have been received; 0 between words."""
        word = self._decoder.pending
        return (self._decoder.position - word.start) / self._rate if word else 0.0

    def hear(self, audio: bytes) -> list[RecognizerOutput]:
        """Takes audio in `audio_format`, and returns the results that it completes."""
        said: list[RecognizerOutput] = []
        while audio:
            size = self.audio_format.frame_size * (self._step - self._decoder.position % self._step)
            self._listen(audio[:size])
            audio = audio[size:]
            if self._decoder.position % self._step == 0:
                said += self._decide()
        return said

    def finalize(self) -> list[RecognizerOutput]:
        """Call when the client asks for finals. Returns those that are due, and the answer (see `Manner.finalized`)."""
        if self.manner.mid_word == "cut":
            self._cut()
        finals = [*self._release(math.inf), *self._pending_final()]
        acknowledged = self._acknowledge()
        match self.manner.finalized:
            case "after":
                return [*finals, FinalizeAnswered(), acknowledged]
            case "before":
                return [FinalizeAnswered(), Pause(self.manner.trailing), *finals, acknowledged]
            case "never":
                return [*finals, acknowledged]

    def finish(self) -> list[RecognizerOutput]:
        """Call when the audio has ended. Cuts off a word in progress, and returns the last results."""
        self._cut()
        return [*self._release(math.inf), *self._pending_final(), self._acknowledge()]

    def _cut(self) -> None:
        if word := self._decoder.cut():
            self._words.append(word)
            self._words_ended += 1

    def _pending_final(self) -> list[RecognitionResult]:
        return self._final(goes_on=self._decoder.pending is not None) if self._words else []

    def _acknowledge(self) -> Acknowledged:
        """Acknowledges all audio before the word in progress."""
        self._acknowledged = self._decoder.pending.start if self._decoder.pending else self._decoder.position
        return Acknowledged(self._clock(self._acknowledged / self._rate))

    def _listen(self, audio: bytes) -> None:
        words = self._decoder.hear(audio)
        self._words += words
        self._words_ended += len(words)

    def _decide(self) -> Iterator[RecognizerOutput]:
        at = self._decoder.position
        yield from self._release(at)
        started = [*self._words, *([self._decoder.pending] if self._decoder.pending else ())]
        yield from self._speech(started, at) if started else self._silence(at)
        yield from self._utterance_end(at)

    def _speech(self, started: list[AudibleWord], at: int) -> Iterator[RecognizerOutput]:
        manner = self.manner
        if not self._speaking:
            self._speaking = True
            if manner.onsets:
                yield SpeechOnset(self._clock(started[0].start / self._rate))
        quiet = at - started[-1].end
        if self._is_quiet(quiet) or (self._words and self._is_long(at - started[0].start)):
            yield from self._hold([*self._final(goes_on=not self._is_quiet(quiet)), self._acknowledge()])
        elif manner.preflight is not None and quiet >= manner.preflight * self._rate and not self._preflighted:
            self._preflighted = True
            yield self._hypothesis("preflight", started)
        elif manner.interim and at % max(self._step, round(manner.interim * self._rate)) < self._step:
            yield self._hypothesis("interim", started)

    def _silence(self, at: int) -> Iterator[RecognizerOutput]:
        if self._speaking and self._is_quiet(at - self._last_end):
            self._speaking = False
            yield from self._hold([SpeechOver(self._clock(self._last_end / self._rate)), self._acknowledge()])
        elif at - self._acknowledged >= self.manner.silence * self._rate:
            yield from self._hold([self._acknowledge()])

    def _utterance_end(self, at: int) -> Iterator[UtteranceEnded]:
        last = self._words[-1].end if self._words else self._last_end
        enough = self.manner.utterance_end
        if (
            enough is None
            or self._decoder.pending
            or last <= self._utterance_end_told
            or at - last < enough * self._rate
        ):
            return
        self._utterance_end_told = last
        yield UtteranceEnded(self._clock(last / self._rate))

    def _is_quiet(self, samples: int) -> bool:
        endpointing = self.manner.endpointing
        return endpointing is not None and self._decoder.pending is None and samples >= endpointing * self._rate

    def _is_long(self, samples: int) -> bool:
        longest = self.manner.longest
        return self.manner.endpointing is not None and longest is not None and samples >= longest * self._rate

    def _final(self, *, goes_on: bool) -> list[RecognitionResult]:
        final = msgspec.structs.replace(self._hypothesis("final", self._words), ends_speech=not goes_on)
        self._last_end = self._words[-1].end
        self._words, self._speaking, self._preflighted = [], goes_on, False
        self._billed = self._decoder.position
        return [final, final] if self.manner.twice else [final]

    def _hold(self, said: list[RecognizerOutput]) -> list[RecognizerOutput]:
        if not self.manner.held:
            return said
        due = self._decoder.position + round(self.manner.held * self._rate)
        self._held += [(due, message) for message in said]
        return []

    def _release(self, at: float) -> list[RecognizerOutput]:
        released = [message for due, message in self._held if due <= at]
        self._held = self._held[len(released) :]
        return released

    def _hypothesis(
        self, kind: Literal["interim", "preflight", "final"], spoken: list[AudibleWord]
    ) -> RecognitionResult:
        words = tuple(
            Word(word.token, self._clock(word.start / self._rate), self._clock(word.end / self._rate), 1.0)
            for word in spoken
        )
        hypothesis = RecognitionResult(
            kind=kind,
            text=" ".join(word.text for word in words),
            start=words[0].start,
            end=words[-1].end,
            words=words if self.manner.word_times else (),
            language="en",
            confidence=1.0,
        )
        if self.manner.spans == "utterance":
            return hypothesis
        billed = (self._decoder.position - self._billed) / self._rate
        return msgspec.structs.replace(hypothesis, start=0.0, end=billed, words=())
