"""The profiles of OpenAI's realtime transcription, and of servers that imitate its protocol.

Not verified against a live service: that a session lasts an hour at OpenAI; how exact its times are; that each service
takes audio as fast as it comes. So a final acknowledges nothing before it that may be speech.
"""

from __future__ import annotations

from msgspec.structs import replace

from ..._core.provider.profile import SttProfile

_COMMITTED = SttProfile(
    exact_times=False,
    word_times=False,
    finalizes_itself=False,
    longest_frame=0.25,
    replay_speed=None,
    sample_rates=(24_000,),
    session_cap=3_600.0,
    failure_fates={"session_expired": "retry"},
    live_keyterms=True,
)
_DETECTED = replace(_COMMITTED, finalizes_itself=True, drift=0.3)

DIALECT_PROFILES: dict[str, SttProfile] = {
    "openai": _COMMITTED,
    "openai, turn_detection": _DETECTED,
    "speaches": replace(_COMMITTED, session_cap=1_800.0, live_keyterms=False, shows_interims=False, endpoint_after=3.0),
    "speaches, turn_detection": replace(_DETECTED, session_cap=1_800.0, live_keyterms=False, acknowledges="finalize"),
    "vllm": SttProfile(
        exact_times=False,
        word_times=False,
        finalizes=False,
        ends_by="close",
        sample_rates=(16_000,),
        session_cap=30.0,
    ),
}
"""Without `turn_detection`, the session's commits divide the audio, so that the spans of finals have no gaps between
them. With it, a span includes 0.3 s before the speech; with speaches its times restart with each item, so that only an
answered commit acknowledges audio. speaches sends no text before an item is complete: the session commits in a pause
after three seconds of speech, as shorter items are recognized less well. vLLM's session cap is our choice: without an
end of the session there is no final."""


def companded(profile: SttProfile) -> SttProfile:
    """Returns `profile` for G.711 audio, which must have 8,000 Hz."""
    return replace(profile, encodings=("mulaw", "alaw"), sample_rates=(8_000,))
