"""Decides what a session does when a connection failed: dial again, move to the next backend, or end with an error."""

from __future__ import annotations

from typing import Any

import trio

from ..._core.retry.causes import Cause, EndpointDown, error_of
from ..._core.retry.verdict import judge
from ...errors import RetriesExhausted, SpeechError
from ..observability import log
from .dialer import Provider
from .endpoint import lacks_credential
from .failover import Failover

_PAUSE = 2.0
"""Seconds before an earlier backend is dialed again because the last one failed too: none is to be dialed in a row."""


def delay_after(cause: Cause, backends: Failover[Any], model: str | None) -> float:
    """Returns the seconds until the next attempt, at the same backend or at the next one.

    Raises the `SpeechError` that ends the session if there is no next attempt.
    """
    failed = backends.provider
    verdict = judge(cause, failed.profile)
    fatal = verdict.fate == "fatal"
    # If nobody can use it now, the next backend is used, and no retry budget is spent on it.
    is_down = isinstance(cause, EndpointDown) or lacks_credential(cause) or backends.is_down
    leaves = fatal or (backends.has_alternative and is_down)
    delay = None if leaves else backends.budget.failed(trio.current_time(), verdict, within=backends.patience)
    if not leaves and _is_long(delay, backends) and backends.go_back(verdict):
        log.given_up(failed.endpoint, cause, backends.provider.endpoint)
        return _PAUSE
    if delay is not None:
        log.lost(failed.endpoint, cause, backends.budget.attempts, delay)
        return delay
    attempts = backends.budget.attempts
    error = error_after(cause, failed, model=model, attempt=attempts or None)
    if not backends.fail_over(verdict):
        raise error if fatal else _exhausted(error, cause, attempts)
    log.given_up(failed.endpoint, cause, backends.provider.endpoint)
    return backends.wait


def _is_long(delay: float | None, backends: Failover[Any]) -> bool:
    return not backends.has_alternative and (delay is None or delay > backends.fail_over_after)


def error_after(
    cause: Cause, provider: Provider, *, model: str | None = None, attempt: int | None = None
) -> SpeechError:
    """Returns the public error for `cause`, which ended a dial or a connection to this provider."""
    retryable = judge(cause, provider.profile).fate == "retry"
    return error_of(cause, retryable=retryable, endpoint=provider.endpoint, model=model, attempt=attempt)


def _exhausted(last: SpeechError, cause: Cause, attempts: int) -> RetriesExhausted:
    tried = f"after {attempts} attempt{'s' * (attempts > 1)} to reconnect" if attempts else "without another attempt"
    message = f"gave up {tried}; the last one: {cause}"
    error = RetriesExhausted(message, attempts=attempts, endpoint=last.endpoint, model=last.model)
    error.__cause__ = last
    return error
