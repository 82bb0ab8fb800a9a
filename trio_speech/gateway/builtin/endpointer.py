"""Decides where an utterance begins and ends, from the probability of speech in each frame of 32 ms.

Laws:
1. Decisions depend on the probabilities since the beginning alone.
2. A pause shorter than the hangover does not end an utterance: people breathe in mid-sentence, and a recognizer that
   gets half a sentence misreads both halves.
"""

from __future__ import annotations

import enum

_SPEECH = 0.5  # as probable as this, and a frame is speech
_STILL_SPEECH = 0.35  # within an utterance less will do: voices trail off
_ONSET = 3  # frames of speech in a row that begin an utterance: one or two are clicks

PAUSE = 8
"""Frames of silence, 0.26 s, after which the words so far can be looked at."""


class Event(enum.Enum):
    """What a frame brought about."""

    ONSET = enum.auto()
    PAUSE = enum.auto()


class Endpointer:
    """Follows one stream. `frames` counts those seen so far."""

    def __init__(self) -> None:
        self.frames = 0
        self.in_speech = False
        self.onset = 0
        """The first frame of the utterance, once it has begun."""
        self.spoken = 0
        """The frame after the last one with speech."""
        self.voiced = 0
        """How many frames of the utterance hold speech."""

    @property
    def silence(self) -> int:
        """How many frames ago the last speech was."""
        return self.frames - self.spoken

    def push(self, probability: float) -> Event | None:
        """Takes the next frame."""
        self.frames += 1
        if probability >= (_STILL_SPEECH if self.in_speech else _SPEECH):
            self.voiced += 1
            self.spoken = self.frames
            if not self.in_speech and self.voiced == _ONSET:
                self.in_speech, self.onset = True, self.frames - _ONSET
                return Event.ONSET
        elif not self.in_speech:
            self.voiced = 0
        elif self.silence == PAUSE:
            return Event.PAUSE
        return None
