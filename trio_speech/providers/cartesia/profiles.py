"""How Cartesia's voices behave: what they allow, and what a connection carries."""

from __future__ import annotations

from ..._core.provider.profile import TtsProfile

VOICE = TtsProfile(
    max_characters=400,
    aligned=True,
    sample_rates=(8_000, 16_000, 22_050, 24_000, 44_100, 48_000),
    encodings=("pcm_s16le", "mulaw", "alaw"),
    generations=10,
)
"""By the documentation a connection carries dozens of contexts. Error codes are HTTP status codes with their meaning.
The longest text is not published; the LiveKit gateway cuts at 400 characters."""
