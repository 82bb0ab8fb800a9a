"""How Deepgram's services behave: what acknowledges audio, what they allow, and which of their errors are final."""

from __future__ import annotations

from msgspec.structs import replace

from ..._core.provider.profile import SttProfile, TtsProfile

_NO_STATUS = 1005  # RFC 6455, section 7.1.5: the close frame had no code

LISTEN = SttProfile(
    longest_frame=0.25,
    exact_times=False,
    replay_speed=None,
    encodings=("pcm_s16le", "mulaw", "alaw"),
    keepalive=4.0,
    ordered=True,
    drift=0.15,
    may_ignore_finalize=True,
    live_keyterms=True,
    ends_by="close",
    failure_fates={
        "CONFIGURE_KEYTERMS_NOT_SUPPORTED": "fatal",
        "CONFIGURE_KEYTERM_LIMIT_EXCEEDED": "fatal",
        "CONFIGURE_ALREADY_PENDING": "retry",
        "CONFIGURE_INTERNAL_ERROR": "retry",
    },
)
"""Deepgram closes a connection after 10 s without audio or a keepalive. Audio that comes faster
than 1.25 times real time is recognized later and not refused, so there is no need to send it more slowly.
With little audio pending it may not answer a finalize request. If a change of keyterms fails for no fault of the
keyterms, a new connection is opened, with the new keyterms in its URL."""

OLDER = replace(LISTEN, live_keyterms=False)
"""Models before nova-3 take keywords, which cannot be changed."""

FLUX = SttProfile(
    exact_times=False,
    encodings=("pcm_s16le", "mulaw", "alaw"),
    chunk=0.08,
    keepalive=8.0,
    filler=1.0,
    ordered=True,
    drift=0.15,
    finalizes=False,
    live_keyterms=True,
    ends_by="close",
    ends_with_guess=True,
    idle_codes=(_NO_STATUS,),
)
"""The service asks for audio in pieces of 80 ms. It sends a message for every quarter of a second of audio."""

SPEAK = TtsProfile(
    max_characters=2_000,
    sample_rates=(8_000, 16_000, 24_000, 32_000, 48_000),
    encodings=("pcm_s16le", "mulaw", "alaw"),
    generations_per_minute=18,
    session_cap=3_600.0,
    close_reason_fates={"DATA-0001": "retry"},
)
"""The service takes 2,400 characters at once, and 20 flushes within 60 s on a connection; it ignores further ones. Its
minute need not begin when ours does, hence 18. It closes with code 1008 for a malformed command, which is final, but
also for too many characters in a certain time (DATA-0001), after which a retry may succeed."""
