"""Finds where an utterance begins and where it pauses, from the probability of speech in each frame of 32 ms.

The caller decides, by `Endpointer.silence`, after how long a pause the utterance ends (the *hangover*), and makes a new
endpointer for the next one. The hangover must not be short: people breathe in mid-sentence, and a recognizer that gets
half a sentence misreads both halves.

Law: decisions depend only on the probabilities since the endpointer was made.
"""

from __future__ import annotations

import enum

_SPEECH = 0.5  # as probable as this, and a frame is speech
_STILL_SPEECH = 0.35  # within an utterance less will do: voices trail off
_ONSET = 3  # frames of speech in a row that begin an utterance: one or two are clicks

PAUSE = 8
"""Frames of silence, 0.26 s, after which `Event.PAUSE` is reported, so that the words so far can be transcribed."""


class Event(enum.Enum):
    """What `Endpointer.push` reports: an utterance has begun, or it has been silent for `PAUSE` frames."""

    ONSET = enum.auto()
    PAUSE = enum.auto()


class Endpointer:
    """Follows a stream of frames up to the end of its first utterance. `frames` counts those pushed so far."""

    def __init__(self) -> None:
        self.frames = 0
        self.in_speech = False
        self.onset = 0
        """The index of the utterance's first frame, once it has begun."""
        self.spoken = 0
        """The index after that of the last frame with speech."""
        self.voiced = 0
        """How many frames of the utterance hold speech."""

    @property
    def silence(self) -> int:
        """How many frames without speech have come since the last one with speech."""
        return self.frames - self.spoken

    def push(self, probability: float) -> Event | None:
        """Takes the probability of speech in the next frame. Returns what this frame brought about, or ``None``."""
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
