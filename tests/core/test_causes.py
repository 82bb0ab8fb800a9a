"""Each cause says itself in one line, and is one public error that names where it happened and what to do."""

from __future__ import annotations

import pytest

import trio_speech as ts
from trio_speech._core.causes import (
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
from trio_speech._core.dialogue import Failure

CASES: list[tuple[Cause, type[ts.SpeechError], str]] = [
    (Unreachable("no such host"), ts.ConnectFailed, "could not connect: no such host"),
    (Refused(401, "bad key"), ts.AuthenticationError, "handshake refused with HTTP 401: bad key; check the cred"),
    (Refused(403), ts.AuthenticationError, "handshake refused with HTTP 403; check the credentials"),
    (Refused(402), ts.QuotaError, "a larger quota"),
    (Refused(429, retry_after=7.0), ts.QuotaError, "fewer sessions at once"),
    (Refused(500, QUOTA_TYPE), ts.QuotaError, QUOTA_TYPE),
    (Refused(404), ts.ProviderError, "check the model's name"),
    (Refused(400), ts.ProviderError, "the options"),
    (Refused(503), ts.ProviderError, "HTTP 503"),
    (PeerClosed(1008, "policy"), ts.ProviderError, "closed by the service with code 1008: policy"),
    (PeerClosed(1000), ts.ProviderError, "code 1000"),
    (Malformed("no JSON"), ts.ProtocolError, "malformed message from the service: no JSON"),
    (Reported(Failure(message="no", code=401)), ts.AuthenticationError, "error 401 from the service: no"),
    (Reported(Failure(message="busy", code=429)), ts.QuotaError, "error 429"),
    (Reported(Failure(message="odd")), ts.ProviderError, "error from the service: odd"),
    (Broken("reset"), ts.LinkError, "connection broken: reset"),
    (Silent("pong", 5.0), ts.LinkError, "no pong within 5 s"),
    (Ended(), ts.LinkError, "session closed by the service"),
    (Rollover(), ts.LinkError, "planned move"),
]


@pytest.mark.parametrize(("cause", "kind", "text"), CASES, ids=lambda value: type(value).__name__)
def test_the_error_that_a_cause_is(cause: Cause, kind: type[ts.SpeechError], text: str) -> None:
    error = error_of(cause, endpoint="wss://there", model="a/b", attempt=3)
    assert type(error) is kind
    assert text in str(error)
    assert "[endpoint wss://there, model a/b, attempt 3]" in str(error)
    assert "\n" not in str(error)


def test_what_is_not_known_is_not_named() -> None:
    assert str(error_of(Ended(), endpoint="wss://there")) == "session closed by the service [endpoint wss://there]"


def test_what_the_service_says_of_itself_is_kept() -> None:
    refused = error_of(Refused(429, retry_after=7.0, request_id="r1"), endpoint="e")
    assert isinstance(refused, ts.QuotaError)
    assert (refused.code, refused.retry_after, refused.request_id) == (429, 7.0, "r1")
    reported = error_of(Reported(Failure(message="m", code="E1", request_id="r2")), endpoint="e")
    assert isinstance(reported, ts.ProviderError)
    assert (reported.code, reported.request_id) == ("E1", "r2")
