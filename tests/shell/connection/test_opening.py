"""What comes before the first frame, wherever the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._shell.connection.opening import MAX_OPENING, Opening

ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
REQUEST = b"GET /v1/stt HTTP/1.1\r\nHost: speech.test\r\n\r\n"
REFUSAL = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 20\r\n\r\n\n\nbody \r\n\r\n body"
NONSENSE = b"\x16\x03\x03 nonsense"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\n\n"
FRAMES = b"\x81\x02hi\r\n\r\n\x81\x00"
CUTS = st.lists(st.integers(0, 5_000), max_size=20)


def taken(data: bytes, cuts: list[int]) -> tuple[Opening, bytes, bytes]:
    """What became of the opening; what was passed on of it; what came after it."""
    opening, passed_on, frames = Opening(), b"", b""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        if opening.is_over:
            frames += data[start:end]
            continue
        more, after = opening.take(data[start:end])
        passed_on, frames = passed_on + more, frames + after
    return opening, passed_on, frames


@pytest.mark.parametrize("head", [ANSWER, REQUEST, ANSWER.replace(b"\r\n", b"\n")])
@pytest.mark.parametrize("before", [b"", HINTS, CONTINUE, HINTS + CONTINUE + HINTS])
@given(CUTS)
def test_interim_answers_are_dropped_and_the_head_is_passed_on(before: bytes, head: bytes, cuts: list[int]) -> None:
    opening, passed_on, frames = taken(before + head + FRAMES, cuts)
    assert (passed_on, frames) == (head, FRAMES)
    assert opening.is_over
    assert not opening.refused
    assert opening.received == b""


@pytest.mark.parametrize("before", [b"", HINTS])
@given(CUTS)
def test_a_refusal_is_passed_on_and_kept_with_its_body(before: bytes, cuts: list[int]) -> None:
    opening, passed_on, frames = taken(before + REFUSAL, cuts)
    assert (passed_on, frames) == (REFUSAL, b"")
    assert opening.refused
    assert not opening.is_over
    assert opening.received == REFUSAL


@pytest.mark.parametrize("nonsense", [NONSENSE, b"HTTP/1.1 7", b"HTTP/1.1 1x1 Nonsense", b"nonsense"])
def test_nonsense_is_passed_on_as_it_comes(nonsense: bytes) -> None:
    opening = Opening()
    assert opening.take(nonsense) == (nonsense, b"")
    assert opening.take(b"!") == (b"!", b"")


@pytest.mark.parametrize("begun", [b"HTTP/1.1 500 Broken\r\n\r\n", b"HTTP/1.1 101 Fine\r\nX: ", HINTS, HINTS[:-1]])
def test_an_opening_without_end_is_a_fault(begun: bytes) -> None:
    opening = Opening()
    opening.take(begun.ljust(MAX_OPENING, b"x"))
    assert opening.fault is None
    opening.take(b"x")
    assert opening.fault == f"more than {MAX_OPENING} bytes in answer to the handshake"


def test_interim_answers_without_end_are_a_fault() -> None:
    opening = Opening()
    while opening.fault is None:
        assert opening.take(HINTS) == (b"", b"")
    assert opening.received == b""
