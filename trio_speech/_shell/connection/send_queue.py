"""Asks the kernel how many outgoing bytes of a TCP connection are not acknowledged yet. Works on Linux only.

Sources: tcp(7) for SIOCOUTQ, which counts all bytes that are not acknowledged, sent or not; linux/tcp.h for `struct
tcp_info`, whose field `tcpi_bytes_acked` came with Linux 4.1.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import TYPE_CHECKING

from ..._core.liveness.health import SendQueue

if TYPE_CHECKING:
    import trio

_RETRANSMITS = 2  # offset of `tcpi_retransmits`, of 8 bits; any acknowledgment sets it to 0
_BYTES_ACKED = 120  # offset of `tcpi_bytes_acked`, of 64 bits
_INFO_SIZE = 128
_INT = struct.Struct("i")
_LONG = struct.Struct("Q")

if sys.platform == "linux":
    import fcntl
    import termios

    def send_queue_of(sock: trio.socket.SocketType) -> SendQueue | None:
        """Returns the send queue of a TCP socket; ``None`` if it is closed or the kernel is too old."""
        try:
            waiting = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * _INT.size)  # the same number as SIOCOUTQ
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_SIZE)
        except (OSError, ValueError):
            return None
        if len(info) < _INFO_SIZE:
            return None
        return SendQueue(_INT.unpack(waiting)[0], _LONG.unpack_from(info, _BYTES_ACKED)[0], info[_RETRANSMITS])

else:

    def send_queue_of(sock: trio.socket.SocketType) -> SendQueue | None:
        """Returns ``None``: this system does not tell enough."""
        return None
