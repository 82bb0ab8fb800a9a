from __future__ import annotations

import typing

from trio_speech._core.provider.requests import Change
from trio_speech._core.recognition.commands import (
    Command,
    EndLink,
    SendAudio,
    SendChange,
    SendClose,
    SendFinalize,
    SendKeepalive,
    Wait,
)
from trio_speech._core.retry.causes import Ended

STEPS = [
    SendAudio(b"\0\0"),
    SendFinalize(),
    SendClose(),
    SendChange(Change()),
    SendKeepalive(),
    Wait(1.0),
    EndLink(Ended()),
]


def test_the_shell_can_match_every_step() -> None:
    assert {type(step) for step in STEPS} == set(typing.get_args(Command))
    assert len(set(map(repr, STEPS))) == len(STEPS)


def test_a_wait_may_be_for_ever_and_to_leave_without_a_cause_is_to_be_done() -> None:
    assert Wait().until is None
    assert EndLink().cause is None
