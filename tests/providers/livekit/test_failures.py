from __future__ import annotations

import pytest

from trio_speech._core.dialogue import Failure
from trio_speech.providers.livekit import wire
from trio_speech.providers.livekit.failures import FAILURE_FATES, failure


def test_client_errors_are_fatal_but_for_the_three_that_pass() -> None:
    passing = {code for code in range(400, 500) if FAILURE_FATES[code] == "retry"}
    assert passing == {408, 429, 499}
    assert not {399, 500, 2007} & FAILURE_FATES.keys()


@pytest.mark.parametrize(
    ("error", "is_failure"),
    [
        (wire.Error("no", 401), Failure(message="no", code=401)),
        (wire.Error("no", "401"), Failure(message="no", code=401)),
        (wire.Error("no", "quota_exceeded"), Failure(message="no", code="quota_exceeded")),
        (wire.Error("no", "٤٠١"), Failure(message="no", code="٤٠١")),
        (wire.Error("no", "1" * 10_000), Failure(message="no", code="1" * 10_000)),
        (wire.Error(), Failure(message="no reason given")),
        (wire.Error("no", session_id="s"), Failure(message="no", request_id="s")),
        (wire.Error("no", session_id="s", request_id="r"), Failure(message="no", request_id="r")),
    ],
)
def test_errors_become_failures(error: wire.Error, is_failure: Failure) -> None:
    assert failure(error) == is_failure
