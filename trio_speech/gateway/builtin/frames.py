"""Resamples a stream to 16 kHz and cuts it into frames of 30 ms, which is what the endpointer takes.

Cutting and resampling start anew at each resume point (the end of a final). So frames depend on the samples since then
and on nothing before: a replay from a resume point gives the same frames, bit for bit, whatever the chunk sizes.
"""

from __future__ import annotations

from array import array

from .resample import Resampler

RATE = 16_000
FRAME = 480


class Frames:
    """Holds the audio that is not yet in a frame: at most one call's audio and two frames."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._begin(0, array("h"))

    def _begin(self, base: int, audio: array[int]) -> None:
        self._base = base  # the resume point, in samples of the stream
        self._made = 0  # samples at 16 kHz handed out since
        self._audio = audio  # from `start` on, kept in case a restart there
        self._pushed = 0  # how much of it is in the resampler already
        self._resampler = Resampler(self._rate, RATE)
        self._ready = array("h")

    @property
    def start(self) -> int:
        """The first sample of the stream that is in no frame yet."""
        return self.position(self._made)

    def position(self, heard: int) -> int:
        """The sample of the stream that is `heard` 16 kHz samples after the resume point."""
        return self._base - (-heard * self._rate) // RATE

    def feed(self, pcm: bytes) -> None:
        self._audio.frombytes(pcm)

    def next(self) -> bytes | None:
        """Returns the next whole frame, or ``None`` when more audio is needed."""
        needed = self._resampler.needed(FRAME - len(self._ready))
        if needed > len(self._audio) - self._pushed:
            return None
        self._push(needed)
        return self._take(FRAME)

    def rest(self) -> list[bytes]:
        """Returns all remaining audio as frames; the last may be short. A restart must follow before more is fed."""
        left = len(self._audio) * RATE // self._rate
        self._push(len(self._audio) - self._pushed)
        self._ready.extend(self._resampler.finish())
        return [self._take(min(FRAME, left - done)) for done in range(0, left, FRAME)]

    def restart(self) -> None:
        """Makes the start of the next frame the new resume point."""
        self._begin(self.start, self._audio)

    def restart_at_end(self) -> None:
        """Makes the end of the audio fed so far the new resume point."""
        self._begin(self.start + len(self._audio), array("h"))

    def _push(self, count: int) -> None:
        self._ready.extend(self._resampler.push(self._audio[self._pushed : self._pushed + count]))
        self._pushed += count

    def _take(self, count: int) -> bytes:
        frame, self._ready = self._ready[:count], self._ready[count:]
        before = self.start
        self._made += count
        framed = self.start - before
        del self._audio[:framed]
        self._pushed -= framed
        return frame.tobytes()
