"""The built-in recognizer: what PocketSphinx, with the English model of its wheel, makes of a stream of audio.

Laws:
1. The results depend on the samples alone: not on how they are chunked, nor on what the decoder heard before.
2. The end of a final, and the answer to a finalize, is a resume point: what follows depends on no sample before it.
   So at each of them the framing, the endpointer and the decoder's adaptation start afresh.
3. Onset and final alternate, and begin with an onset. An utterance lasts little more than `LONGEST` seconds.

No I/O and no clock: a worker process runs this, for a decoder holds the interpreter's lock while it works.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from pocketsphinx import Decoder, Endpointer, Vad

from ..engines import Final, Finalized, HeardWord, Hypothesis, Onset, RecognitionOptions, Result
from .frames import RATE, Frames
from .limits import accept_recognition

LONGEST = 15.0
"""Seconds after which an utterance is closed, pause or no pause: decoding time and memory grow with its length."""

FRAME = 480
"""Samples in a frame of the endpointer: 30 ms."""

_LANGUAGE = "en"
_INTERIM_EVERY = 8 * FRAME  # 240 ms
_LEAD_IN = 5  # frames before the onset that are heard too: a soft first sound does not yet count as speech
_DECISION = 10  # frames that the endpointer looks at before it says that speech began
_DECODER_FRAME = RATE // 100
# The channel, voice and microphone, is judged by the beginning of the utterance, before that is decoded.
_CHANNEL = "channel"
_CHANNEL_SAMPLES = 6 * RATE // 10
_CHANNEL_ROUNDS = 2
_CEPSTRAL_MEAN = "40,3,-1"


def load_decoder() -> Any:
    """The decoder and its model: 0.4 s and 90 MB. One utterance at a time."""
    decoder = Decoder(loglevel="FATAL", samprate=RATE)
    everything = decoder.current_search()
    decoder.add_keyphrase(_CHANNEL, "forward")  # a search that costs next to nothing, for what it hears on the way
    decoder.activate_search(everything)
    return decoder


class SphinxEngine:
    """One session: turns audio into results."""

    def __init__(self, decoder: Any, options: RecognitionOptions) -> None:
        """Raises `Declined`."""
        accept_recognition("pocketsphinx", options, "two_passes")
        self._decoder = decoder
        self._two_passes = bool(options.options.get("two_passes", False))
        self._frames = Frames(options.sample_rate, FRAME)
        self._restart()

    def _restart(self) -> None:
        self._endpointer = Endpointer(vad_mode=Vad.MEDIUM_STRICT)
        self._utterance: _Utterance | None = None
        self._frames_seen = 0  # frames since the resume point
        self._recent: deque[bytes] = deque(maxlen=_LEAD_IN + _DECISION + 1)

    def feed(self, pcm: bytes) -> Iterator[Result]:
        """Take a whole number of samples. To be iterated to the end."""
        self._frames.feed(pcm)
        while (frame := self._frames.next()) is not None:
            yield from self._process(frame)

    def finalize(self) -> Iterator[Result]:
        """Close the utterance that is going on, if any. To be iterated to the end."""
        for frame in self._frames.rest():
            if len(frame) == 2 * FRAME:
                yield from self._process(frame)
            elif self._utterance is not None:
                self._utterance.feed(self._endpointer.end_stream(frame))
        if self._utterance is not None:
            yield self._close(self._utterance)
        self._frames.restart_at_end()
        self._restart()
        yield Finalized(self._frames.start)

    def close(self) -> None:
        """Leave the decoder fit for another session."""
        if self._utterance is not None:
            self._utterance.abandon()
            self._utterance = None

    def _process(self, frame: bytes) -> Iterator[Result]:
        if self._utterance is not None and self._utterance.samples >= LONGEST * RATE:
            self._utterance.feed(self._endpointer.end_stream(frame))
            yield self._close(self._utterance)
            return
        self._frames_seen += 1
        self._recent.append(frame)
        speech = self._endpointer.process(frame)
        if speech is None:
            return
        if self._utterance is None:
            self._utterance = self._open()
            yield Onset(self._utterance.start)
        self._utterance.feed(speech)
        if not self._endpointer.in_speech:
            yield self._close(self._utterance)
        elif self._utterance.samples % _INTERIM_EVERY == 0:
            yield from self._utterance.new_hypothesis()

    def _open(self) -> _Utterance:
        onset = round(self._endpointer.speech_start * RATE) // FRAME
        oldest = self._frames_seen - len(self._recent)
        first = max(oldest, onset - _LEAD_IN)
        utterance = _Utterance(self._decoder, first * FRAME, self._frames.position, two_passes=self._two_passes)
        utterance.feed(b"".join(islice(self._recent, first - oldest, onset - oldest)))
        return utterance

    def _close(self, utterance: _Utterance) -> Final:
        final = utterance.close(self._frames.start)
        self._frames.restart()
        self._restart()
        return final


class _Utterance:
    """One utterance in the decoder. `position` tells the sample of the stream for one that was heard at 16 kHz."""

    def __init__(self, decoder: Any, onset: int, position: Callable[[int], int], *, two_passes: bool) -> None:
        self._decoder, self._onset, self._position = decoder, onset, position
        self._audio = bytearray()
        self._two_passes = two_passes
        self._decoding = False
        self._last_text = ""
        self.start = position(onset)
        self.samples = 0

    def feed(self, speech: bytes | None) -> None:
        if not speech:
            return
        self.samples += len(speech) // 2
        if self._two_passes or not self._decoding:
            self._audio += speech
        if self._decoding:
            self._decoder.process_raw(speech)
        elif self.samples >= _CHANNEL_SAMPLES:
            self._decode()

    def new_hypothesis(self) -> Iterator[Hypothesis]:
        """The hypothesis, where it is another one than was told last."""
        text = self._text() if self._decoding else ""
        if text and text != self._last_text:
            self._last_text = text
            end = self._position(self._onset + self.samples)
            yield Hypothesis(text, self.start, end, self._words(end, sure=False), _LANGUAGE)

    def close(self, end: int) -> Final:
        if not self._decoding:
            self._decode()
        self.abandon()
        if self._two_passes:
            self._decode_again()
        return Final(self._text(), self.start, end, self._words(end, sure=True), _LANGUAGE)

    def abandon(self) -> None:
        """Leave the decoder fit for another utterance."""
        if self._decoding:
            self._decoder.end_utt()

    def _decode(self) -> None:
        mean = _cepstral_mean(self._decoder, bytes(self._audio))
        _reset_adaptation(self._decoder, mean)
        self._decoder.start_utt()
        self._decoder.process_raw(bytes(self._audio))
        self._decoding = True

    def _decode_again(self) -> None:
        """With the cepstral mean of the whole utterance: fewer errors, for twice the work and a later final."""
        self._decoder.start_utt()
        self._decoder.process_raw(bytes(self._audio), full_utt=True)
        self._decoder.end_utt()

    def _text(self) -> str:
        hypothesis = self._decoder.hyp()
        return hypothesis.hypstr if hypothesis is not None else ""

    def _words(self, end: int, *, sure: bool) -> tuple[HeardWord, ...]:
        segments = self._decoder.seg() or ()
        return tuple(self._word(segment, end, sure) for segment in segments if not _is_filler(segment.word))

    def _word(self, segment: Any, latest: int, sure: bool) -> HeardWord:
        first = self._position(self._onset + segment.start_frame * _DECODER_FRAME)
        beyond = self._position(self._onset + (segment.end_frame + 1) * _DECODER_FRAME)
        # Before the end of an utterance there are no posteriors: it says 1 for all.
        confidence = min(1.0, max(0.0, segment.prob)) if sure else None
        return HeardWord(segment.word.split("(")[0], min(first, latest), min(beyond, latest), confidence)


def _is_filler(word: str) -> bool:
    return word.startswith(("<", "["))


def _cepstral_mean(decoder: Any, audio: bytes) -> str:
    everything = decoder.current_search()
    decoder.activate_search(_CHANNEL)
    _reset_adaptation(decoder, _CEPSTRAL_MEAN)
    mean = _CEPSTRAL_MEAN
    for _ in range(_CHANNEL_ROUNDS):  # each gets nearer to what it hears
        decoder.start_utt()
        decoder.process_raw(audio)
        mean = decoder.get_cmn(True)
        decoder.end_utt()
    decoder.activate_search(everything)
    return mean


def _reset_adaptation(decoder: Any, mean: str) -> None:
    """Drop what the decoder learned of noise and channel, and start from this cepstral mean."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # called unnecessary there, and is not: noise is kept
        decoder.start_stream()
    decoder.set_cmn(mean)
