"""What an operator reads of the network's trouble, on the logger ``trio_speech``.

    level      what
    ────────   ─────────────────────────────────────────────────────────────────────────────────────
    WARNING    a backend was given up, and the next one serves
    INFO       a connection was lost, and why; a recognition is back; a better backend serves again
    DEBUG      an idle connection of the pool ended

No audio, no text and no credential is in it, but for what a service quotes in a complaint. A session logs in the
context in which its block was entered, so context variables tell sessions apart. Handlers are the program's choice.
"""

from __future__ import annotations

import logging

from ..._core.retry.causes import Cause

_log = logging.getLogger("trio_speech")


def lost(endpoint: str, cause: Cause, attempt: int, retry_in: float) -> None:
    """A connection that a session needs is gone, or was not to be had."""
    _log.info("%s: lost (%s); attempt %d in %.2f s", endpoint, cause, attempt, retry_in)


def resumed(endpoint: str, downtime: float, replayed: float) -> None:
    """A recognition goes on."""
    _log.info("%s: back after %.2f s; %.2f s of audio are sent again", endpoint, downtime, replayed)


def given_up(endpoint: str, cause: Cause, successor: str) -> None:
    """The patience with a backend is spent, or its refusal is final."""
    _log.warning("%s: given up (%s); %s serves from now on", endpoint, cause, successor)


def returned_to(endpoint: str) -> None:
    """A better backend answers again."""
    _log.info("%s: serves again", endpoint)


def idle_ended(endpoint: str, cause: Cause) -> None:
    """A connection ended that nobody had a use for at the time."""
    _log.debug("%s: an idle connection ended (%s)", endpoint, cause)
