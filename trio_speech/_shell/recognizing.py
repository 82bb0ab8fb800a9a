"""A recognition session: the replay task and the link loop, in the nursery of one block.

    replay task     source → log                       never notices that a link is lost
    link loop       dial → link → verdict → sleep      the machine decides, the loop obeys

Both live in the block of `Client.transcribe`; links come and go below them.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import msgspec
import trio

from .._core.causes import Cause, Rollover, error_of
from .._core.dialogue import Change, TranscribeRequest
from .._core.leg import Leg
from .._core.recognition import Recognition
from .._core.retry import Budget, Verdict, judge
from ..errors import RetriesExhausted, SpeechError
from ..events import LinkLost, Resumed
from ..providers._codec import SttProvider
from .endpoints import Network, Route
from .link import Link
from .signal import Signal
from .single import Guard
from .transcript import Transcript
from .transport import LinkDown


class RecognitionSession:
    """Runs one session over as many links, and as many backends, as it takes."""

    def __init__(
        self, network: Network, routes: Sequence[Route], request: TranscribeRequest, machine: Recognition, source: bool
    ) -> None:
        self._network = network
        self._routes = routes
        self._request = request
        self._machine = machine
        self.transcript = Transcript(machine, has_source=source, change=self._change)
        self._providers = [route.backend.recogniser(request) for route in routes]
        self._current = 0
        self._budget = self._new_budget()
        self._loop = trio.CancelScope()
        self._ended = trio.Event()
        self._lost_at: float | None = None
        self._goodbyes = 0
        self._said_goodbye = Signal()

    # ------------------------------------------------------------ the replay task

    async def feed(self, source: AsyncIterable[Any]) -> None:
        """Captures what the source yields, as it yields it, until it ends."""
        if hasattr(source, "aclose"):
            async with aclosing(source):  # type: ignore[type-var]
                await self._feed(source)
        else:
            await self._feed(source)

    async def _feed(self, source: AsyncIterable[Any]) -> None:
        async for audio in source:
            await self.transcript.capture(audio)
        self.transcript.end_input()

    # ------------------------------------------------------------ the link loop

    async def run(self, guard: Guard) -> None:
        """Links, one after the other, until all input is accounted for. Raises the error that ends the session."""
        try:
            with self._loop:
                cause = await self._one_link(guard)
                while cause is not None:
                    await trio.sleep(self._delay(cause))
                    cause = await self._one_link(guard)
                self.transcript.complete()
        finally:
            self._ended.set()

    async def leave(self) -> None:
        """Abandons what is not done. Bounded by the caller."""
        self.transcript.leave()
        self._loop.cancel(reason="the block was left")
        await self._ended.wait()
        while self._goodbyes:
            await self._said_goodbye.wait()

    async def _one_link(self, guard: Guard) -> Cause | None:
        provider, route = self._providers[self._current], self._routes[self._current]
        if self._machine.finished:
            return None
        try:
            connection = await self._network.dial(guard.nursery, provider, route.connector)
        except LinkDown as down:
            return down.cause
        provider = self._providers[self._current]
        leg = self._open_leg(provider)
        transcript = self.transcript
        link = Link(
            connection,
            provider.codec(),
            leg,
            liveness=self._network.liveness,
            wake=transcript.wake_link,
            heard=self._heard,
        )
        transcript.catch_up = leg.catch_up
        try:
            return await link.run()
        finally:
            leg.lost()
            if link.done:
                transcript.complete()
            self._goodbyes += 1
            guard.start_soon(partial(self._say_goodbye, link))

    async def _say_goodbye(self, link: Link) -> None:
        """Beside the next dial, which need not wait for it."""
        try:
            await link.farewell()
        finally:
            self._goodbyes -= 1
            self._said_goodbye.fire()

    def _open_leg(self, provider: SttProvider) -> Leg:
        now = trio.current_time()
        liveness = self._network.liveness
        self._budget.opened(now)
        leg = Leg(
            self._machine,
            provider.profile,
            now,
            patience=liveness.send_timeout,
            progress_timeout=liveness.progress_timeout,
        )
        if self._lost_at is not None:
            downtime = now - self._lost_at
            self._machine.outbox.put(Resumed(self._machine.to_replay, downtime, self._budget.attempts))
            self._lost_at = None
            self.transcript.heard()
        return leg

    def _heard(self) -> None:
        self._budget.committed(self._machine.log.committed, trio.current_time())
        self.transcript.heard()

    # ------------------------------------------------------------ verdicts

    def _delay(self, cause: Cause) -> float:
        """Seconds until the next dial; raises what ends the session."""
        now = trio.current_time()
        if self._lost_at is None:
            self._lost_at = now
        if isinstance(cause, Rollover):
            return 0.0
        provider = self._providers[self._current]
        verdict = judge(cause, provider.profile)
        delay = self._budget.failed(now, verdict) if verdict.fate == "retry" else None
        if delay is None:
            self._fail_over(self._error(cause, verdict, provider))
            delay = 0.0
        self._machine.outbox.put(LinkLost(str(cause), self._budget.attempts, delay))
        self.transcript.heard()
        return delay

    def _fail_over(self, error: SpeechError) -> None:
        if self._current + 1 >= len(self._routes):
            raise error
        self._current += 1
        self._budget = self._new_budget()

    def _error(self, cause: Cause, verdict: Verdict, provider: SttProvider) -> SpeechError:
        model, attempts = self._request.model, self._budget.attempts
        error = error_of(cause, endpoint=provider.endpoint, model=model, attempt=attempts or None)
        if verdict.fate == "retry":
            last = error
            message = f"gave up after {attempts} attempts to reconnect; the last one: {cause}"
            error = RetriesExhausted(message, attempts=attempts, endpoint=provider.endpoint, model=model)
            error.__cause__ = last
        owed = self._machine.log.owed / self._machine.rate
        if owed:
            error.add_note(f"{owed:.1f} s of audio were not recognised: Transcript.unacknowledged() has them")
        return error

    def _new_budget(self) -> Budget:
        return self._network.budget(self._providers[self._current].endpoint)

    # ------------------------------------------------------------ changes

    def _change(self, change: Change) -> None:
        request = self._request
        changed = msgspec.structs.replace(
            request,
            language=request.language if change.language is None else change.language,
            options={**request.options, **(change.options or {})},
            keyterms=request.keyterms if change.keyterms is None else change.keyterms,
        )
        self._providers = [route.backend.recogniser(changed) for route in self._routes]
        self._request = changed
        self._machine.change(change)


def session_tasks(session: RecognitionSession, guard: Guard, source: AsyncIterable[Any] | None) -> None:
    """Starts what the block of a session owns."""
    guard.start_soon(partial(session.run, guard))
    if source is not None:
        guard.start_soon(partial(session.feed, source))
