from __future__ import annotations

from trio_speech._core.synthesis.usage import Usage


def test_a_repeated_request_counts_its_characters_again() -> None:
    bill = Usage()
    bill.count_request(0, 5)
    bill.count_request(1, 7)
    bill.count_request(1, 7)
    bill.count_request(0, 5)
    assert (bill.requests, bill.characters, bill.characters_repeated) == (4, 24, 12)
