"""The scripted recognizer: it hears what the audio carries, and tells it in the manner of a provider.

Laws
    1. What it says depends on the audio and on when finalize was asked for, never on how the audio was cut.
    2. Each letter heard is in exactly one final, so whoever plays no audio twice and skips none gets each word once.
    3. In the default manner all times are those of the samples, exactly.
    4. Of audio that it has acknowledged it says no more. What it said since the last time lies before that point.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from ..._core.provider.messages import Acknowledged, FinalizeAnswered, RecognitionResult, SpeechOnset, SpeechOver
from ...events import Word
from ..word_signal import AudibleWord, WordDecoder
from .manner import Manner, clock_of

_STEP = 0.02  # seconds: decisions fall on multiples of it


class Pause(Struct, frozen=True):
    """Time, in seconds, that passes before the next message is sent."""

    seconds: float


class Lull(Struct, frozen=True):
    """Nobody has spoken since then, for as long as `Manner.utterance_end` says."""

    since: float


RecognizerOutput: TypeAlias = (
    SpeechOnset | RecognitionResult | SpeechOver | Lull | Acknowledged | FinalizeAnswered | Pause
)


class ScriptedRecognizer:
    """Recognizes the audio of one connection. `number` tells connections apart where their times drift."""

    def __init__(self, manner: Manner, sample_rate: int, number: int = 0) -> None:
        self.manner = manner
        self._rate = sample_rate
        self._clock = clock_of(manner.drift, number)
        self._step = max(1, round(_STEP * sample_rate))
        self._ear = WordDecoder()
        self._words: list[AudibleWord] = []
        self._over = 0
        self._speaking = False
        self._preflighted = False
        self._billed = 0
        self._last_end = 0
        self._lull = 0
        self._acknowledged = 0
        self._held: list[tuple[int, RecognizerOutput]] = []

    @property
    def begun(self) -> int:
        """How many words have begun so far."""
        return self._over + (self._ear.pending is not None)

    @property
    def into(self) -> float:
        """How many seconds of the word in progress have been heard; 0 between words."""
        word = self._ear.pending
        return (self._ear.position - word.start) / self._rate if word else 0.0

    def hear(self, pcm: bytes) -> list[RecognizerOutput]:
        """Takes audio in, and tells what it makes of it."""
        said: list[RecognizerOutput] = []
        while pcm:
            size = 2 * (self._step - self._ear.position % self._step)
            self._listen(pcm[:size])
            pcm = pcm[size:]
            if self._ear.position % self._step == 0:
                said += self._decide()
        return said

    def finalize(self) -> list[RecognizerOutput]:
        """Tells all that is still pending."""
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
        """Tells the rest, since no more audio comes: a word in progress falls to pieces."""
        self._cut()
        return [*self._release(math.inf), *self._pending_final(), self._acknowledge()]

    def _cut(self) -> None:
        if word := self._ear.cut():
            self._words.append(word)
            self._over += 1

    def _pending_final(self) -> list[RecognitionResult]:
        return self._final(goes_on=self._ear.pending is not None) if self._words else []

    def _acknowledge(self) -> Acknowledged:
        """All before the word in progress is told."""
        self._acknowledged = self._ear.pending.start if self._ear.pending else self._ear.position
        return Acknowledged(self._clock(self._acknowledged / self._rate))

    def _listen(self, pcm: bytes) -> None:
        words = self._ear.hear(pcm)
        self._words += words
        self._over += len(words)

    def _decide(self) -> Iterator[RecognizerOutput]:
        at = self._ear.position
        yield from self._release(at)
        started = [*self._words, *([self._ear.pending] if self._ear.pending else ())]
        yield from self._speech(started, at) if started else self._silence(at)
        yield from self._stillness(at)

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

    def _stillness(self, at: int) -> Iterator[Lull]:
        last = self._words[-1].end if self._words else self._last_end
        enough = self.manner.utterance_end
        if enough is None or self._ear.pending or last <= self._lull or at - last < enough * self._rate:
            return
        self._lull = last
        yield Lull(self._clock(last / self._rate))

    def _is_quiet(self, samples: int) -> bool:
        endpointing = self.manner.endpointing
        return endpointing is not None and self._ear.pending is None and samples >= endpointing * self._rate

    def _is_long(self, samples: int) -> bool:
        longest = self.manner.longest
        return self.manner.endpointing is not None and longest is not None and samples >= longest * self._rate

    def _final(self, *, goes_on: bool) -> list[RecognitionResult]:
        final = msgspec.structs.replace(self._hypothesis("final", self._words), ends_speech=not goes_on)
        self._last_end = self._words[-1].end
        self._words, self._speaking, self._preflighted = [], goes_on, False
        self._billed = self._ear.position
        return [final, final] if self.manner.twice else [final]

    def _hold(self, said: list[RecognizerOutput]) -> list[RecognizerOutput]:
        if not self.manner.held:
            return said
        due = self._ear.position + round(self.manner.held * self._rate)
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
        billed = (self._ear.position - self._billed) / self._rate
        return msgspec.structs.replace(hypothesis, start=0.0, end=billed, words=())
