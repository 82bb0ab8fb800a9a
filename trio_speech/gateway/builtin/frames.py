"""Resamples a stream to 16 kHz and cuts it into frames of equal length, which is what voice detectors take.

Cutting and resampling start anew at each resume point (the end of a final). So frames depend on the samples since then
and on nothing before: a replay from a resume point gives the same frames, bit for bit, whatever the chunk sizes.
"""

from __future__ import annotations

from array import array

from .resample import Resampler

RATE = 16_000


class Frames:
    """Frames of `length` samples at 16 kHz. The audio of the last `history` frames is kept, to restart within it."""

    def __init__(self, sample_rate: int, length: int, history: int = 0) -> None:
        self._rate = sample_rate
        self._length = length
        self._history = history * length
        self._begin(0, array("h"))

    def _begin(self, base: int, audio: array[int]) -> None:
        self._base = base  # the resume point, in samples of the stream
        self._made = 0  # samples at 16 kHz handed out since
        self._audio = audio
        self._audio_start = base  # the sample of the stream with which `_audio` begins
        self._pushed = base  # the first sample of the stream that is not in the resampler yet
        self._resampler = Resampler(self._rate, RATE)
        self._ready = array("h")

    @property
    def start(self) -> int:
        """The first sample of the stream that is in no frame yet."""
        return self.position(self._made)

    def position(self, made: int) -> int:
        """Returns the sample of the stream that is `made` samples of 16 kHz after the resume point."""
        return self._base - (-made * self._rate) // RATE

    def feed(self, pcm: bytes) -> None:
        """Takes the next samples of the stream. Call `next` for the frames."""
        self._audio.frombytes(pcm)

    def next(self) -> bytes | None:
        """Returns the next whole frame, or ``None`` when more audio is needed."""
        needed = self._resampler.needed(self._length - len(self._ready))
        if needed > self._end - self._pushed:
            return None
        self._push(needed)
        return self._take(self._length)

    def rest(self) -> list[bytes]:
        """Returns all remaining audio as frames; the last may be short. A restart must follow before more is fed."""
        left = (self._end - self.start) * RATE // self._rate
        self._push(self._end - self._pushed)
        self._ready.extend(self._resampler.finish())
        return [self._take(min(self._length, left - done)) for done in range(0, left, self._length)]

    def restart(self, at: int | None = None) -> None:
        """Makes the sample `at` of the stream the new resume point; by default, the start of the next frame.

        `at` must lie within the audio that is kept.
        """
        base = self.start if at is None else at
        self._begin(base, self._audio[base - self._audio_start :])

    def restart_at_end(self) -> None:
        """Makes the end of the audio fed so far the new resume point."""
        self._begin(self._end, array("h"))

    @property
    def _end(self) -> int:
        return self._audio_start + len(self._audio)

    def _push(self, count: int) -> None:
        first = self._pushed - self._audio_start
        self._ready.extend(self._resampler.push(self._audio[first : first + count]))
        self._pushed += count

    def _take(self, count: int) -> bytes:
        frame, self._ready = self._ready[:count], self._ready[count:]
        self._made += count
        oldest = self.position(max(0, self._made - self._history))
        del self._audio[: oldest - self._audio_start]
        self._audio_start = oldest
        return frame.tobytes()
