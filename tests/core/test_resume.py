from __future__ import annotations

import pytest

from trio_speech._core.profile import TtsProfile
from trio_speech._core.resume import Policy, Resume, resume_policy

BARE = TtsProfile()
ALIGNED = TtsProfile(aligned=True)
STEADY = TtsProfile(deterministic=True)
BOTH = TtsProfile(aligned=True, deterministic=True)

WHOLE = Policy("segment", "complete", "whole")


@pytest.mark.parametrize(
    ("asked", "profile", "policy"),
    [
        ("word", ALIGNED, Policy("word", "word", "words")),
        ("word", BOTH, Policy("word", "word", "words")),
        ("word", STEADY, Policy("word", "received", "samples")),
        ("word", BARE, WHOLE),
        ("segment", BARE, WHOLE),
        ("segment", BOTH, WHOLE),
        ("restart", BOTH, Policy("restart", "word", "text")),
        ("restart", BARE, Policy("restart", "received", "text")),
        ("restart", STEADY, Policy("restart", "received", "text")),
        ("never", ALIGNED, Policy("never", "word", "error")),
        ("never", BARE, Policy("never", "received", "error")),
    ],
)
def test_the_table(asked: Resume, profile: TtsProfile, policy: Policy) -> None:
    assert resume_policy(asked, profile) == policy
