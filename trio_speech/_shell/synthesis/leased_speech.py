"""Speaks a session's segments on one leased connection, one after the other, each once the last is complete.

A segment is a piece of text that is spoken as one, mostly a sentence; a lease is the exclusive use of a connection.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import trio

from ..._core.provider.messages import Audio, Done, TtsMessage
from ..._core.retry.causes import Cause
from ..._core.synthesis.session import SynthesisMachine
from ..concurrency.wakeup import Wakeup
from ..connection import LinkDown
from ..observability.telemetry import Telemetry
from ..pool.pooled_connection import PooledConnection


class LeasedSpeech:
    """One lease in use. `on_progress` is called with the time whenever a message has brought the session forward."""

    _lease: PooledConnection

    def __init__(self, machine: SynthesisMachine, on_progress: Callable[[float], None], telemetry: Telemetry) -> None:
        self._machine = machine
        self._on_progress = on_progress
        self._telemetry = telemetry
        self._scope = trio.CancelScope()
        self._wakeup = Wakeup()
        self._generation = 0
        self._asked_at = 0.0
        self._first_audio_at: float | None = None
        self._unsent = False
        self._replied = False
        self._reused = False
        self._first_is_due = False
        self._waits_until = math.inf
        self._ended = False
        self.cause: Cause | None = None
        """Why the connection ended; ``None`` while it is open."""
        self.outstanding = False
        """True while the service speaks a segment that it was asked for."""
        self.retiring = False
        """True once no other segment may be asked for on this lease."""

    @property
    def stale(self) -> bool:
        """Whether the connection may have been dead before it was leased: it was open already, and has not answered."""
        return self._reused and not self._replied

    def heard(self, message: TtsMessage, now: float) -> bool:
        """See `LeaseHolder`.

        Returns True for the first audio of a segment, so that the user's task can take it at once.
        """
        machine, self._replied = self._machine, True
        if self._first_audio_at is None and isinstance(message, Audio):
            self._first_audio_at = now
        before, was_watched = machine.news, machine.is_watched
        cause = machine.receive(self._generation, message, now)
        if cause is not None:
            self.lost(cause)
        if machine.holds_audio or machine.is_watched != was_watched:
            self.check_deadline()
        if machine.news == before:
            if isinstance(message, Done) and not machine.profile.quiet_after_done:
                # A cleared segment was finished before its lease could end: there is no generation to abandon.
                self.outstanding = False
            return False
        self._on_progress(now)
        if isinstance(message, Done):  # only this message completes a segment or makes its deadline earlier
            self._wakeup.fire()
        first, self._first_is_due = self._first_is_due, False
        return first

    def check_deadline(self) -> None:
        """Call when the machine's deadline may have become earlier. If so, wakes the task in `speak` to wait anew."""
        due = self._machine.deadline()
        if due is not None and due < self._waits_until:
            self._waits_until = due
            self._wakeup.fire()

    def lost(self, cause: Cause) -> None:
        """See `LeaseHolder`. Keeps the cause, and makes `speak` return."""
        if not self._ended:
            self.cause = cause
            self.end(str(cause))

    def end(self, why: str) -> None:
        """Makes `speak` return, as nothing more is expected from the service. Returns at once."""
        self._ended = self.retiring = True
        self._scope.cancel(reason=why)

    def begin(self, lease: PooledConnection) -> None:
        """Call when `lease` was granted. Asks for the first segment. Returns at once."""
        self._lease = lease
        self._reused = lease.reused
        self._ask()

    def leave(self) -> None:
        """Ends the lease: drops the connection if it failed, abandons a segment that is outstanding, else gives it
        back.
        """
        if self.cause is not None:
            self._lease.condemn(str(self.cause))
        elif self.outstanding:
            self._lease.abandon()
        else:
            self._lease.give_back()

    async def speak(self) -> None:
        """Speaks segments until there is none to speak for now, or the lease has ended. Call it after `begin`.

        Raises `LinkDown`. Cancelling it leaves a segment outstanding, which `leave` abandons.
        """
        with self._scope:
            while self.outstanding:
                await self._until_complete()
                if self._ended:
                    return
                self.outstanding = False
                self._ask()

    def _ask(self) -> None:
        """Asks for the next segment, if there is one, and writes as much of it as the network takes at once."""
        now = trio.current_time()
        request = None if self.retiring else self._machine.next_request(now)
        if request is None:
            return
        self.outstanding = self._first_is_due = True
        self._generation = request.generation
        self._asked_at, self._first_audio_at = now, None
        try:
            self._unsent = not self._lease.speak(request.text.strip())
            self.retiring = self.retiring or self._lease.is_used_up
        except LinkDown as down:
            self.lost(down.cause)

    async def _until_complete(self) -> None:
        with self._telemetry.span("segment", self._lease.endpoint) as failed:
            try:
                if self._unsent:
                    await self._lease.flush()
                await self._until_silent()
            except LinkDown as down:
                self.lost(down.cause)
                raise
            finally:
                if self._first_audio_at is not None:
                    seconds = self._first_audio_at - self._asked_at
                    self._telemetry.measure("first_audio", seconds, self._lease.endpoint)
                if self.cause is not None:
                    failed(self.cause)

    async def _until_silent(self) -> None:
        machine = self._machine
        while machine.speaking:
            due = machine.deadline()
            self._waits_until = math.inf if due is None else due
            await self._wakeup.wait_until(due)
            now, before = trio.current_time(), machine.news
            cause = machine.expired(now)
            if cause is not None:
                raise LinkDown(cause)
            if machine.news != before:
                self._on_progress(now)
        self._on_progress(trio.current_time())
