"""What a synthesis does with a connection while it has the lease: sentence after sentence, each until it is said."""

from __future__ import annotations

from collections.abc import Callable

import trio

from .._core.causes import Cause
from .._core.dialogue import Audio, Done, TtsMessage
from .._core.synthesis import Request, Synthesis
from .leasing import Lease
from .signal import Signal
from .telemetry import Telemetry
from .transport import LinkDown


class Tenancy:
    """One lease at work; its scope ends with whatever ends the lease."""

    def __init__(self, machine: Synthesis, heard: Callable[[], None], telemetry: Telemetry) -> None:
        self._machine = machine
        self._heard = heard
        self._telemetry = telemetry
        self._asked_at: float | None = None
        self._endpoint = ""
        self._generation = 0
        self._wake = Signal()
        self._replied = False
        self._reused = False
        self._awaited = False
        self.scope = trio.CancelScope()
        self.cause: Cause | None = None
        self.outstanding = False
        """The service is speaking."""
        self.retiring = False
        """No other sentence is to be asked for on this lease."""

    @property
    def stale(self) -> bool:
        """The connection was dead before it was leased: it came from the pool, and gave no answer."""
        return self._reused and not self._replied

    def heard(self, message: TtsMessage, now: float) -> bool:
        """See `Tenant`."""
        machine, self._replied = self._machine, True
        if self._asked_at is not None and isinstance(message, Audio):
            self._telemetry.measure("first_audio", now - self._asked_at, self._endpoint)
            self._asked_at = None
        before = machine.news
        cause = machine.receive(self._generation, message, now)
        if cause is not None:
            self.lost(cause)
        if machine.news == before:
            if isinstance(message, Done) and not machine.profile.quiet_after_done:
                self.outstanding = False  # what was dropped has been said, before the lease could end
            return False
        self._heard()
        if isinstance(message, Done):  # nothing else ends a sentence, or brings its deadline nearer
            self._wake.fire()
        first, self._awaited = self._awaited, False
        return first

    def lost(self, cause: Cause) -> None:
        """See `Tenant`."""
        if not self.scope.cancel_called:
            self.cause = cause
            self.scope.cancel(reason=str(cause))

    async def speak(self, lease: Lease) -> None:
        """Until there is nothing to say for now, or the lease has ended. Raises `LinkDown`."""
        self._reused = lease.reused
        with self.scope:
            while not self._is_over and (request := self._machine.next_request(trio.current_time())):
                self.outstanding = True
                await self._say(lease, request)
                self.outstanding = self.scope.cancel_called

    async def _say(self, lease: Lease, request: Request) -> None:
        self._generation, self._endpoint = request.generation, lease.endpoint
        self._asked_at = trio.current_time()
        self._awaited = True
        with self._telemetry.span("segment", lease.endpoint) as failed:
            try:
                await lease.send(lease.codec.text(request.text.strip()), lease.codec.flush())
                await self._until_said()
            except LinkDown as down:
                self.lost(down.cause)
                raise
            finally:
                if self.cause is not None:
                    failed(self.cause)

    @property
    def _is_over(self) -> bool:
        return self.retiring or self.scope.cancel_called

    async def _until_said(self) -> None:
        self._heard()
        while self._machine.speaking:
            await self._wake.wait_until(self._machine.deadline())
            cause = self._machine.expired(trio.current_time())
            if cause is not None:
                raise LinkDown(cause)
        self._heard()
