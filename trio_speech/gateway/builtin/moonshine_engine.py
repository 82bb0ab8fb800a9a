"""The default recognizer: voice detection by Silero, text by Moonshine, and word times by PocketSphinx if installed.

Laws:
1. Results depend on the samples alone: not on chunk sizes, nor on earlier sessions or other threads.
2. The end of a final, and the answer to a finalize, is a resume point: what follows depends on no sample before it.
   So framing and voice detection start anew at each of them, and an utterance is transcribed from its own audio.
3. Onset and final alternate, beginning with an onset. An utterance lasts `LONGEST` seconds at most.
4. Only what the voice detector takes for speech is transcribed: given silence, Moonshine writes "You".

The utterance so far is transcribed again and again on a growing window: for interims, at a pause, and for the final.
No I/O and no clock; a thread runs this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from ..engines import Final, Finalized, HeardWord, Hypothesis, Onset, RecognitionOptions, Result
from .accepted_requests import accept_recognition
from .endpointer import PAUSE, Endpointer, Event
from .frames import RATE, Frames
from .moonshine import Moonshine
from .silero import FRAME, Audio, VoiceDetector, VoiceStream

if TYPE_CHECKING:
    from .forced_alignment import WordAligner  # needs PocketSphinx, which is not everywhere

LONGEST = 15.0
"""Seconds after which an utterance is cut, at its quietest place: the model's time grows faster than the audio."""

_LANGUAGE = "en"
_LONGEST = round(LONGEST * RATE) // FRAME
_LEAD_IN = 8  # frames before the onset that are transcribed too: soft first sounds do not yet count as speech
_FEWEST_VOICED = 5  # frames of speech, 0.16 s: for less, Moonshine invents a word
_HANGOVER = 18  # frames of silence, 0.58 s, that end an utterance whose text reads like a whole sentence
_LONG_HANGOVER = 26  # 0.83 s, where it does not: somebody is thinking of the next word
_SENTENCE_ENDS = (".", "?", "!")
_INTERIM_FRAMES = 20  # at least so many frames, 0.64 s, from one interim to the next
_INTERIM_GROWTH = 3  # and a third of the utterance: what interims cost then grows no faster than the audio
_CUT_FROM = 0.6  # of the longest utterance: the first place for a cut
_CUT_FRAMES = 5  # over which the quietest place is looked for


class Models(NamedTuple):
    """The models, which all sessions share. Without an aligner, finals come without word times."""

    detector: VoiceDetector
    recognizer: Moonshine
    aligner: WordAligner | None


def load_models() -> Models:
    """Loads everything: 1 s or so. Raises `EngineFailed` when a model is missing or is not the expected one."""
    aligner = None
    if find_spec("pocketsphinx") is not None:
        from .forced_alignment import WordAligner  # noqa: PLC0415

        aligner = WordAligner()
    return Models(VoiceDetector(), Moonshine(), aligner)


