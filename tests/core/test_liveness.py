"""A link that says nothing of speech is dead; one that says nothing of silence is not."""

from __future__ import annotations

import pytest

from trio_speech._core.liveness import Progress, is_loud


def pcm(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "little", signed=True) for value in values)


@pytest.mark.parametrize(
    ("audio", "encoding", "loud"),
    [
        (b"", "pcm_s16le", False),
        (pcm(0, 999, -999, 1_000), "pcm_s16le", False),
        (pcm(0, 1_001), "pcm_s16le", True),
        (pcm(0, -1_001), "pcm_s16le", True),
        (pcm(-32_768), "pcm_s16le", True),
        (b"\xff", "mulaw", True),
        (b"", "alaw", False),
    ],
)
def test_what_may_be_speech(audio: bytes, encoding: str, loud: bool) -> None:
    assert is_loud(audio, encoding) is loud


def test_speech_without_a_result_is_overdue_at_the_timeout_and_not_before() -> None:
    progress = Progress(10.0, 5.0)
    assert progress.deadline() == 15.0
    assert not progress.overdue(14.9, lambda: False)
    assert progress.overdue(15.0, lambda: False)


def test_a_result_puts_it_off() -> None:
    progress = Progress(10.0, 5.0)
    progress.made(14.0)
    assert not progress.overdue(23.9, lambda: False)
    assert progress.overdue(24.0, lambda: False)


def test_silence_is_no_illness() -> None:
    progress = Progress(10.0, 0.0)
    assert not progress.overdue(10.0, lambda: True)
    assert progress.deadline() == 20.0, "it is looked at again, a whole timeout later"


def test_without_a_timeout_nothing_is_overdue() -> None:
    progress = Progress(None, 0.0)
    assert progress.deadline() is None
    assert not progress.overdue(1e9, lambda: False)
