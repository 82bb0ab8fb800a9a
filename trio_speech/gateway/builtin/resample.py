"""Sample rate conversion whose output does not depend on chunk sizes.

A polyphase windowed-sinc filter. Each output sample is the same sum in the same order, however the input was cut, so
that equal audio gives equal samples, bit for bit; a replay after a lost connection relies on that.
"""

from __future__ import annotations

import math
from array import array
from functools import lru_cache
from typing import TypeAlias

import numpy
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_ZERO_CROSSINGS = 12
_ROLLOFF = 0.94
_KAISER_BETA = 7.0

Samples: TypeAlias = NDArray[numpy.int16]


class Resampler:
    """Turns a stream at `source` samples a second into one at `target`. Both start at the same instant."""

    def __init__(self, source: int, target: int) -> None:
        common = math.gcd(source, target)
        self._up, self._down = target // common, source // common
        self._phases = _phases(self._up, self._down) if source != target else None
        self._reach = 0 if self._phases is None else self._phases.shape[1] // 2
        self._samples: Samples = numpy.zeros(max(0, self._reach - 1), numpy.int16)
        self._position = 0  # of the next output sample, in input samples * up, from the start of _samples

    def needed(self, count: int) -> int:
        """Returns how many more input samples must be pushed before `count` output samples can be made."""
        if self._phases is None:
            return max(0, count - len(self._samples))
        last = (self._position + (count - 1) * self._down) // self._up
        return max(0, last + 2 * self._reach - len(self._samples))

    def push(self, samples: array[int]) -> array[int]:
        """Takes the next input samples. Returns every output sample that can now be computed."""
        if self._phases is None:
            return samples[:]
        self._samples = numpy.concatenate((self._samples, numpy.frombuffer(samples, numpy.int16)))
        made = self._filter(self._phases)
        used = self._position // self._up
        self._samples = self._samples[used:]
        self._position -= used * self._up
        return array("h", made.tobytes())

    def finish(self) -> array[int]:
        """Returns the outputs that were waiting for input beyond the end, which is taken to be silent."""
        return self.push(array("h", bytes(2 * self._reach)))

    def _filter(self, phases: NDArray[numpy.float64]) -> Samples:
        width = 2 * self._reach
        stop = (len(self._samples) - width + 1) * self._up
        positions = numpy.arange(self._position, stop, self._down)
        if not len(positions):
            return numpy.zeros(0, numpy.int16)
        first, phase = numpy.divmod(positions, self._up)
        products = sliding_window_view(self._samples, width)[first] * phases[phase]
        # Summed tap by tap: numpy's own sum adds in an order that depends on the shape, and so on the chunk.
        total = numpy.zeros(len(positions))
        for tap in range(width):
            total += products[:, tap]
        self._position += len(positions) * self._down
        return numpy.clip(numpy.rint(total), -32_768, 32_767).astype(numpy.int16)


@lru_cache(maxsize=16)
def _phases(up: int, down: int) -> NDArray[numpy.float64]:
    """Returns for each of the `up` positions between two input samples the weights of the samples around it."""
    cutoff = _ROLLOFF * min(1.0, up / down)
    reach = math.ceil(_ZERO_CROSSINGS / cutoff)
    taps = numpy.arange(2 * reach) - (reach - 1)
    distances = taps[None, :] - numpy.arange(up)[:, None] / up
    shape = numpy.i0(_KAISER_BETA * numpy.sqrt(numpy.maximum(0.0, 1.0 - (distances / reach) ** 2)))
    weights: NDArray[numpy.float64] = numpy.sinc(cutoff * distances) * shape
    normalized: NDArray[numpy.float64] = weights / weights.sum(axis=1, keepdims=True)
    return normalized
