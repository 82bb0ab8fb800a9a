"""What the heads of a connection announce, however its bytes are cut."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._shell.connection.frame_limits import LONGEST_OPENING, MOST_PIECES, FrameLimits

ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
REQUEST = b"GET /v1/stt HTTP/1.1\r\nHost: speech.test\r\n\r\n"
LONGEST = 1_000


def frame(length: int, *, opcode: int = 1, fin: bool = True, masked: bool = False) -> bytes:
    first, mask = (fin << 7) | opcode, masked << 7
    if length < 126:
        head = bytes((first, mask | length))
    elif length < 65_536:
        head = struct.pack("!BBH", first, mask | 126, length)
    else:
        head = struct.pack("!BBQ", first, mask | 127, length)
    return head + bytes(4 * masked)


def whole(length: int, **head: int) -> bytes:
    return frame(length, **head) + b"\x81\xff" * (length // 2) + b"\x00" * (length % 2)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def judged(opening: bytes, data: bytes, cuts: list[int]) -> str | None:
    heads = FrameLimits(LONGEST)
    for piece in pieces_of(opening + data, cuts):
        complaint = heads.pass_over(piece)
        if complaint is not None:
            return complaint
    return None


@given(st.lists(st.integers(0, 900), max_size=5), st.booleans(), st.lists(st.integers(0, 5_000), max_size=20))
def test_what_is_within_bounds_passes_however_it_is_cut(lengths: list[int], masked: bool, cuts: list[int]) -> None:
    data = b"".join(whole(length, masked=masked) for length in lengths)
    assert judged(REQUEST if masked else ANSWER, data, cuts) is None


@given(st.lists(st.integers(0, 900), max_size=5), st.integers(1_001, 2**63), st.lists(st.integers(0, 5_000)))
def test_a_message_too_long_is_refused_with_its_head(lengths: list[int], length: int, cuts: list[int]) -> None:
    data = b"".join(map(whole, lengths)) + frame(length)
    assert judged(ANSWER, data[:-1], cuts) is None
    assert judged(ANSWER, data, cuts) == "more than 1000 bytes in one message"


def test_the_pieces_of_a_message_count_together_and_control_frames_do_not() -> None:
    first = whole(600, fin=False) + whole(100, opcode=9)
    assert judged(ANSWER, first + whole(400, opcode=0) + whole(600), []) is None
    assert judged(ANSWER, first + frame(401, opcode=0), []) == "more than 1000 bytes in one message"


def test_a_message_in_too_many_pieces() -> None:
    pieces = frame(0, fin=False) + frame(0, opcode=0, fin=False) * (MOST_PIECES - 1)
    assert judged(ANSWER, pieces, []) is None
    assert judged(ANSWER, pieces + frame(0, opcode=0), []) == f"more than {MOST_PIECES} pieces of one message"


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_lines_may_end_as_http_parsers_allow(line_end: bytes) -> None:
    heads = FrameLimits(LONGEST)
    assert heads.pass_over(ANSWER.replace(b"\r\n", line_end) + whole(10)) is None
    assert heads.opening == b""
    assert heads.pass_over(frame(2_000)) is not None


@given(st.lists(st.integers(0, 5_000), max_size=20))
def test_a_refusal_is_kept_with_what_explains_it(cuts: list[int]) -> None:
    heads = FrameLimits(LONGEST)
    refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 20\r\n\r\n\n\n" + frame(2_000)
    for piece in pieces_of(refusal, cuts):
        assert heads.pass_over(piece) is None
    assert heads.refused
    assert heads.opening == refusal


@pytest.mark.parametrize("opening", [b"HTTP/1.1 500 Broken\r\n\r\n", b"HTTP/1.1 101 Fine\r\nX: "])
def test_an_opening_without_end(opening: bytes) -> None:
    heads = FrameLimits(LONGEST)
    assert heads.pass_over(opening.ljust(LONGEST_OPENING, b"x")) is None
    assert heads.pass_over(b"x") == f"more than {LONGEST_OPENING} bytes in answer to the handshake"
