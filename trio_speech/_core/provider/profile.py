"""What a provider is like, as data. The session machines read the profile and never ask for a provider's name.

Every duration is in seconds. The defaults describe a service whose times are exact and whose limits are careful.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from .fields import check_fields

Acknowledgment = Literal["span", "watermark", "finalize"]
"""What acknowledges audio: ``"span"``: the end of a final. ``"watermark"``: `Acknowledged` alone. ``"finalize"``: an
answered finalize request alone, for services whose times cannot be trusted."""

Fate = Literal["retry", "fatal"]
"""What a code means for the session: another connection may succeed, or none will."""

CLOSE_FATES: Mapping[int, Fate] = dict.fromkeys((1002, 1003, 1007, 1008, 1009, 1010), "fatal")
"""The websocket close codes with which a server says that the client's own data is at fault (RFC 6455, section 7.4.1).
Sending the same again cannot succeed."""


class SttProfile(Struct, frozen=True, kw_only=True):
    """How a recognizer acknowledges audio, how fast it takes it, and how its connections idle and end.

    Durations are in seconds.

    Fields:
        acknowledges: What acknowledges audio.
        exact_times: Times of words and spans are exact on the connection's sample clock. Else words that come twice
            after a reconnection are found by their text too.
        word_times: Finals carry words with times. Else no lead-in is sent, and a final is cut only as a whole.
        finalizes_itself: The service ends utterances by itself. Else the session must ask for each final.
        shows_interims: The service shows text before it is final.
        endpoint_after: Where the service does not end utterances by itself: the session asks for a final when an
            interim has not changed for this time. Where there are no interims, it asks in the first pause that comes
            this long after speech began.
        max_lead_in: The longest lead-in (see `ReplayPolicy.lead_in`) that helps with this service.
        replay_speed: The highest speed at which the service takes audio, as a multiple of real time; ``None``: no limit
            is known.
        burst: How much of a backlog the service takes at once, before `replay_speed` applies; infinite where it takes
            any backlog as it comes.
        chunk: The length of one audio message, where `ReplayPolicy.frame_length` names none.
        longest_frame: The longest audio message that the service takes. What is due at once, as where audio comes in
            longer pieces than `chunk`, goes out in messages of up to this length. ``None``: `chunk`.
        sample_rates: The only sample rates that the service takes; ``None``: any.
        encodings: The encodings that the service takes, as `AudioFormat` names them.
        max_channels: The most channels that the service takes.
        keepalive: After this time without audio, a keepalive is sent; ``None``: the service needs none.
        filler: For a service that needs audio all the time. When no audio has been captured for this time, silence of
            this length is sent again and again until all audio sent is acknowledged; from then on, it is sent as the
            keepalive. ``None``: the service does not need it. Such silence counts on the clock of the connection, and
            not on the stream's.
        least_finalized: How much audio a request for a final needs since the one before. If less was sent, silence is
            added.
        waits_for_opened: Audio is sent only once the service has said `Opened`. A connection is given up if that does
            not come within `answer_within`.
        session_cap: The age at which the service ends every connection; the session moves to a new one before.
            ``None``: there is no such age.
        finalizes: The service takes a request for the final of what is pending, in the middle of the session.
        answers_finalize: A finalize is answered by a message of its own. Else by a final that reaches the place in the
            audio where it was asked for.
        may_ignore_finalize: A finalize may stay unanswered where the service has nothing pending: then silence is its
            answer.
        ordered: Finals come in stream order, so that each acknowledges all unannounced sound before it.
        overlapping: Speakers may overlap (diarization, several channels): a final says nothing about what others said
            in its span.
        live_keyterms: Keyterms can be changed on a running connection. Else they come with a new one, or not at all.
        drift: How far the times of a word may be off, and differ between two results.
        ends_by: How the service is told that the input has ended: by the close message alone, which it always answers
            with what it still has; or by a finalize, and by the close message once that is answered.
        ends_with_guess: After the close message, the service makes no final of what it has shown: its last interim is
            the final.
        answer_within: The longest time from the last news of the service to a final, or an answer, that is due.
        slowest: The lowest speed at which the service recognizes audio, as a multiple of real time.
        idle_codes: Error codes and close codes which only say that nothing was sent for a long time. They are not a
            failure once the input has ended.
        close_fates: What websocket close codes mean; a code that is not here may pass, and is retried.
        close_reason_fates: What close reasons mean: the first text here that the reason contains, whatever the case of
            its letters, wins over the code. For services that use one code for several things.
        failure_fates: What the codes of `Failure` mean, where they mean something else than HTTP's. The error that the
            user gets goes by the code too: 402 and 429 are a `QuotaError`, 401 and 403 an `AuthenticationError`.
    """

    acknowledges: Acknowledgment = "span"
    exact_times: bool = True
    word_times: bool = True
    finalizes_itself: bool = True
    shows_interims: bool = True
    endpoint_after: float = 1.0
    max_lead_in: float = 30.0
    replay_speed: float | None = 1.25
    burst: float = 0.5
    chunk: float = 0.05
    longest_frame: float | None = None
    sample_rates: tuple[int, ...] | None = None
    encodings: tuple[str, ...] = ("pcm_s16le",)
    max_channels: int = 1
    keepalive: float | None = None
    filler: float | None = None
    least_finalized: float = 0.0
    waits_for_opened: bool = False
    session_cap: float | None = None
    finalizes: bool = True
    answers_finalize: bool = True
    may_ignore_finalize: bool = False
    ordered: bool = False
    overlapping: bool = False
    live_keyterms: bool = False
    drift: float = 0.0
    ends_by: Literal["close", "finalize"] = "finalize"
    ends_with_guess: bool = False
    answer_within: float = 10.0
    slowest: float = 0.5
    idle_codes: tuple[int | str, ...] = ()
    close_fates: Mapping[int, Fate] = field(default_factory=lambda: CLOSE_FATES)
    close_reason_fates: Mapping[str, Fate] = field(default_factory=dict)
    failure_fates: Mapping[int | str, Fate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def places_words(self) -> bool:
        """Whether a word can be found again in the audio: words have times, on a clock that can be trusted so far."""
        return self.word_times and self.trusts_spans

    @property
    def trusts_spans(self) -> bool:
        """Whether the span of a final says where in the audio its words are."""
        return self.acknowledges != "finalize"


class TtsProfile(Struct, frozen=True, kw_only=True):
    """How a voice takes text and gives audio. Durations are in seconds.

    Fields:
        max_characters: The longest text of one request; a longer sentence is cut at a space. ``None``: no limit is
            known.
        aligned: Words come with their times in the audio.
        spaced_words: Aligned words contain the blanks between them. Else they are bare.
        deterministic: The same text gives exactly the same samples again.
        sample_rates: The only sample rates that the service gives; ``None``: any.
        encodings: The encodings that the service gives, as `AudioFormat` names them.
        receive_timeout: After this time without a message, while text waits to be spoken, the connection counts as
            dead. A voice that was speaking and stops is left sooner, where the player runs dry.
        quiet_after_done: Some services end one generation with several `Done`. The last one is recognized by this time
            without another message. Until then, words that come after `Done` are taken too.
        generations: How many generations one connection carries side by side.
        generations_per_minute: How many generations the service takes on one connection within a minute; then the
            connection is replaced. ``None``: no limit is known.
        keepalive: Time between two keepalives; ``None``: the service needs none.
        session_cap: The age at which the service ends every connection; an idle one is replaced before. ``None``: there
            is no such age.
        close_fates: What websocket close codes mean; a code that is not here may pass, and is retried.
        close_reason_fates: What close reasons mean: the first text here that the reason contains, whatever the case of
            its letters, wins over the code. For services that use one code for several things.
        failure_fates: What the codes of `Failure` mean, where they mean something else than HTTP's. The error that the
            user gets goes by the code too: 402 and 429 are a `QuotaError`, 401 and 403 an `AuthenticationError`.
    """

    max_characters: int | None = None
    aligned: bool = False
    spaced_words: bool = False
    deterministic: bool = False
    sample_rates: tuple[int, ...] | None = None
    encodings: tuple[str, ...] = ("pcm_s16le",)
    receive_timeout: float = 10.0
    quiet_after_done: float = 0.0
    generations: int = 1
    generations_per_minute: int | None = None
    keepalive: float | None = None
    session_cap: float | None = None
    close_fates: Mapping[int, Fate] = field(default_factory=lambda: CLOSE_FATES)
    close_reason_fates: Mapping[str, Fate] = field(default_factory=dict)
    failure_fates: Mapping[int | str, Fate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fields(self)
