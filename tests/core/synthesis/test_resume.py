from __future__ import annotations

import pytest

from trio_speech._core.provider.profile import TtsProfile
from trio_speech._core.synthesis.resume import Resume, ResumePolicy, resume_policy

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
        ("restart", BOTH, ResumePolicy("restart", "word", "text")),
        ("restart", BARE, ResumePolicy("restart", "received", "text")),
        ("restart", STEADY, ResumePolicy("restart", "received", "text")),
        ("never", ALIGNED, ResumePolicy("never", "word", "error")),
        ("never", BARE, ResumePolicy("never", "received", "error")),
    ],
)
def test_the_table(asked: Resume, profile: TtsProfile, policy: ResumePolicy) -> None:
    assert resume_policy(asked, profile) == policy
