from __future__ import annotations

from trio_speech._core.synthesis.usage import Usage


def test_what_is_asked_again_is_counted_twice() -> None:
    bill = Usage()
    bill.count_request(0, 5)
    bill.count_request(1, 7)
    bill.count_request(1, 7)
    bill.count_request(0, 5)
    assert (bill.requests, bill.characters, bill.characters_repeated) == (4, 24, 12)
