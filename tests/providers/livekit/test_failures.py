from __future__ import annotations

import pytest

from trio_speech._core.provider.messages import Failure
from trio_speech._core.retry.causes import Reported
from trio_speech._core.retry.verdict import judge
from trio_speech.providers.livekit import wire
from trio_speech.providers.livekit.failures import failure
from trio_speech.providers.livekit.models import stt_profile

CODES = [*range(400, 501), 503, 2007]


def test_client_errors_are_fatal_but_for_those_that_pass() -> None:
    fates = {code: judge(Reported(failure(wire.Error("no", code))), stt_profile([None])).fate for code in CODES}
    assert [code for code, fate in fates.items() if fate == "retry"] == [408, 425, 429, 499, 500, 503, 2007]


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
