"""Tells a session's `Suspicion` what the `StallWatch` of the core finds on one link."""

from __future__ import annotations

from collections.abc import Callable

from ..._core.provider.messages import SttMessage
from ..._core.recognition.link import LinkMachine
from ..._core.recognition.stall_watch import StallWatch
from ..._core.retry.causes import Cause, Silent
from .suspicion import Suspicion


class Stalls:
    """The stalls of one link, a recognizer that hangs though its service answers pings. `end` ends the link."""

    def __init__(self, suspicion: Suspicion, machine: LinkMachine, now: float, end: Callable[[Cause], None]) -> None:
        self._suspicion = suspicion
        self._machine = machine
        self._watch = StallWatch(machine, suspicion.result_times, now)
        self._end = end

    def received(self, message: SttMessage, now: float) -> None:
        """Call with each message of the service, after `LinkMachine.receive`."""
        if self._watch.received(message, now):
            self._suspicion.revives(self._machine)

    def look(self, now: float) -> float:
        """Looks whether the service has stalled, if it is time to. Returns when to call it again."""
        if now >= self._watch.looks_at and self._watch.is_stalled(now):
            cause = Silent("result, though speech is being sent,", round(now - self._watch.sign_at, 1))
            self._suspicion.stalls(self._machine, lambda: self._end(cause))
        return self._watch.looks_at
