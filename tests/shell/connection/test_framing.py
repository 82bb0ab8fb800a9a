"""A websocket implementation that is not ours, wsproto, reads the frames that are made here."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, TextMessage

from trio_speech._shell.connection.framing import client_frame, server_frame


def read(frame: bytes, as_: ConnectionType = ConnectionType.SERVER) -> str | bytes:
    reader = Connection(as_)
    reader.receive_data(frame)
    parts = list(reader.events())
    assert all(isinstance(part, (TextMessage, BytesMessage)) for part in parts)
    assert parts[-1].message_finished
    return type(parts[0].data)().join(part.data for part in parts)


@given(st.text() | st.binary())
def test_a_server_reads_the_message(message: str | bytes) -> None:
    assert read(client_frame(message)) == message


@given(st.text() | st.binary())
def test_a_client_reads_the_message(message: str | bytes) -> None:
    assert read(server_frame(message), ConnectionType.CLIENT) == message


@given(st.binary(max_size=300))
def test_every_byte_is_masked_with_its_own_byte_of_the_key(message: bytes) -> None:
    frame = client_frame(message)
    begins = len(frame) - len(message)
    key, body = frame[begins - 4 : begins], frame[begins:]
    assert body == bytes(byte ^ key[index % 4] for index, byte in enumerate(message))


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_every_form_of_the_length_is_read(size: int) -> None:
    assert read(client_frame(bytes(size))) == bytes(size)
    assert read(server_frame(bytes(size)), ConnectionType.CLIENT) == bytes(size)


def test_no_two_frames_share_a_key() -> None:
    assert len({client_frame(b"the same")[2:6] for _ in range(1_000)}) > 990


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_a_forked_process_shares_no_keys() -> None:
    program = (
        "import os; from trio_speech._shell.connection.framing import client_frame; client_frame(b'');"
        "child = os.fork(); child and os.wait(); print(client_frame(b'')[2:6].hex(), flush=True)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert len(set(told.stdout.split())) == 2
