"""The scripted recogniser: it hears what the audio carries, and tells it in the manner of a provider.

Laws
    1. What it says depends on the audio and on when finalize was asked for, never on how the audio was cut.
    2. Each letter heard is in exactly one final, so whoever plays no audio twice and skips none gets each word once.
    3. In the default manner all times are those of the samples, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from .._core.dialogue import Finalized, Hypothesis, Onset
from .._core.profile import SttProfile
from ..events import Word
from .signal import Ear, Spoken

_STEP = 0.02  # seconds: decisions fall on multiples of it


class Drift(Struct, frozen=True):
    """Times that are off by up to `bound` seconds, differently on each connection, changing slowly along it."""

    bound: float = 0.08
    seed: int = 0


class Manner(Struct, frozen=True, kw_only=True):
    """How the scripted recogniser behaves. The default is a provider of exact spans; all durations are in seconds."""

    endpointing: float | None = 0.3
    """Silence that ends an utterance; ``None``: there are no finals but when they are asked for."""
    longest: float | None = 15.0
    """An utterance is given in finals of this length at most."""
    interim: float | None = 0.2
    """How much audio lies between two interims."""
    preflight: float | None = None
    """Silence after which an utterance is given early, as a preflight."""
    word_times: bool = True
    """Finals carry words."""
    spans: Literal["utterance", "billed"] = "utterance"
    """``"billed"``: like cartesia/ink-2, a final starts at 0 and lasts as long as the audio billed since the last."""
    drift: Drift | None = None
    held: float = 0.0
    """Finals come only when so much more audio has been heard, or when they are asked for."""
    twice: bool = False
    """Each final comes a second time."""
    mid_word: Literal["hold", "cut"] = "hold"
    """When asked for finals in mid-word: the word waits for its end, or falls to pieces."""
    finalized: Literal["after", "before", "never"] = "after"
    """Where the answer to finalize comes, seen from the finals that it brings."""
    trailing: float = 0.0
    """Time between the answer to finalize and finals that come after it."""
    onsets: bool = True
    """Says when speech starts."""

    def profile(self) -> SttProfile:
        """What a client may rely on with a provider of this manner."""
        trusted = self.spans == "utterance"
        return SttProfile(
            acknowledges="span" if trusted else "finalize",
            exact_times=trusted and self.drift is None,
            word_times=self.word_times and trusted,
            finalizes_itself=self.endpointing is not None,
        )


class Wait(Struct, frozen=True):
    """Time, in seconds, that passes before the next message is sent."""

    seconds: float


Said: TypeAlias = Onset | Hypothesis | Finalized | Wait


class Recogniser:
    """Recognises the audio of one connection. `number` tells connections apart where their times drift."""

    def __init__(self, manner: Manner, sample_rate: int, number: int = 0) -> None:
        self.manner = manner
        self._rate = sample_rate
        self._clock = _clock(manner.drift, number)
        self._step = max(1, round(_STEP * sample_rate))
        self._ear = Ear()
        self._words: list[Spoken] = []
        self._over = 0
        self._speaking = False
        self._preflighted = False
        self._billed = 0
        self._last_end = 0
        self._held: list[tuple[int, Hypothesis]] = []

    @property
    def begun(self) -> int:
        """How many words have begun so far."""
        return self._over + (self._ear.pending is not None)

    @property
    def into(self) -> float:
        """How many seconds of the word in progress have been heard; 0 between words."""
        word = self._ear.pending
        return (self._ear.position - word.start) / self._rate if word else 0.0

    def hear(self, pcm: bytes) -> list[Said]:
        """Takes audio in, and tells what it makes of it."""
        said: list[Said] = []
        while pcm:
            size = 2 * (self._step - self._ear.position % self._step)
            self._listen(pcm[:size])
            pcm = pcm[size:]
            if self._ear.position % self._step == 0:
                said += self._decide()
        return said

    def finalize(self) -> list[Said]:
        """Tells all that is still pending."""
        if self.manner.mid_word == "cut" and (word := self._ear.cut()):
            self._words.append(word)
            self._over += 1
        finals: list[Said] = [*self._release(math.inf), *self._pending_final()]
        match self.manner.finalized:
            case "after":
                return [*finals, Finalized()]
            case "before":
                return [Finalized(), Wait(self.manner.trailing), *finals]
            case "never":
                return finals

    def _pending_final(self) -> list[Hypothesis]:
        return self._final(goes_on=self._ear.pending is not None) if self._words else []

    def _listen(self, pcm: bytes) -> None:
        words = self._ear.hear(pcm)
        self._words += words
        self._over += len(words)

    def _decide(self) -> Iterator[Said]:
        manner, at = self.manner, self._ear.position
        yield from self._release(at)
        started = [*self._words, *([self._ear.pending] if self._ear.pending else ())]
        if not started:
            self._speaking = self._speaking and not self._is_quiet(at - self._last_end)
            return
        if not self._speaking:
            self._speaking = True
            if manner.onsets:
                yield Onset(self._clock(started[0].start / self._rate))
        quiet = at - started[-1].end
        if self._is_quiet(quiet) or (self._words and self._is_long(at - started[0].start)):
            yield from self._hold(self._final(goes_on=not self._is_quiet(quiet)))
        elif manner.preflight is not None and quiet >= manner.preflight * self._rate and not self._preflighted:
            self._preflighted = True
            yield self._hypothesis("preflight", started)
        elif manner.interim and at % max(self._step, round(manner.interim * self._rate)) < self._step:
            yield self._hypothesis("interim", started)

    def _is_quiet(self, samples: int) -> bool:
        endpointing = self.manner.endpointing
        return endpointing is not None and self._ear.pending is None and samples >= endpointing * self._rate

    def _is_long(self, samples: int) -> bool:
        longest = self.manner.longest
        return self.manner.endpointing is not None and longest is not None and samples >= longest * self._rate

    def _final(self, *, goes_on: bool) -> list[Hypothesis]:
        final = self._hypothesis("final", self._words)
        self._last_end = self._words[-1].end
        self._words, self._speaking, self._preflighted = [], goes_on, False
        self._billed = self._ear.position
        return [final, final] if self.manner.twice else [final]

    def _hold(self, finals: list[Hypothesis]) -> list[Hypothesis]:
        if not self.manner.held:
            return finals
        due = self._ear.position + round(self.manner.held * self._rate)
        self._held += [(due, final) for final in finals]
        return []

    def _release(self, at: float) -> list[Hypothesis]:
        released = [final for due, final in self._held if due <= at]
        self._held = self._held[len(released) :]
        return released

    def _hypothesis(self, kind: Literal["interim", "preflight", "final"], spoken: list[Spoken]) -> Hypothesis:
        words = tuple(
            Word(word.token, self._clock(word.start / self._rate), self._clock(word.end / self._rate), 1.0)
            for word in spoken
        )
        hypothesis = Hypothesis(
            kind=kind,
            text=" ".join(word.text for word in words),
            start=words[0].start,
            end=words[-1].end,
            words=words if self.manner.word_times else (),
            language="en",
            confidence=1.0,
            ends_speech=kind == "final",
        )
        if self.manner.spans == "utterance":
            return hypothesis
        billed = (self._ear.position - self._billed) / self._rate
        return msgspec.structs.replace(hypothesis, start=0.0, end=billed, words=())


class _Clock(Struct, frozen=True):
    offset: float = 0.0
    swing: float = 0.0

    def __call__(self, seconds: float) -> float:
        return max(0.0, seconds + self.offset + self.swing * math.sin(seconds / 5)) if self.offset else seconds


def _clock(drift: Drift | None, number: int) -> _Clock:
    if drift is None:
        return _Clock()
    random = Random(f"{drift.seed}:{number}")  # noqa: S311
    share = random.uniform(0.2, 0.8) * random.choice((-1, 1))
    return _Clock(share * drift.bound, (1 - abs(share)) * drift.bound)
