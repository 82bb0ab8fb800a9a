"""Each rule that was found wrong is found again when it is put back."""

from __future__ import annotations

import pytest

from .old_rules import OLD_RULES, OldRule
from .search import explore


@pytest.mark.parametrize("rule", OLD_RULES.values(), ids=OLD_RULES)
def test_it_is_found_when_it_is_put_back(rule: OldRule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule.owner, rule.name, rule.instead)
    report = explore(rule.case(), most=20_000, stop_at=rule.laws)
    assert set(report.violations) & set(rule.laws), report
