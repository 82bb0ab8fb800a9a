"""Decides whether to connect again after a connection has ended, and when at the earliest.

*Fate* is the decision: ``"retry"``, or ``"fatal"`` where no other connection can do better. An *in-band* error is
told by a message of the service's protocol.

cause                                   fate
─────────────────────────────────────   ──────────────────────────────
HTTP 408, 425, 429, 499, 5xx            retry, not before Retry-After
HTTP 429 of an exhausted quota          fatal
HTTP other                              fatal
websocket close reason                  as the profile says, where the reason contains a text named there; else the
                                        close code decides
websocket close code                    as the profile says, else retry
code of an in-band error                as the profile says; else fatal for 401 and 403; else as the service says,
                                        else as an HTTP status, else retry
bad certificate                         fatal
everything else                         retry
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from ..provider.messages import Failure
from ..provider.profile import Fate
from .causes import QUOTA_TYPE, Cause, Malformed, PeerClosed, Refused, Reported, Silent, Unreachable

_UNAUTHORIZED = frozenset({401, 403})
_TRANSIENT_4XX = frozenset({408, 425, 429, 499})


class Fates(Protocol):
    """The part of a profile that says what close codes, close reasons and codes of in-band errors mean."""

    @property
    def close_fates(self) -> Mapping[int, Fate]: ...
    @property
    def close_reason_fates(self) -> Mapping[str, Fate]: ...
    @property
    def failure_fates(self) -> Mapping[int | str, Fate]: ...


class Verdict(Struct, frozen=True):
    """Whether to retry (`fate`), and in how many seconds at the earliest (`not_before`; 0: when the budget allows).

    `silent_for`: how many seconds at the end of the connection do not count as time in which the service was healthy.
    Infinite after a malformed message, so that a service that only sends such messages never counts as stable.
    `unreached`: whether the dial did not reach the service at all, so that another dial costs it nothing.
    """

    fate: Fate
    not_before: float = 0.0
    silent_for: float = 0.0
    unreached: bool = False


def judge(cause: Cause, profile: Fates) -> Verdict:
    """Returns the verdict on `cause`, for a service with this profile."""
    match cause:
        case Refused(status=status, reason=reason, retry_after=after):
            permanent = not _is_transient(status) or QUOTA_TYPE in reason
            return Verdict("fatal" if permanent else "retry", after or 0.0)
        case PeerClosed(code=code, reason=reason):
            return Verdict(_by_reason(reason, profile) or profile.close_fates.get(code, "retry"))
        case Reported(failure=failure):
            return Verdict(_in_band(failure, profile), failure.retry_after or 0.0)
        case Unreachable(permanent=permanent):
            return Verdict("fatal" if permanent else "retry", unreached=not permanent)
        case Silent() | Malformed():
            return Verdict("retry", silent_for=cause.seconds if isinstance(cause, Silent) else math.inf)
        case _:
            return Verdict("retry")


def _by_reason(reason: str, profile: Fates) -> Fate | None:
    # Services use one code, often 1008, for a wrong key as well as for a session that was idle.
    said = reason.lower()
    return next((fate for text, fate in profile.close_reason_fates.items() if text.lower() in said), None)


def _is_transient(status: int) -> bool:
    return status >= 500 or status in _TRANSIENT_4XX


def _in_band(failure: Failure, profile: Fates) -> Fate:
    code = failure.code
    if code is not None and code in profile.failure_fates:
        return profile.failure_fates[code]
    if code in _UNAUTHORIZED:
        return "fatal"  # whatever the service says of errors in general: the same credential is refused again
    if failure.retryable is not None:
        return "retry" if failure.retryable else "fatal"
    if isinstance(code, int) and code >= 400 and not _is_transient(code):
        return "fatal"
    return "retry"
