"""Frame headers are judged as soon as they come, wherever the bytes are cut."""

from __future__ import annotations

import struct
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trio_speech._shell.connection.frame_limits import MAX_FRAGMENTS, FrameLimits

LONGEST = 1_000


def frame(length: int, *, opcode: int = 1, fin: bool = True, masked: bool = False) -> bytes:
    first, mask = (fin << 7) | opcode, masked << 7
    if length < 126:
        header = bytes((first, mask | length))
    elif length < 65_536:
        header = struct.pack("!BBH", first, mask | 126, length)
    else:
        header = struct.pack("!BBQ", first, mask | 127, length)
    return header + bytes(4 * masked)


def whole(length: int, **header: int) -> bytes:
    return frame(length, **header) + b"\x81\xff" * (length // 2) + b"\x00" * (length % 2)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def judged(data: bytes, cuts: list[int]) -> str | None:
    limits = FrameLimits(LONGEST)
    for piece in pieces_of(data, cuts):
        fault = limits.check(piece)
        if fault is not None:
            return fault
    return None


@given(st.lists(st.integers(0, 900), max_size=5), st.booleans(), st.lists(st.integers(0, 5_000), max_size=20))
def test_messages_within_the_limit_pass_wherever_the_bytes_are_cut(
    lengths: list[int], masked: bool, cuts: list[int]
) -> None:
    data = b"".join(whole(length, masked=masked) for length in lengths)
    assert judged(data, cuts) is None


@given(st.lists(st.integers(0, 900), max_size=5), st.integers(1_001, 2**63), st.lists(st.integers(0, 5_000)))
def test_a_message_too_long_is_refused_at_its_header(lengths: list[int], length: int, cuts: list[int]) -> None:
    data = b"".join(map(whole, lengths)) + frame(length)
    assert judged(data[:-1], cuts) is None
    assert judged(data, cuts) == "more than 1000 bytes in one message"


def test_fragments_of_a_message_count_together_and_control_frames_do_not_count() -> None:
    first = whole(600, fin=False) + whole(100, opcode=9)
    assert judged(first + whole(400, opcode=0) + whole(600), []) is None
    assert judged(first + frame(401, opcode=0), []) == "more than 1000 bytes in one message"


def test_a_message_in_too_many_fragments_is_refused() -> None:
    fragments = frame(0, fin=False) + frame(0, opcode=0, fin=False) * (MAX_FRAGMENTS - 1)
    assert judged(fragments, []) is None
    assert judged(fragments + frame(0, opcode=0), []) == f"more than {MAX_FRAGMENTS} fragments of one message"
