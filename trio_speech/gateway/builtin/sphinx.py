"""The second recognizer: PocketSphinx, with the English model that is in its wheel.

Laws:
1. Results depend on the samples alone: not on chunk sizes, nor on what the decoder was given before.
2. The end of a final, and the answer to a finalize, is a resume point: what follows depends on no sample before it.
   So framing, endpointer and the decoder's adaptation to the channel start anew at each of them.
3. Onset and final alternate, beginning with an onset. An utterance lasts little more than `LONGEST` seconds.

No I/O and no clock. A worker process runs this, because a decoder holds the interpreter's lock while it works.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from pocketsphinx import Decoder, Endpointer, Vad

from ..engines import Final, Finalized, HeardWord, Hypothesis, Onset, RecognitionOptions, Result
from .accepted_requests import accept_recognition
from .frames import RATE, Frames

LONGEST = 15.0
"""Seconds after which an utterance is closed even without a pause: decoding time and memory grow with its length."""

FRAME = 480
"""Samples in a frame of the endpointer: 30 ms."""

_LANGUAGE = "en"
_INTERIM_EVERY = 8 * FRAME  # 240 ms
_LEAD_IN = 5  # frames before the onset that are decoded too: soft first sounds do not yet count as speech
_DECISION = 10  # frames that the endpointer needs to decide that speech has begun
_DECODER_FRAME = RATE // 100
# The decoder adapts to the channel (voice and microphone) by the cepstral mean of the utterance's beginning, which is
# measured before anything is decoded: adapting on the way would make results depend on earlier utterances.
_CHANNEL = "channel"
_CHANNEL_SAMPLES = 6 * RATE // 10
_CHANNEL_ROUNDS = 2
_CEPSTRAL_MEAN = "40,3,-1"


def load_decoder() -> Any:
    """Loads the decoder and its model: 0.4 s and 90 MB. It decodes one utterance at a time."""
    decoder = Decoder(loglevel="FATAL", samprate=RATE)
    everything = decoder.current_search()
    decoder.add_keyphrase(_CHANNEL, "forward")  # a cheap search: only the mean that it measures is used
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
        """Takes PCM (whole samples), and yields the results that it completes. Must be iterated to the end."""
        self._frames.feed(pcm)
        while (frame := self._frames.next()) is not None:
            yield from self._process(frame)

    def finalize(self) -> Iterator[Result]:
        """Ends the utterance that is going on, if any, and yields the last results. Must be iterated to the end."""
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
        """Abandons the utterance, so that the decoder can serve another session."""
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
    """One utterance in the decoder. `position` maps samples at 16 kHz to samples of the stream."""

    def __init__(self, decoder: Any, onset: int, position: Callable[[int], int], *, two_passes: bool) -> None:
        self._decoder, self._onset, self._position = decoder, onset, position
        self._audio = bytearray()
        self._two_passes = two_passes
        self._decoding = False
        self._last_text = ""
        self.start = position(onset)
        self.samples = 0

    def feed(self, speech: bytes | None) -> None:
        """Takes the next audio of the utterance. Decodes it, once there is enough to adapt to the channel."""
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
        """Yields the hypothesis if it differs from the last one, else nothing."""
        text = self._text() if self._decoding else ""
        if text and text != self._last_text:
            self._last_text = text
            end = self._position(self._onset + self.samples)
            yield Hypothesis(text, self.start, end, self._words(end, sure=False), _LANGUAGE)

    def close(self, end: int) -> Final:
        """Ends the utterance, and returns its final. `end`: the sample of the stream at which it ends."""
        if not self._decoding:
            self._decode()
        self.abandon()
        if self._two_passes:
            self._decode_again()
        return Final(self._text(), self.start, end, self._words(end, sure=True), _LANGUAGE)

    def abandon(self) -> None:
        """Ends the utterance in the decoder, which can then begin another."""
        if self._decoding:
            self._decoder.end_utt()

    def _decode(self) -> None:
        mean = _cepstral_mean(self._decoder, bytes(self._audio))
        _reset_adaptation(self._decoder, mean)
        self._decoder.start_utt()
        self._decoder.process_raw(bytes(self._audio))
        self._decoding = True

    def _decode_again(self) -> None:
        """Decodes again with the cepstral mean of the whole utterance: fewer errors for twice the work."""
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
        # Before the end of an utterance there are no posteriors: prob is 1 for every word.
        confidence = min(1.0, max(0.0, segment.prob)) if sure else None
        return HeardWord(segment.word.split("(")[0], min(first, latest), min(beyond, latest), confidence)


def _is_filler(word: str) -> bool:
    return word.startswith(("<", "["))


def _cepstral_mean(decoder: Any, audio: bytes) -> str:
    everything = decoder.current_search()
    decoder.activate_search(_CHANNEL)
    _reset_adaptation(decoder, _CEPSTRAL_MEAN)
    mean = _CEPSTRAL_MEAN
    for _ in range(_CHANNEL_ROUNDS):  # each round starts from the mean of the last, and comes nearer
        decoder.start_utt()
        decoder.process_raw(audio)
        mean = decoder.get_cmn(True)
        decoder.end_utt()
    decoder.activate_search(everything)
    return mean


def _reset_adaptation(decoder: Any, mean: str) -> None:
    """Drops what the decoder has learned of noise and channel, and starts from the cepstral mean `mean`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # deprecated, but without it the noise level is kept
        decoder.start_stream()
    decoder.set_cmn(mean)
