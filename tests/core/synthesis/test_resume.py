from __future__ import annotations

import pytest

from trio_speech._core.provider.profile import TtsProfile
from trio_speech._core.synthesis.resume import Resume, ResumePolicy, resume_policy, starts_with_a_clause

BARE = TtsProfile()
ALIGNED = TtsProfile(aligned=True)
STEADY = TtsProfile(deterministic=True)
BOTH = TtsProfile(aligned=True, deterministic=True)

WHOLE = ResumePolicy("segment", "complete", "whole")


@pytest.mark.parametrize(
    ("asked", "profile", "policy"),
    [
        ("word", ALIGNED, ResumePolicy("word", "word", "words")),
        ("word", BOTH, ResumePolicy("word", "word", "words")),
        ("word", STEADY, ResumePolicy("word", "received", "samples")),
        ("word", BARE, WHOLE),
        ("segment", BARE, WHOLE),
        ("segment", BOTH, WHOLE),
        ("restart", BOTH, ResumePolicy("restart", "received", "text")),
        ("restart", BARE, ResumePolicy("restart", "received", "text")),
        ("restart", STEADY, ResumePolicy("restart", "received", "text")),
        ("eager", BOTH, ResumePolicy("eager", "received", "sentence")),
        ("eager", BARE, ResumePolicy("eager", "received", "sentence")),
        ("never", ALIGNED, ResumePolicy("never", "received", "error")),
        ("never", BARE, ResumePolicy("never", "received", "error")),
    ],
)
def test_the_table(asked: Resume, profile: TtsProfile, policy: ResumePolicy) -> None:
    assert resume_policy(asked, profile) == policy


@pytest.mark.parametrize(
    ("asked", "profile", "clause"),
    [("word", BARE, True), ("word", ALIGNED, False), ("word", STEADY, False), ("segment", BARE, False)],
)
def test_only_a_voice_that_cannot_resume_by_word_starts_with_a_clause(
    asked: Resume, profile: TtsProfile, clause: bool
) -> None:
    assert starts_with_a_clause(asked, profile) is clause
