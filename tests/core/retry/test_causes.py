"""Each cause is one line of text, and becomes one public error that says where it happened and what to do."""

from __future__ import annotations

from typing import Any

import pytest

import trio_speech as ts
from trio_speech._core.provider.messages import Failure
from trio_speech._core.retry.causes import (
    QUOTA_TYPE,
    Broken,
    Cause,
    Ended,
    Malformed,
    PeerClosed,
    Refused,
    Reported,
    Rollover,
    Silent,
    Unreachable,
    error_of,
)

CREDENTIALS = "; check the credentials and what they permit"
QUOTA = "; fewer sessions at once, or a larger quota, are needed"
REQUEST = "; check the model's name and the options"

CASES: list[tuple[Cause, type[ts.SpeechError], str]] = [
    (Unreachable("no such host"), ts.ConnectFailed, "could not connect: no such host"),
    (Refused(401, "bad key"), ts.AuthenticationError, f"handshake refused with HTTP 401: bad key{CREDENTIALS}"),
    (Refused(403), ts.AuthenticationError, f"handshake refused with HTTP 403{CREDENTIALS}"),
    (Refused(402), ts.QuotaError, f"handshake refused with HTTP 402{QUOTA}"),
    (Refused(429, retry_after=7.0), ts.QuotaError, f"handshake refused with HTTP 429{QUOTA}"),
    (Refused(500, QUOTA_TYPE), ts.QuotaError, f"handshake refused with HTTP 500: {QUOTA_TYPE}{QUOTA}"),
    (Refused(404), ts.ProviderError, f"handshake refused with HTTP 404{REQUEST}"),
    (Refused(400), ts.ProviderError, f"handshake refused with HTTP 400{REQUEST}"),
    (Refused(503), ts.ProviderError, "handshake refused with HTTP 503"),
    (
        Refused(308, location="wss://new.test/v1?key=secret"),
        ts.ProviderError,
        "handshake refused with HTTP 308; the service has moved to wss://new.test/v1: "
        "give its new address as the url of the backend",
    ),
    (
        Refused(302),
        ts.ProviderError,
        "handshake refused with HTTP 302; the service has moved: give its new address as the url of the backend",
    ),
    (Refused(503, location="/later"), ts.ProviderError, "handshake refused with HTTP 503"),
    (
        Refused(407, "by the proxy"),
        ts.ProviderError,
        "handshake refused with HTTP 407: by the proxy; "
        "give the proxy's credentials in its address: http://user:password@host:port",
    ),
    (PeerClosed(1008, "policy"), ts.ProviderError, "closed by the service with code 1008: policy"),
    (PeerClosed(1000), ts.ProviderError, "closed by the service with code 1000"),
    (Malformed("no JSON"), ts.ProtocolError, "malformed message from the service: no JSON"),
    (Reported(Failure(message="no", code=401)), ts.AuthenticationError, f"error 401 from the service: no{CREDENTIALS}"),
    (Reported(Failure(message="busy", code=429)), ts.QuotaError, f"error 429 from the service: busy{QUOTA}"),
    (Reported(Failure(message="no German", code=400)), ts.ProviderError, "error 400 from the service: no German"),
    (Reported(Failure(message="odd")), ts.ProviderError, "error from the service: odd"),
    (Broken("reset"), ts.LinkError, "connection broken: reset"),
    (Silent("pong", 5.0), ts.LinkError, "no pong within 5 s"),
    (Ended(), ts.LinkError, "session closed by the service"),
    (Rollover(), ts.LinkError, "planned move to a fresh connection"),
]


@pytest.mark.parametrize(("cause", "kind", "text"), CASES, ids=lambda value: type(value).__name__)
def test_a_cause_becomes_an_error(cause: Cause, kind: type[ts.SpeechError], text: str) -> None:
    error = error_of(cause, retryable=False, endpoint="wss://there", model="a/b", attempt=3)
    assert type(error) is kind
    assert str(error) == f"{text} [endpoint wss://there, model a/b, attempt 3]"
    assert "\n" not in str(error)


def test_unknown_details_are_not_mentioned() -> None:
    assert str(error_of(Ended(), retryable=True, endpoint="wss://there")) == (
        "session closed by the service [endpoint wss://there]"
    )


@pytest.mark.parametrize("code", [401, 429, 404, 503, "E1"])
def test_code_and_request_id_are_kept(code: Any) -> None:
    causes: list[Cause] = [Reported(Failure(message="m", code=code, request_id="r", retry_after=7.0))]
    causes += [Refused(code, retry_after=7.0, request_id="r")] if isinstance(code, int) else []
    for cause in causes:
        error = error_of(cause, retryable=False, endpoint="e")
        assert isinstance(error, ts.ProviderError)
        assert (error.code, error.request_id, error.retryable) == (code, "r", False)


@pytest.mark.parametrize(
    "cause", [Refused(429, retry_after=7.0), Reported(Failure(message="m", code=402, retry_after=7.0))]
)
def test_a_quota_error_has_retry_after(cause: Cause) -> None:
    error = error_of(cause, retryable=False, endpoint="e")
    assert isinstance(error, ts.QuotaError)
    assert error.retry_after == 7.0


def test_the_code_of_a_close_frame_is_kept() -> None:
    error = error_of(PeerClosed(1011, "busy"), retryable=True, endpoint="e")
    assert isinstance(error, ts.ProviderError)
    assert (error.code, error.request_id, error.retryable) == (1011, None, True)
