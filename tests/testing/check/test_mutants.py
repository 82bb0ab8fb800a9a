"""The check passes each subject as it is, and finds each mutant, under the law that it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from trio_speech.testing.check.laws import LawBroken

from .mutants import SUBJECTS, Mutant, check, check_mutant, mutants

MUTANTS = mutants()


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_passes_as_it_is(subject: str) -> None:
    check(SUBJECTS[subject], runs=1)


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_mutant_breaks_its_law(mutant: Mutant, tmp_path: Path) -> None:
    with pytest.raises(LawBroken) as caught:
        check_mutant(mutant, tmp_path)
    assert caught.value.law is not None
    assert caught.value.law.name == mutant.law, str(caught.value)