class MoonshineEngine:
    """One session: turns audio into results."""

    def __init__(self, models: Models, options: RecognitionOptions) -> None:
        """Raises `Declined`."""
        accept_recognition("moonshine", options)
        self._models = models
        self._frames = Frames(options.sample_rate, FRAME, history=_LONGEST + _LEAD_IN)
        self._restart()

    def _restart(self) -> None:
        self._voice = VoiceStream(self._models.detector)
        self._endpointer = Endpointer()
        self._recent: deque[bytes] = deque(maxlen=_LEAD_IN)
        self._utterance: _Window | None = None

    def feed(self, pcm: bytes) -> Iterator[Result]:
        """Takes PCM (whole samples), and yields the results that it completes. Must be iterated to the end."""
        self._frames.feed(pcm)
        while (frame := self._frames.next()) is not None:
            yield from self._process(frame)
            yield from self._close_if_due()

    def finalize(self) -> Iterator[Result]:
        """Ends the utterance that is going on, if any, and yields the last results. Must be iterated to the end."""
        for frame in self._frames.rest():
            yield from self._process(frame)
        if self._utterance is not None:
            yield self._final(self._utterance, self._window(self._utterance), self._frames.start)
        self._frames.restart_at_end()
        self._restart()
        yield Finalized(self._frames.start)

    def _process(self, frame: bytes) -> Iterator[Result]:
        event = self._endpointer.push(self._voice.probability(_samples(frame)))
        if self._utterance is not None:
            self._utterance.frames.append(frame)
            if self._has_words and (event is Event.PAUSE or self._utterance.interim_due):
                yield from self._interim(self._utterance)
        elif event is Event.ONSET:
            first = self._endpointer.frames - 1 - len(self._recent)
            self._utterance = _Window(self._frames.position(first * FRAME), first, [*self._recent, frame])
            yield Onset(self._utterance.start)
        self._recent.append(frame)

    def _close_if_due(self) -> Iterator[Final]:
        utterance, silence = self._utterance, self._endpointer.silence
        if utterance is None:
            return
        if silence >= (_HANGOVER if utterance.text.endswith(_SENTENCE_ENDS) else _LONG_HANGOVER):
            yield self._final(utterance, self._window(utterance), self._frames.start)
            self._frames.restart()
            self._restart()
        elif len(utterance.frames) >= _LONGEST:
            cut = utterance.quietest()
            end = self._frames.position((utterance.first + cut) * FRAME)
            yield self._final(utterance, cut, end)
            self._frames.restart(at=end)  # what was received after the cut is processed again, as by a new session
            self._restart()

    @property
    def _has_words(self) -> bool:
        return self._endpointer.voiced >= _FEWEST_VOICED

    def _window(self, utterance: _Window) -> int:
        """Returns how many frames of the utterance to transcribe: those up to the pause after its last speech."""
        return min(len(utterance.frames), self._endpointer.spoken - utterance.first + PAUSE)

    def _interim(self, utterance: _Window) -> Iterator[Hypothesis]:
        before = utterance.text
        text = utterance.transcribe(self._models.recognizer, len(utterance.frames))
        utterance.schedule_interim()
        if text and text != before:
            yield Hypothesis(text, utterance.start, self._frames.start, (), _LANGUAGE)

    def _final(self, utterance: _Window, frames: int, end: int) -> Final:
        if not self._has_words:
            return Final("", utterance.start, end, (), _LANGUAGE)
        text = utterance.transcribe(self._models.recognizer, frames)
        return Final(text, utterance.start, end, tuple(self._words(utterance, text, frames, end)), _LANGUAGE)

    def _words(self, utterance: _Window, text: str, frames: int, end: int) -> Iterator[HeardWord]:
        aligner, words = self._models.aligner, text.split()
        times = aligner.align(utterance.pcm(frames), words) if aligner is not None and words else []
        for word, (first, beyond) in zip(words, times, strict=False):  # no times, no words: there is only the text
            start, stop = (self._frames.position(utterance.first * FRAME + at) for at in (first, beyond))
            yield HeardWord(word, min(start, end), min(stop, end))


class _Window:
    """The audio of an utterance. `first`: its first frame, counted from the resume point. `start`: its first sample."""

    def __init__(self, start: int, first: int, frames: list[bytes]) -> None:
        self.start, self.first, self.frames = start, first, frames
        self.text = ""
        """Its newest transcript."""
        self._tokens: list[int] = []
        self._transcribed = 0
        self._next_interim = _INTERIM_FRAMES + _LEAD_IN

    @property
    def interim_due(self) -> bool:
        """Whether so much audio has come since the last interim that the next one should be made."""
        return len(self.frames) >= self._next_interim

    def schedule_interim(self) -> None:
        """Call when an interim was made. Sets how much audio must come before the next one."""
        self._next_interim = len(self.frames) + max(_INTERIM_FRAMES, len(self.frames) // _INTERIM_GROWTH)

    def pcm(self, frames: int) -> bytes:
        return b"".join(self.frames[:frames])

    def transcribe(self, recognizer: Moonshine, frames: int) -> str:
        """Returns the text of the first `frames` frames. Equal `frames` in a row run the model once.

        This saves a run at the end of most utterances: the same frames were transcribed at the pause before it.
        """
        if frames != self._transcribed:
            self._tokens, self._transcribed = recognizer.tokens(_samples(self.pcm(frames)), self._tokens), frames
            self.text = recognizer.text(self._tokens)
        return self.text

    def quietest(self) -> int:
        """Returns the frame at which to cut a long utterance: in the middle of the quietest 0.16 s of its last part."""
        loudness = numpy.square(_samples(self.pcm(len(self.frames)))).reshape(-1, FRAME).sum(axis=1)
        earliest = round(_CUT_FROM * len(self.frames))
        sums: Any = numpy.convolve(loudness[earliest:], numpy.ones(_CUT_FRAMES), "valid")
        return earliest + int(sums.argmin()) + _CUT_FRAMES // 2


def _samples(pcm: bytes) -> Audio:
    return numpy.frombuffer(pcm, numpy.int16).astype(numpy.float32) / numpy.float32(32_768)
