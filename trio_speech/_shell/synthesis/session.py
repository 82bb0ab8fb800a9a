"""Runs a synthesis session as two tasks in the nursery of one `Client.synthesize` block.

    task         what it repeats              what it knows of lost connections
    ─────────    ──────────────────────────   ─────────────────────────────────────────────────────────────
    feed         source → segments            nothing
    link loop    lease → speak → verdict      the machine decides what is spoken again after a failure

A segment is a piece of text that is spoken as one, mostly a sentence. A connection is leased from the pool while there
is something to speak, and given back in between: a session that waits for its language model holds none.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Iterable, Sequence
from functools import partial

import trio

from ..._core.provider.requests import SynthesizeRequest
from ..._core.retry.causes import Cause
from ..._core.synthesis.resume import Resume, starts_with_a_clause
from ..._core.synthesis.segmenter import Segmenter
from ..._core.synthesis.session import SILENT, SynthesisMachine
from ...errors import LinkError
from ..concurrency.closing_source import closing
from ..concurrency.one_exception import Guard
from ..connection import LinkDown
from ..network.dialer import Dialer
from ..network.reconnect import delay_after, error_after
from ..pool.lease import VoiceRoute
from ..pool.pool import Pool
from ..pool.pooled_connection import PooledConnection
from .backends import VoiceBackends
from .channel import PIECE, SpeechChannel
from .leased_speech import LeasedSpeech
from .speech import Speech

TextSource = str | Iterable[str] | AsyncIterable[str]


class SynthesisSession:
    """Runs one synthesis, over as many connections and backends as it takes."""

    def __init__(
        self, pool: Pool, dialer: Dialer, routes: Sequence[VoiceRoute], request: SynthesizeRequest, resume: Resume
    ) -> None:
        self._pool = pool
        self._telemetry = dialer.telemetry
        self._backends = VoiceBackends(dialer, pool, routes)
        self._model = request.model
        self._machine = SynthesisMachine(request.audio_format, self._backends.provider.profile, resume)
        self._leased: LeasedSpeech | None = None
        self._at_rest = True
        """True while the link loop waits for text or has not begun. Then another task may take a lease for it."""
        caps = [route.provider.profile.max_characters or math.inf for route in routes]
        # A segment may be spoken again by another backend, so it must be short enough for each of them.
        shortest = None if min(caps) == math.inf else int(min(caps))
        segmenter = Segmenter(
            language=request.language,
            max_characters=shortest,
            clause_first=starts_with_a_clause(resume, self._backends.provider.profile),
        )
        self._channel = SpeechChannel(
            self._machine, segmenter, on_text=self._ask_at_once, on_taken=self._taken, on_clear=self._abandon
        )
        self.speech = Speech(self._channel)

    def begin(self, text: TextSource | None) -> None:
        """Queues a short text as a whole, before the session's tasks are started.

        If a connection is idle, its first sentence is asked for at once.
        """
        self._channel.has_source = text is not None
        if isinstance(text, str) and len(text) <= PIECE:
            self._channel.take_all(text)

    def start(self, guard: Guard, text: TextSource | None) -> None:
        """Starts the session's tasks in the nursery of `guard`. Call it after `begin`."""
        guard.start_soon(self._run)
        if self._backends.has_others:
            guard.start_soon(partial(self._backends.watch_for_better, self._retire_lease))
        if self._channel.ended:
            return
        if text is not None:
            guard.start_soon(partial(self._feed, text))
        if not isinstance(text, str):
            guard.start_soon(self._channel.watch_pauses)

    async def leave(self) -> None:
        """Call when the block is being left: nothing is taken or handed over any more.

        Its tasks are cancelled afterwards.
        """
        self._channel.leave()

    # ------------------------------------------------------------ the text

    async def _feed(self, text: TextSource) -> None:
        try:
            if isinstance(text, str):
                await self._channel.take(text)
            elif isinstance(text, Iterable):
                for piece in text:
                    await self._channel.take(piece)
            else:
                await self._feed_from(text)
            self._channel.end_input()
        except trio.ClosedResourceError:
            # The user may have ended the input early, which is no error; but a source may raise this about itself.
            if not self._channel.ended:
                raise

    async def _feed_from(self, text: AsyncIterable[str]) -> None:
        async with closing(text):
            async for piece in text:
                await self._channel.take(piece)

    # ------------------------------------------------------------ the link loop

    async def _run(self) -> None:
        stale = False
        try:
            while not self._machine.complete:
                self._at_rest = self._leased is None and not self._machine.ready
                if self._at_rest:
                    await self._channel.link_wakeup.wait()
                else:
                    stale = await self._use_one_lease(fresh=stale)
        finally:
            self._at_rest = False
            # Text that came between the cancellation and this line may have taken a lease.
            self._end_lease()

    def _ask_at_once(self) -> None:
        """Called when a segment was queued.

        If the link loop is waiting and a connection is idle, asks for it at once.
        """
        if self._at_rest and self._machine.ready:
            leased = self._new_lease()
            connection = self._pool.lease_nowait(self._backends.current, leased)
            if connection is not None:
                self._begin(leased, connection)
        self._channel.link_wakeup.fire()

    async def _use_one_lease(self, *, fresh: bool) -> bool:
        """Takes a lease and speaks on it until it ends. Returns whether the next lease must be of a new connection."""
        leased = self._leased or self._new_lease()
        try:
            await self._speak(leased, fresh=fresh)
        except LinkDown as down:
            leased.lost(down.cause)
        finally:
            self._end_lease()
        if leased.cause is None or not (self._machine.speaking or self._machine.ready):
            return False  # all speech that was asked for has come: the end of the connection does not matter
        if not self._machine.lost():
            raise self._cut_off(leased.cause)
        if leased.stale or leased.cause is SILENT:
            # An idle connection had died unnoticed. That says nothing of the service: redial at once, at no cost. The
            # same for a sentence without audio: it is believed when a connection says so that cannot be out of step.
            return True
        await trio.sleep(delay_after(leased.cause, self._backends, self._model))
        return False

    async def _speak(self, leased: LeasedSpeech, *, fresh: bool) -> None:
        if self._leased is None:
            fresh = fresh or self._machine.doubts_silence
            until = self._backends.budget.wanted(trio.current_time())
            self._begin(leased, await self._pool.lease(self._backends.current, leased, fresh=fresh, until=until))
        budget, now = self._backends.budget, trio.current_time()
        budget.opened(now)
        budget.committed(self._machine.progress, now)
        await leased.speak()

    def _new_lease(self) -> LeasedSpeech:
        self._machine.profile = self._backends.next().provider.profile
        return LeasedSpeech(self._machine, self._progress, self._telemetry)

    def _begin(self, leased: LeasedSpeech, connection: PooledConnection) -> None:
        self._at_rest = False
        self._leased = leased
        self._channel.endpoint = connection.endpoint
        leased.begin(connection)

    def _end_lease(self) -> None:
        leased, self._leased = self._leased, None
        if leased is not None:
            leased.leave()

    def _progress(self, now: float) -> None:
        self._backends.budget.committed(self._machine.progress, now)
        self._channel.progress()

    def _taken(self) -> None:
        """Called when the reader takes audio or waits for it: the next segment, or held audio, may be due now."""
        self._channel.link_wakeup.fire()
        if self._leased is not None and self._machine.holds_audio:
            self._leased.check_deadline()

    def _retire_lease(self) -> None:
        """Called when a better backend is ready. Ends the lease after the segment that is being spoken."""
        if self._leased is not None:
            self._leased.retiring = True

    def _abandon(self) -> None:
        if self._leased is not None:
            self._leased.end("cleared")

    def _cut_off(self, cause: Cause) -> LinkError:
        message = (
            f'the connection was lost in mid-sentence ({cause}), and resume="never" does not allow speaking it again; '
            "spoken() returns the text that was handed over"
        )
        provider = self._backends.provider
        error = LinkError(message, endpoint=provider.endpoint, model=self._model)
        error.__cause__ = error_after(cause, provider, model=self._model)
        return error
