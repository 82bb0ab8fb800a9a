from __future__ import annotations

from trio_speech._core.preference import Preference


def test_each_has_its_turn_and_the_last_has_no_successor() -> None:
    preference = Preference(3)
    assert (preference.current, preference.better()) == (0, [])
    assert preference.fail_over(for_good=False)
    assert preference.fail_over(for_good=False)
    assert (preference.current, preference.better()) == (2, [0, 1])
    assert not preference.fail_over(for_good=False)
    assert preference.current == 2


def test_what_refused_for_good_is_never_returned_to() -> None:
    preference = Preference(3)
    preference.fail_over(for_good=True)
    preference.fail_over(for_good=False)
    assert preference.better() == [1]
    preference.current = 1
    assert preference.better() == []
    assert not Preference(1).fail_over(for_good=True)


def test_each_refusal_for_good_is_remembered() -> None:
    preference = Preference(4)
    for for_good in (True, False, True):
        preference.fail_over(for_good=for_good)
    assert (preference.current, preference.better()) == (3, [1])
