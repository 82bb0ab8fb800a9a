"""What a provider is like, as data. A machine asks the profile, never for a name.

Every duration is in seconds. The defaults describe a careful provider of exact spans.

No service here has these yet, though sessions heed them: a ``"watermark"`` as the only acknowledgment, `session_cap`,
`Going`, `Hypothesis.id` and `Failure.retry_after`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

Acknowledgment = Literal["span", "watermark", "finalize"]
"""What acknowledges audio: the end of a final; an explicit watermark; or only an answered finalize request."""

Fate = Literal["retry", "fatal"]
"""What a close code means for the session: another link may do better, or none will."""

CLOSE_FATES: Mapping[int, Fate] = dict.fromkeys((1002, 1003, 1007, 1008, 1009, 1010), "fatal")
"""RFC 6455 section 7.4.1: the codes with which a server says that the client's own data is at fault."""


class SttProfile(Struct, frozen=True, kw_only=True):
    """How a recognizer acknowledges, paces, idles and ends."""

    acknowledges: Acknowledgment = "span"
    exact_times: bool = True
    """Word times and spans are exact on the link's sample clock; else overlaps are reconciled by text too."""
    word_times: bool = True
    """Finals carry words with times. Without them there is no lead-in, and the cut is at the watermark."""
    finalizes_itself: bool = True
    """The service ends utterances by itself; else the session must ask (`finalize`) to get any final at all."""
    endpoint_after: float = 1.0
    """Where the service does not end utterances by itself: an interim unchanged for so long is asked to be final."""
    max_lead_in: float = 30.0
    replay_speed: float | None = 1.25
    """The fastest catch-up that the service takes, as a multiple of real time; ``None``: no limit."""
    chunk: float = 0.05
    """Length of one audio frame on the wire."""
    sample_rates: tuple[int, ...] | None = None
    """The only sample rates that the service takes; ``None``: any."""
    encodings: tuple[str, ...] = ("pcm_s16le",)
    max_channels: int = 1
    keepalive: float | None = None
    """After so long without sending audio, a keepalive frame is due."""
    session_cap: float | None = None
    """The service ends every connection after so long; the session moves to a new one before."""
    quiet_after_final: float = 3.0
    """Once finalize was asked for: silence after a final that counts as its answer."""
    quiet_after_finalized: float = 0.5
    """Silence after the service's own answer to finalize, with no interim left open, that completes it."""
    quiet_unanswered: float = 30.0
    """Silence with neither a final nor an answer after which finalize counts as unanswerable."""
    idle_codes: tuple[int | str, ...] = ()
    """In-band codes and close codes that only say that nothing was sent for long: no failure once input has ended."""
    close_fates: Mapping[int, Fate] = field(default_factory=lambda: CLOSE_FATES)
    failure_fates: Mapping[int | str, Fate] = field(default_factory=dict)

    @property
    def places_words(self) -> bool:
        """Whether words can be found again in the audio: they have times, on a clock that can be trusted so far."""
        return self.word_times and self.acknowledges != "finalize"


class TtsProfile(Struct, frozen=True, kw_only=True):
    """How a voice takes text and gives audio."""

    max_characters: int | None = None
    """Longest text of one request; a longer sentence is cut at a space."""
    aligned: bool = False
    """Words come with their times in the audio."""
    spaced_words: bool = False
    """Aligned words bring their own spacing; else they are bare."""
    deterministic: bool = False
    """The same text gives the same samples again."""
    sample_rates: tuple[int, ...] | None = None
    encodings: tuple[str, ...] = ("pcm_s16le",)
    receive_timeout: float = 10.0
    """Silence from the service while text is outstanding after which the connection counts as dead."""
    quiet_after_done: float = 0.0
    """Some services end one generation with several `Done`: the last is known by this much silence after it."""
    generations: int = 1
    """How many generations one connection carries side by side."""
    close_fates: Mapping[int, Fate] = field(default_factory=lambda: CLOSE_FATES)
    failure_fates: Mapping[int | str, Fate] = field(default_factory=dict)
