"""When a finalize counts as answered."""

from __future__ import annotations

from trio_speech._core.profile import SttProfile
from trio_speech._core.settlement import Outcome, Settlement

PROFILE = SttProfile(quiet_after_final=3.0, quiet_after_finalized=0.5, quiet_unanswered=30.0)


def test_a_recogniser_that_lags_behind_is_not_cut_off_while_its_guesses_come() -> None:
    settlement = Settlement(PROFILE)
    settlement.asked(1_000, now=0.0)
    settlement.final(now=1.0)
    for now in (2.0, 4.0, 6.0):
        settlement.interim(now)
        assert settlement.deadline() == now + 3.0
        assert settlement.outcome(now + 2.5, lambda _: False) is None
    settlement.final(now=8.0)
    assert settlement.deadline() == 11.0
    settlement.finalized(now=8.5)
    assert settlement.outcome(9.0, lambda _: False) == Outcome(1_000, answered=True)
