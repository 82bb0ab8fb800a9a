"""Sounds that are no speech, as loud as speech: what a line on hold, a street or a sleeper sounds like.

Most values would be part of a word (see `trio_speech.testing.wide_signal`): a sound has only those that are not, from
-256 to 255, and from 8,192 to 8,447. Where a wave is higher, it is made of pulses, the more the higher it is.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping
from itertools import accumulate
from random import Random

RATE = 8_000
PULSE = 0x2000


def tones(seconds: float) -> bytes:
    """A dial tone, interrupted every two seconds."""
    return _wave(seconds, lambda at: _sine(425, at) * (at % 2.0 < 1.0), 6_000)


def music(seconds: float) -> bytes:
    """Three voices that change their notes every half second, and never rest for long."""
    random = Random("music")
    notes = [[random.choice((220, 247, 277, 330, 370, 440)) for _ in range(3)] for _ in range(64)]

    def chord(at: float) -> float:
        fade = 1.0 - at % 0.5
        return fade * sum(_sine(note, at) for note in notes[int(at * 2) % 64]) / 3

    return _wave(seconds, chord, 9_000)


def street(seconds: float) -> bytes:
    """Noise whose loudness wanders, with something that passes by every ten seconds."""
    random = Random("street")
    wander = list(accumulate((random.gauss(0, 0.03) for _ in range(int(seconds) + 2)), lambda a, b: 0.98 * a + b))

    def noise(at: float) -> float:
        passing = math.exp(-(((at % 10.0) - 5.0) ** 2))
        return random.uniform(-1, 1) * (0.15 + abs(wander[int(at)]) + 0.5 * passing)

    return _wave(seconds, noise, 12_000)


def breathing(seconds: float) -> bytes:
    """Soft noise that swells and falls with every breath."""
    random = Random("breath")
    return _wave(seconds, lambda at: random.uniform(-1, 1) * max(0.0, math.sin(at * math.pi / 2)) ** 2, 250)


SOUNDS: Mapping[str, Callable[[float], bytes]] = {
    "hold music": music,
    "tones": tones,
    "street noise": street,
    "breathing": breathing,
}


def _sine(frequency: float, at: float) -> float:
    return math.sin(2 * math.pi * frequency * at)


def _wave(seconds: float, value: Callable[[float], float], peak: int) -> bytes:
    random = Random("pulses")
    samples = array("h")
    for number in range(int(seconds * RATE)):
        level = abs(int(peak * value(number / RATE)))
        samples.append(level % 256 + (PULSE if level > 255 and random.random() * PULSE < level else 0))
    return samples.tobytes()
