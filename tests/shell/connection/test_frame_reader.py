"""Each message is taken out once and in order, wherever the bytes are cut; trio-websocket gets everything else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_speech._shell.connection.frame_reader import FrameReader
from trio_speech._shell.connection.framing import client_frame, server_frame

PING, PONG, CLOSE = b"\x89\x02hi", b"\x8a\x00", b"\x88\x02\x03\xe8"
LONGEST = 70_000
MESSAGES = st.text(max_size=300) | st.binary(max_size=300)


def left_of(reader: FrameReader, data: bytes, cuts: list[int]) -> bytes:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return b"".join(bytes(reader.extract(data[a:b])) for a, b in pairwise(edges))


@settings(max_examples=150)
@given(st.lists(MESSAGES | st.sampled_from([PING, PONG]).map(lambda frame: (frame,))), st.lists(st.integers(0)))
def test_messages_are_taken_out_and_control_frames_are_left(
    sent: list[str | bytes | tuple[bytes]], cuts: list[int]
) -> None:
    reader = FrameReader(LONGEST)
    wire = b"".join(each[0] if isinstance(each, tuple) else server_frame(each) for each in sent)
    assert left_of(reader, wire, cuts) == b"".join(each[0] for each in sent if isinstance(each, tuple))
    assert list(reader.messages) == [each for each in sent if not isinstance(each, tuple)]
    assert not reader.is_done


@pytest.mark.parametrize(
    "odd",
    [
        CLOSE,
        b"\x01\x02hi",  # the first fragment of a message
        b"\x80\x02hi",  # the last fragment of no message
        b"\xc1\x02hi",  # an extension that nobody agreed upon
        b"\x81\x01\xff",  # text that is not UTF-8
        b"\x83\x00",  # a kind of frame that does not exist
        client_frame("masked"),
    ],
)
@given(st.lists(MESSAGES, max_size=3), st.lists(st.integers(0)))
@settings(max_examples=20)
def test_from_an_unusual_frame_on_everything_is_left(odd: bytes, sent: list[str | bytes], cuts: list[int]) -> None:
    reader = FrameReader(LONGEST)
    frames = b"".join(map(server_frame, sent))
    assert left_of(reader, frames + odd + frames, cuts) == odd + frames
    assert list(reader.messages) == sent
    assert reader.is_done


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536])
def test_a_frame_is_read_once_it_is_complete(size: int) -> None:
    reader = FrameReader(LONGEST)
    frame = server_frame(bytes(size))
    assert not reader.extract(frame[:-1])
    assert not reader.messages
    assert not reader.extract(frame[-1:])
    assert list(reader.messages) == [bytes(size)]


@pytest.mark.parametrize("kind", [0x81, 0x89, 0x88])
def test_of_a_frame_longer_than_allowed_nothing_is_held(kind: int) -> None:
    reader = FrameReader(LONGEST)
    header = bytes((kind, 127)) + (1 << 40).to_bytes(8, "big")
    assert left_of(reader, server_frame("before") + header + bytes(9), [len(header)]) == header + bytes(9)
    assert list(reader.messages) == ["before"]
    assert reader.extract(bytes(1_000)) == bytes(1_000), "all that follows is left"


def test_a_control_frame_may_be_no_longer_than_125_bytes() -> None:
    reader = FrameReader(LONGEST)
    longest = b"\x89\x7d" + bytes(125)
    assert reader.extract(longest) == longest
    assert not reader.is_done
    reader.extract(b"\x89\x7e\x00\x7e")
    assert reader.is_done
