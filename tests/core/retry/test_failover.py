from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.retry.failover import Preference

NOW = 100.0


def test_backends_are_used_in_order_and_the_last_has_no_successor() -> None:
    preference = Preference(3)
    assert (preference.current, preference.better(NOW)) == (0, [])
    assert preference.fail_over(NOW, NOW)
    assert preference.fail_over(NOW, NOW)
    assert (preference.current, preference.better(NOW)) == (2, [0, 1])
    assert not preference.fail_over(NOW, NOW)
    assert preference.current == 2


def test_a_backend_that_refused_for_good_is_never_used_again() -> None:
    preference = Preference(3)
    preference.fail_over(NOW, math.inf)
    preference.fail_over(NOW, NOW)
    assert preference.better(1e9) == [1]
    preference.current = 1
    assert preference.better(1e9) == []
    assert not Preference(1).fail_over(NOW, math.inf)


def test_a_backend_is_not_used_before_the_moment_that_it_named() -> None:
    preference = Preference(2)
    preference.fail_over(NOW, NOW)
    assert (preference.better(NOW - 0.1), preference.better(NOW)) == ([], [0])
    preference.refused(0, NOW + 60.0)
    assert (preference.better(NOW + 59.9), preference.better(NOW + 60.0)) == ([], [0])
    preference.refused(0, math.inf)
    assert preference.better(1e9) == []


def test_failing_over_skips_backends_that_refused_for_good() -> None:
    preference = Preference(4)
    preference.fail_over(NOW, NOW)
    preference.fail_over(NOW, math.inf)
    preference.current = 0
    assert preference.fail_over(NOW, NOW)
    assert preference.current == 2
    preference.refused(3, math.inf)
    assert not preference.fail_over(NOW, NOW)


def test_failing_over_skips_backends_that_named_a_later_moment_unless_all_did() -> None:
    preference = Preference(3)
    preference.refused(1, NOW + 60.0)
    assert preference.fail_over(NOW, NOW)
    assert (preference.current, preference.wait(NOW)) == (2, 0.0)
    late = Preference(3)
    late.refused(1, NOW + 60.0)
    late.refused(2, NOW + 50.0)
    assert late.fail_over(NOW, NOW)
    assert (late.current, late.wait(NOW), late.wait(NOW + 51.0)) == (2, 50.0, 0.0)


@given(turns=st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, NOW, math.inf])), max_size=20))
def test_no_history_of_refusals_leads_to_a_backend_that_refused_for_good(turns: list[tuple[int, float]]) -> None:
    preference = Preference(4)
    hopeless: set[int] = set()
    for index, until in turns:
        if until == math.inf:
            hopeless.add(index)
        if index == preference.current:
            before = index
            if preference.fail_over(NOW, until):
                assert preference.current > before
                assert preference.current not in hopeless
        else:
            preference.refused(index, until)
        assert not hopeless & set(preference.better(NOW))
        assert all(better < preference.current for better in preference.better(NOW))
