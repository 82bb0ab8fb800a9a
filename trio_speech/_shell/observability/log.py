"""Log records about network trouble, on the logger ``trio_speech``.

    level      what
    ────────   ─────────────────────────────────────────────────────────────────────────────────────
    WARNING    a backend was given up, and the next one is used
    INFO       a connection was lost, and why; a recognition goes on; a better backend is used again
    DEBUG      an idle connection of the pool ended; a recognition has waited long for audio

Records hold no audio, no transcript, no text to speak and no credential, except where a service quotes one in its error
message. A session logs in the context in which its block was entered, so context variables tell sessions apart. Where
the program has set up no logging, nothing is printed.
"""

from __future__ import annotations

import logging

from ..._core.retry.causes import Cause

_log = logging.getLogger("trio_speech")
_log.addHandler(logging.NullHandler())  # else Python prints warnings of a program that has set up no logging


def lost(endpoint: str, cause: Cause, attempt: int, retry_in: float) -> None:
    """Call when a session's connection was lost or its dial failed. The next attempt comes in `retry_in` seconds."""
    _log.info("%s: lost (%s); attempt %d in %.2f s", endpoint, cause, attempt, retry_in)


def resumed(endpoint: str, downtime: float, replayed: float) -> None:
    """Call when a recognition goes on after `downtime` seconds, and sends `replayed` seconds of audio again."""
    _log.info("%s: back after %.2f s; %.2f s of audio are sent again", endpoint, downtime, replayed)


def given_up(endpoint: str, cause: Cause, successor: str) -> None:
    """Call when a backend is given up for `successor`: its retry budget is spent, or its refusal is final."""
    _log.warning("%s: given up (%s); %s serves from now on", endpoint, cause, successor)


def returned_to(endpoint: str) -> None:
    """Call when a better backend answers again and is used from now on."""
    _log.info("%s: serves again", endpoint)


def idle_ended(endpoint: str, cause: Cause) -> None:
    """Call when a pooled connection ended while it was not leased."""
    _log.debug("%s: an idle connection ended (%s)", endpoint, cause)


def waits_for_audio(endpoint: str, seconds: float) -> None:
    """Call when a recognition has captured no audio for `seconds`."""
    _log.debug("%s: no audio for %.0f s: the session waits for more, or for end_input()", endpoint, seconds)
