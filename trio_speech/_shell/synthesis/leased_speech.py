"""What a synthesis does with a connection while it has the lease: sentence after sentence, each until it is said."""

from __future__ import annotations

from collections.abc import Callable

import trio

from ..._core.provider.messages import Audio, Done, TtsMessage
from ..._core.retry.causes import Cause
from ..._core.synthesis.session import SynthesisMachine
from ..concurrency.wakeup import Wakeup
from ..connection import LinkDown
from ..observability.telemetry import Telemetry
from ..pool.lease import Lease


class LeasedSpeech:
    """One lease at work; its scope ends with whatever ends the lease."""

    _lease: Lease

    def __init__(self, machine: SynthesisMachine, heard: Callable[[float], None], telemetry: Telemetry) -> None:
        self._machine = machine
        self._heard = heard
        self._telemetry = telemetry
        self._scope = trio.CancelScope()
        self._wake = Wakeup()
        self._generation = 0
        self._asked_at = 0.0
        self._first_audio_at: float | None = None
        self._unsent = False
        self._replied = False
        self._reused = False
        self._awaited = False
        self._ended = False
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
        """See `LeaseHolder`."""
        machine, self._replied = self._machine, True
        if self._first_audio_at is None and isinstance(message, Audio):
            self._first_audio_at = now
        before = machine.news
        cause = machine.receive(self._generation, message, now)
        if cause is not None:
            self.lost(cause)
        if machine.news == before:
            if isinstance(message, Done) and not machine.profile.quiet_after_done:
                self.outstanding = False  # what was dropped has been said, before the lease could end
            return False
        self._heard(now)
        if isinstance(message, Done):  # nothing else ends a sentence, or brings its deadline nearer
            self._wake.fire()
        first, self._awaited = self._awaited, False
        return first

    def lost(self, cause: Cause) -> None:
        """See `LeaseHolder`."""
        if not self._ended:
            self.cause = cause
            self.end(str(cause))

    def end(self, why: str) -> None:
        """Nothing that the service says is waited for any more."""
        self._ended = self.retiring = True
        self._scope.cancel(reason=why)

    def begin(self, lease: Lease) -> None:
        """Takes up the lease, and asks for the first sentence at once. No checkpoint."""
        self._lease = lease
        self._reused = lease.reused
        self._ask()

    def leave(self) -> None:
        """Gives up the lease, with the connection as it is by then."""
        if self.cause is not None:
            self._lease.condemn(str(self.cause))
        elif self.outstanding:
            self._lease.abandon()
        else:
            self._lease.give_back()

    async def speak(self) -> None:
        """After `begin`: until there is nothing to say for now, or the lease has ended. Raises `LinkDown`."""
        with self._scope:
            while self.outstanding:
                await self._until_said()
                if self._ended:
                    return
                self.outstanding = False
                self._ask()

    def _ask(self) -> None:
        """Writes what the network takes at once of what asks for the next sentence, if there is one."""
        now = trio.current_time()
        request = None if self.retiring else self._machine.next_request(now)
        if request is None:
            return
        self.outstanding = self._awaited = True
        self._generation = request.generation
        self._asked_at, self._first_audio_at = now, None
        codec = self._lease.codec
        try:
            self._unsent = not self._lease.send_nowait(codec.text(request.text.strip()), codec.flush())
        except LinkDown as down:
            self.lost(down.cause)

    async def _until_said(self) -> None:
        with self._telemetry.span("segment", self._lease.endpoint) as failed:
            try:
                if self._unsent:
                    await self._lease.flush()
                await self._until_complete()
            except LinkDown as down:
                self.lost(down.cause)
                raise
            finally:
                if self._first_audio_at is not None:
                    seconds = self._first_audio_at - self._asked_at
                    self._telemetry.measure("first_audio", seconds, self._lease.endpoint)
                if self.cause is not None:
                    failed(self.cause)

    async def _until_complete(self) -> None:
        while self._machine.speaking:
            await self._wake.wait_until(self._machine.deadline())
            cause = self._machine.expired(trio.current_time())
            if cause is not None:
                raise LinkDown(cause)
        self._heard(trio.current_time())
