"""What a machine asks of its shell: one step at a time."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from ..provider.requests import Change
from ..retry.causes import Cause


class SendAudio(Struct, frozen=True):
    """Write this audio. `alone`: what comes next is not more audio."""

    pcm: bytes
    alone: bool = False


class SendFinalize(Struct, frozen=True):
    """Ask the service to finalize what it has been sent."""


class SendClose(Struct, frozen=True):
    """Tell the service that no more audio comes on this link. Its own end is waited for."""


class SendChange(Struct, frozen=True):
    """Tell the service of a live change."""

    change: Change


class SendKeepalive(Struct, frozen=True):
    """Tell the service that silence is meant."""


class Wait(Struct, frozen=True):
    """Nothing to do until something happens, or until this moment."""

    until: float | None = None


class EndLink(Struct, frozen=True):
    """The link is over: for `cause`, or because all is done (``None``)."""

    cause: Cause | None = None


Command: TypeAlias = SendAudio | SendFinalize | SendClose | SendChange | SendKeepalive | Wait | EndLink
