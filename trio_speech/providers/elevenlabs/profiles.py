"""How ElevenLabs' recognizer and voices behave: what they allow, and which of their errors are final."""

from __future__ import annotations

from msgspec.structs import replace

from ..._core.provider.profile import SttProfile, TtsProfile

SCRIBE = SttProfile(
    acknowledges="finalize",
    exact_times=False,
    finalizes_itself=False,
    longest_frame=0.25,
    sample_rates=(8_000, 16_000, 22_050, 24_000, 44_100, 48_000),
    keepalive=10.0,
    least_finalized=0.31,
    idle_codes=("insufficient_audio_activity",),
    failure_fates={
        **dict.fromkeys(("unaccepted_terms", "unaccepted_terms_error", "invalid_request", "input_error"), "fatal"),
        "chunk_size_exceeded": "fatal",
    },
)
"""The service ends a connection after 15 s without a message. Audio that comes too fast overflows its queue. A commit
needs 0.3 s of audio; the profile asks for a little more, as it may be measured in whole milliseconds."""

SCRIBE_COMPANDED = replace(SCRIBE, encodings=("mulaw",), sample_rates=(8_000,))
"""μ-law comes at 8,000 Hz only, and there is no A-law."""

VOICE = TtsProfile(
    max_characters=1_000,
    spaced_words=True,
    sample_rates=(8_000, 16_000, 22_050, 24_000, 44_100),
    generations=4,
    keepalive=10.0,
    close_reason_fates={
        "new text input": "retry",
        "input_timeout_exceeded": "retry",
        "max_active_conversations": "retry",
    },
)
"""One connection holds 5 contexts; 4 leave room for one that is about to end. After 20 s without text the service
closes with code 1008. The same code means too many contexts, or a wrong key; the close reason says which."""

COMPANDED = replace(VOICE, encodings=("mulaw", "alaw"), sample_rates=(8_000,))
"""G.711 comes at 8,000 Hz only."""
