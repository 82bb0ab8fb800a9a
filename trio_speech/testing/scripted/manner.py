"""How the scripted recognizer behaves, as data."""

from __future__ import annotations

import math
from random import Random
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ..._core.provider.profile import SttProfile

ENCODINGS = ("pcm_s16le", "mulaw", "alaw")


class Drift(Struct, frozen=True):
    """Makes word times wrong by up to `bound` seconds: differently on each connection, and slowly changing along it."""

    bound: float = 0.08
    seed: int = 0


class Manner(Struct, frozen=True, kw_only=True):
    """How the scripted recognizer behaves. By default its word times are exact. All durations are in seconds."""

    endpointing: float | None = 0.3
    """Silence that ends an utterance; ``None``: finals come only when the client asks for them."""
    longest: float | None = 15.0
    """The longest final; a longer utterance is delivered in several. ``None`` for no limit."""
    interim: float | None = 0.2
    """Audio between two interims; ``None``: there are none."""
    preflight: float | None = None
    """Silence after which a preflight transcript of the utterance is sent; ``None``: there are none."""
    word_times: bool = True
    """Whether transcripts carry words with times."""
    spans: Literal["utterance", "billed"] = "utterance"
    """``"billed"``: like cartesia/ink-2, a final starts at 0 and lasts as long as the audio billed since the last."""
    drift: Drift | None = None
    """Makes the times inexact; ``None``: they are exact to the sample."""
    held: float = 0.0
    """Finals are held back until this much more audio has been received, or the client asks for them."""
    twice: bool = False
    """Whether each final is sent twice."""
    mid_word: Literal["hold", "cut"] = "hold"
    """What a finalize in the middle of a word does: the word waits for its end, or is cut in two."""
    finalized: Literal["after", "before", "never"] = "after"
    """Whether the answer to finalize comes after the finals that it causes, before them, or never."""
    trailing: float = 0.0
    """Time from the answer to finalize to the finals that come after it (with ``finalized="before"``)."""
    onsets: bool = True
    """Whether a message reports that speech has started."""
    silence: float = 3.0
    """Silence is acknowledged in stretches of this length."""
    utterance_end: float | None = None
    """Silence after a word, after which a separate message reports the end of the utterance; ``None``: none does."""
    pace: float | None = None
    """The fastest that it takes audio, as a multiple of real time; faster audio waits. ``None`` for no limit."""
    freedoms: tuple[str, ...] | None = None
    """Untidy messages, such as those in `FREEDOMS`, that it sends now and then besides the usual ones. Each message
    then comes late, by a time of its own. ``None``: the recognizer is tidy."""
    often: float = 0.3
    """With `freedoms`: the probability that it sends such a message where it may."""
    late: float = 1.0
    """With `freedoms`: the longest delay of a message, after the time at which it could have been sent."""
    early_ends: int = 0
    """With `freedoms`: how many connections, from the first on, are closed politely at random times, results unsent."""
    ordered: bool = False
    """With `freedoms`: whether finals come in the order of the speech."""
    seed: int = 0
    """With `freedoms`: equal seeds draw equal random numbers."""

    def profile(self) -> SttProfile:
        """The provider profile that describes a service of this manner."""
        trusted = self.spans == "utterance"
        profile = SttProfile(
            acknowledges="span" if trusted else "finalize",
            exact_times=trusted and self.drift is None,
            word_times=self.word_times and trusted,
            finalizes_itself=self.endpointing is not None,
            encodings=ENCODINGS,
        )
        if "ordered" not in profile.__struct_fields__:
            return profile
        return replace(profile, ordered=self.freedoms is None or self.ordered)


FREEDOMS = (
    "crossed final",
    "partial final",
    "joined final",
    "doubled final",
    "restated final",
    "late interim",
    "late onset",
    "retraction",
    "onset of nothing",
    "ghost",
    "empty final",
    "blank final",
)
"""The names of the untidy messages that a correct service may send."""


def random_manner(random: Random, *, late: float = 3.0) -> Manner:
    """A correct but untidy recognizer with random settings. A session must lose and double no word with any of them.

    `late`: the longest delay of a message that may be drawn, in seconds. Keep it below half of the time within which a
    service is expected to answer.
    """
    freedoms = tuple(row for row in FREEDOMS if random.random() < 0.5)
    return Manner(
        endpointing=random.choice((0.2, 0.3, 0.5)),
        onsets=random.random() < 0.7,
        interim=random.choice((None, 0.2, 0.2)),
        finalized=random.choice(("after", "after", "never")),
        freedoms=freedoms,
        often=random.uniform(0.1, 0.6),
        late=random.choice((0.0, 0.3, late)),
        early_ends=random.choice((0, 0, 1, 3)),
        ordered=random.random() < 0.5,
        seed=random.getrandbits(32),
    )


class Clock(Struct, frozen=True):
    """Maps true seconds to the times that one connection reports."""

    offset: float = 0.0
    swing: float = 0.0

    def __call__(self, seconds: float) -> float:
        return max(0.0, seconds + self.offset + self.swing * math.sin(seconds / 5)) if self.offset else seconds


def clock_of(drift: Drift | None, number: int) -> Clock:
    """Returns the clock of connection `number`; without a drift, it is exact."""
    if drift is None:
        return Clock()
    random = Random(f"{drift.seed}:{number}")  # noqa: S311
    share = random.uniform(0.2, 0.8) * random.choice((-1, 1))
    return Clock(share * drift.bound, (1 - abs(share)) * drift.bound)
