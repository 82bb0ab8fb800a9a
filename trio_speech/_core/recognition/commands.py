"""The commands by which a link's machine tells the shell, which does the I/O, what to do next."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from ..provider.requests import Change
from ..retry.causes import Cause


class SendAudio(Struct, frozen=True):
    """Write this audio to the connection. `alone`: the next command is not more audio."""

    pcm: bytes
    alone: bool = False


class SendFinalize(Struct, frozen=True):
    """Ask the service to finalize what it has been sent."""


class SendClose(Struct, frozen=True):
    """Send the close message: no more audio comes on this link. The service is expected to end the session."""


class SendChange(Struct, frozen=True):
    """Send a change of settings to the service."""

    change: Change


class SendKeepalive(Struct, frozen=True):
    """Send a keepalive, so that the service keeps the connection while no audio is sent."""


class Wait(Struct, frozen=True):
    """Do nothing until a message or audio arrives, or until the moment `until`; ``None``: no such moment."""

    until: float | None = None


class EndLink(Struct, frozen=True):
    """Close the link. `cause`: why it is over; ``None``: the session is complete."""

    cause: Cause | None = None


Command: TypeAlias = SendAudio | SendFinalize | SendClose | SendChange | SendKeepalive | Wait | EndLink
