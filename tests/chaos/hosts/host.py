"""One of two hosts: a process in a network namespace of its own, whose only wire is a TUN device.

    python host.py ADDRESS ROLE FD ARGUMENTS

The other end of the wire goes to whoever started it, over the Unix socket `FD`, on which reports follow as JSON, a line
each. It ends when that socket does. Sources: unshare(2), user_namespaces(7), netdevice(7), and the kernel's
Documentation/networking/tuntap.rst.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import math
import os
import socket
import struct
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import trio

import trio_speech as ts
from trio_speech._core.synthesis.clip import clip_of
from trio_speech.testing import (
    Delivery,
    assert_exactly_once,
    assert_ledger,
    assert_spoken_once,
    assert_times_within,
    hear,
    open_gateway,
    speech,
)
from trio_speech.testing.speech import pseudoword

PORT = 8_080
NOT_PERMITTED = 77
"""The exit code where this machine allows no second host."""
SERVER = "10.77.0.2"
SPEECH_SPEED = 4.0
"""How many times faster than it is played the voice speaks."""
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_TUNSETIFF, _TUN, _NO_PACKET_INFORMATION = 0x400454CA, 0x1, 0x1000
_SET_ADDRESS, _SET_MASK, _SET_FLAGS = 0x8916, 0x891C, 0x8914
_UP_AND_RUNNING = 0x1 | 0x40
_INTERFACE = b"wire"


def leave_the_network() -> None:
    """Moves this process into a network of its own, where it may do as it likes. Raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        raise OSError("this system has no namespaces")
    if libc.unshare(_NEW_NET | (_NEW_USER if os.geteuid() else 0)):
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")


def open_wire(address: str) -> int:
    """This end is the interface `address`; the other is the file that is returned. Raises `OSError`."""
    wire = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(wire, _TUNSETIFF, struct.pack("16sH22x", _INTERFACE, _TUN | _NO_PACKET_INFORMATION))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for request, value in ((_SET_ADDRESS, address), (_SET_MASK, "255.255.255.0")):
            packed = struct.pack("16sHH4s16x", _INTERFACE, socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(control, request, packed)
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sH22x", _INTERFACE, _UP_AND_RUNNING))
    return wire


class Parent:
    """Whoever started this process."""

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)

    def give(self, wire: int) -> None:
        socket.send_fds(self._socket, [b"\n"], [wire])
        os.close(wire)

    def tell(self, **report: Any) -> None:
        self._socket.sendall(json.dumps({"at": time.monotonic(), **report}).encode() + b"\n")

    async def wait_gone(self) -> None:
        await trio.lowlevel.wait_readable(self._socket)


async def serve(parent: Parent) -> None:
    """The scripted gateway."""
    async with open_gateway(delivery=Delivery(speed=SPEECH_SPEED)) as gateway:
        await gateway.listen(PORT, host=SERVER)
        parent.tell(what="ready")
        await parent.wait_gone()


async def listen(parent: Parent, seconds: float, speed: float, ping: float = 5.0) -> None:
    """A whole session of so many seconds of speech, and the laws held against it; `ping` is the liveness interval."""
    said = speech(seconds)
    events: list[ts.TranscriptEvent] = []
    policies: dict[str, Any] = {
        "retry": ts.RetryPolicy(deadline=None),
        "replay": ts.ReplayPolicy(speed=math.inf),
        "liveness": ts.LivenessPolicy(ping_interval=ping, ping_timeout=ping),
    }
    async with (
        ts.open_client(_backend(), **policies) as client,
        client.transcribe(said.source(speed=speed), said.audio_format) as transcript,
    ):
        async for event in transcript:
            events.append(event)
            parent.tell(what=type(event).__name__)
    told = " ".join(event.text for event in events if isinstance(event, ts.FinalTranscript)).split()
    laws = (
        partial(assert_exactly_once, events, said),
        partial(assert_times_within, 1, events, said),
        partial(assert_ledger, transcript.statistics(), events, said.seconds),
    )
    drops = transcript.statistics().links - 1
    parent.tell(what="done", drops=drops, **_difference(said.text.split(), told), broken=_broken(laws))


async def speak(parent: Parent, sentences: float) -> None:
    """So many sentences spoken, and handed over."""
    text = " ".join(_sentence(number) for number in range(int(sentences)))
    audio_format = ts.AudioFormat.pcm16(24_000)
    chunks: list[ts.AudioChunk] = []
    async with (
        ts.open_client(_backend(), retry=ts.RetryPolicy(deadline=None)) as client,
        client.synthesize(text, audio_format=audio_format) as handed,
    ):
        async for chunk in handed:
            chunks.append(chunk)
            parent.tell(what="AudioChunk")
    told = [word.token for word in hear(clip_of(chunks, audio_format).audio)]
    law = partial(assert_spoken_once, chunks, text, audio_format.sample_rate)
    drops = handed.statistics().drops
    parent.tell(what="done", drops=drops, **_difference(text.split(), told), broken=_broken([law]))


def _sentence(number: int) -> str:
    """Of five words that come in no other."""
    return " ".join(map(pseudoword, range(5 * number, 5 * number + 5))).capitalize() + "."


def _backend() -> ts.LiveKit:
    return ts.LiveKit(f"http://{SERVER}:{PORT}/v1", "key", "secret")


def _difference(spoken: list[str], told: list[str]) -> dict[str, int]:
    """Every word spoken is another one."""
    return {"words": len(spoken), "lost": len(set(spoken) - set(told)), "doubled": len(told) - len(set(told))}


def _broken(laws: Any) -> str | None:
    """The first law that does not hold."""
    for law in laws:
        try:
            law()
        except AssertionError as error:
            return str(error)
    return None


ROLES: dict[str, Callable[..., Any]] = {"serve": serve, "listen": listen, "speak": speak}


def main(address: str, role: str, fd: str, *arguments: str) -> None:
    warnings.simplefilter("ignore", ts.PlaintextCredentialsWarning)
    try:
        leave_the_network()
        wire = open_wire(address)
    except OSError as error:
        print(f"no host of its own: {error}", file=sys.stderr)
        sys.exit(NOT_PERMITTED)
    parent = Parent(int(fd))
    parent.give(wire)
    if role in ROLES:
        trio.run(ROLES[role], parent, *map(float, arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
