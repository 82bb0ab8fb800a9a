"""A scripted recognizer that is correct but untidy: it sends any message that `grammar` allows, at random times.

Terms: *truthful*, see `grammar`; *owed*, see `account`.

Laws
    1. A message that is owed comes within `Manner.late` seconds. Each delay is drawn anew, so messages may overtake
       one another.
    2. Of the other messages that `grammar` allows, those in `Manner.freedoms` are sent now and then.
    3. A word is sent with the times at which it was heard, by the connection's own clock.
"""

from __future__ import annotations

import math
from random import Random

from ..._core.provider.messages import Acknowledged
from ...audio import AudioFormat
from ...events import Word
from ..word_signal import AudibleWord, WordDecoder
from .account import Account, Diction
from .grammar import GRAMMAR, Choice, Said, say, sayable
from .manner import Manner, clock_of

_STEP = 0.02
_USUAL = ("onset", "interim", "final", "answer", "watermark", "end")


class TruthfulRecognizer:
    """Recognizes the audio of one connection. `number`: the connection's; equal numbers draw equal random numbers.

    Report what the client sends by `hear`, `finalize` and `finish`, and call `speak` at the time `due`. Each `now` is
    trio's time, in seconds.
    """

    def __init__(self, manner: Manner, audio_format: AudioFormat, number: int = 0) -> None:
        self.manner = manner
        self.audio_format = audio_format
        self._rate = audio_format.sample_rate
        self._step = audio_format.frame_size * max(1, audio_format.samples(_STEP))
        self._random = Random(f"{manner.seed}:{number}")  # noqa: S311
        self._clock = clock_of(manner.drift, number)
        self._ends_early = number <= manner.early_ends
        self._rows = _rows_of(manner)
        self._decoder = WordDecoder(0, audio_format)
        self._account = Account(_diction_of(manner))
        self._words = 0
        self._quiet_from = 0
        self._sound_from: int | None = None
        self._drawn: dict[Choice, float] = {}

    @property
    def words_begun(self) -> int:
        """How many words have begun so far, in the audio heard."""
        return self._words + (self._decoder.pending is not None)

    @property
    def seconds_into_word(self) -> float:
        """How many seconds of the word in progress have been heard; 0 between words."""
        word = self._decoder.pending
        return (self._decoder.position - word.start) / self._rate if word else 0.0

    @property
    def closed(self) -> bool:
        """Whether it has ended the session."""
        return self._account.closed

    # ------------------------------------------------------------ what comes from the client

    def hear(self, pcm: bytes, now: float) -> None:
        """Call when audio comes, in `audio_format`."""
        for start in range(0, len(pcm), self._step):
            self._listen(pcm[start : start + self._step], now)
        known = self._decoder.pending.start if self._decoder.pending else self._decoder.position
        self._account.position = known / self._rate
        self._draw(now)

    def finalize(self, now: float) -> None:
        """Call when the client asks for finals. A word in progress waits or is cut in two; see `Manner.mid_word`."""
        if self.manner.mid_word == "cut":
            self._cut(now)
        self._account.request(now)
        self._draw(now)

    def finish(self, now: float) -> None:
        """Call when the client ends the audio. A word in progress is cut off; the end comes after all that is owed."""
        self._cut(now)
        self._account.leave(now)
        self._draw(now)

    def _listen(self, piece: bytes, now: float) -> None:
        words = self._decoder.hear(piece)
        for word in words:
            self._word(word, now)
        if words or self._decoder.pending:
            self._quiet_from, self._sound_from = self._decoder.position, None
        elif piece.strip(b"\0"):
            self._sound_from = self._sound_from if self._sound_from is not None else self._decoder.position
        else:
            self._sound_over(now)
        endpointing = self.manner.endpointing
        if endpointing is not None and self._decoder.position - self._quiet_from >= endpointing * self._rate:
            self._account.pause()

    def _word(self, heard: AudibleWord, now: float) -> None:
        start, end = (self._clock(sample / self._rate) for sample in (heard.start, heard.end))
        self._account.hear((Word(heard.token, start, end, 1.0),), now)
        self._words += 1

    def _sound_over(self, now: float) -> None:
        if self._sound_from is not None and self._decoder.position - self._quiet_from >= self._rate * _STEP:
            self._account.pause()
            self._account.sound(self._sound_from / self._rate, self._decoder.position / self._rate, now)
        self._sound_from = None

    def _cut(self, now: float) -> None:
        if word := self._decoder.cut():
            self._word(word, now)

    # ------------------------------------------------------------ what it sends

    @property
    def due(self) -> float:
        """When the next message is to be sent, in trio's time; infinity if there is none."""
        return min(self._drawn.values(), default=math.inf)

    def speak(self, now: float) -> list[Said]:
        """Returns the messages that are due by `now`, in order."""
        said: list[Said] = []
        while self.due <= now:
            choice = min(self._drawn, key=self._drawn.__getitem__)
            del self._drawn[choice]
            if choice in sayable(self._account, (choice[0],)):
                said.append(say(self._account, choice))
                if not self.closed and (self._account.acknowledgeable or choice[0] == "answer"):
                    said.append(Acknowledged(self._account.acknowledge()))
            self._draw(now)
        return said

    def _draw(self, now: float) -> None:
        """Draws a time for each message that may be sent now and has none, and for each that is owed and has none.

        Forgets the messages that may no longer be sent. A time of infinity means that a message is left out.
        """
        owed = {choice for choice, _ in self._account.owed()}
        possible = sayable(self._account, self._rows)
        for choice in [choice for choice in self._drawn if choice not in possible and choice not in owed]:
            del self._drawn[choice]
        for choice in possible:
            if choice not in self._drawn:
                self._drawn[choice] = now + self._lot(choice, owed)
        for choice in owed:
            if self._drawn.get(choice, math.inf) == math.inf:
                self._drawn[choice] = now + self._random.uniform(0.0, self.manner.late)

    def _lot(self, choice: Choice, owed: set[Choice]) -> float:
        """Returns after how many seconds a message is sent; infinity: it is left out. None that is owed is left out."""
        name = choice[0]
        late = self._random.uniform(0.0, self.manner.late)
        if choice in owed:
            return late
        if name == "watermark":
            return self._random.uniform(0.5, 1.0) * self.manner.silence
        if name == "early end":
            return self._random.uniform(1.0, 10.0) if self._ends_early else math.inf
        often = 0.9 if name in _USUAL else self.manner.often
        return late if self._random.random() < often else math.inf


def _diction_of(manner: Manner) -> Diction:
    return Diction(
        times="exact" if manner.spans == "utterance" else "billed",
        word_times=manner.word_times,
        answers=manner.finalized != "never",
        ordered=manner.ordered,
    )


def _rows_of(manner: Manner) -> tuple[str, ...]:
    usual = [row for row in _USUAL if (row != "onset" or manner.onsets) and (row != "interim" or manner.interim)]
    early = ["early end"] if manner.early_ends else []
    return (*usual, *(row for row in manner.freedoms or () if row in GRAMMAR), *early)
