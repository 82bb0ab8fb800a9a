from __future__ import annotations

from trio_speech._core.recognition.input_watch import InputWatch


def test_each_long_wait_is_told_once() -> None:
    watch = InputWatch(5.0)
    told = [(now, watch.long_wait(amount, now)) for amount, now in [(0, 34.0), (0, 35.0), (0, 70.0)]]
    told += [(now, watch.long_wait(1, now)) for now in (71.0, 100.0, 102.0, 200.0)]
    assert [each for each in told if each[1] is not None] == [(35.0, 30.0), (102.0, 31.0)]
