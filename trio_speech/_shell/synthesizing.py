"""A synthesis: the text's own task and the link loop, in the nursery of one block.

    text task       source → sentences             never notices that a link is lost
    link loop       lease → tenancy → verdict      the machine decides, the loop obeys

A connection is leased while there is something to say, and given back in between. Both tasks live in the block of
`Client.synthesize`.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from functools import partial

import trio

from .._core.causes import Cause, error_of
from .._core.dialogue import SynthesizeRequest
from .._core.resume import Resume
from .._core.retry import judge
from .._core.segments import Segmenter
from .._core.synthesis import Synthesis
from ..errors import LinkError, RetriesExhausted, SpeechError
from .endpoints import Network
from .leasing import Lease, Voice
from .pool import Pool
from .single import Guard
from .speech import PIECE, Speech
from .tenancy import Tenancy
from .transport import LinkDown
from .voices import Voices

TextSource = str | Iterable[str] | AsyncIterable[str]


class SynthesisSession:
    """Runs one synthesis over as many links, and as many backends, as it takes."""

    def __init__(
        self, pool: Pool, network: Network, voices: Sequence[Voice], request: SynthesizeRequest, resume: Resume
    ) -> None:
        self._pool = pool
        self._telemetry = network.telemetry
        self._voices = Voices(network, pool, voices)
        self._request = request
        self._machine = Synthesis(request.audio_format, self._voices.provider.profile, resume)
        self._loop = trio.CancelScope()
        self._feeding = trio.CancelScope()
        self._ended = trio.Event()
        self._tenancy: Tenancy | None = None
        caps = [voice.provider.profile.max_characters or math.inf for voice in voices]
        shortest = None if min(caps) == math.inf else int(min(caps))
        segmenter = Segmenter(language=request.language, max_characters=shortest)
        self.speech = Speech(self._machine, segmenter, abandon=self._abandon)

    def start(self, guard: Guard, text: TextSource | None) -> None:
        """Starts what the block of a session owns."""
        guard.start_soon(self._run)
        if self._voices.has_others:
            guard.start_soon(partial(self._voices.watch_for_better, self._retire))
        self.speech.has_source = text is not None
        if isinstance(text, str) and len(text) <= PIECE:
            self.speech.take_all(text)
        elif text is not None:
            guard.start_soon(partial(self._feed, text))

    async def leave(self) -> None:
        """Abandons what is not done. Bounded by the caller."""
        self._feeding.cancel(reason="the block was left")
        self.speech.leave()
        self._loop.cancel(reason="the block was left")
        await self._ended.wait()

    # ------------------------------------------------------------ the text

    async def _feed(self, text: TextSource) -> None:
        with self._feeding:
            try:
                if isinstance(text, str):
                    await self.speech.take_in(text)
                elif isinstance(text, Iterable):
                    for piece in text:
                        await self.speech.take_in(piece)
                else:
                    await self._feed_from(text)
                self.speech.end_input()
            except trio.ClosedResourceError:
                if not self.speech.ended:
                    raise

    async def _feed_from(self, text: AsyncIterable[str]) -> None:
        async with AsyncExitStack() as stack:
            if hasattr(text, "aclose"):
                await stack.enter_async_context(aclosing(text))  # type: ignore[type-var]
            async for piece in text:
                await self.speech.take_in(piece)

    # ------------------------------------------------------------ the link loop

    async def _run(self) -> None:
        try:
            with self._loop:
                stale = False
                while not self._machine.complete:
                    if self._machine.ready:
                        stale = await self._one_lease(fresh=stale)
                    else:
                        await self.speech.wake_link.wait()
        finally:
            self._ended.set()

    async def _one_lease(self, *, fresh: bool) -> bool:
        """Says what there is to say, as far as one lease goes; returns whether a fresh connection is to be tried."""
        tenancy, voice = self._tenant(), self._voices.next()
        self._machine.profile = voice.provider.profile
        try:
            await self._speak(tenancy, await self._pool.lease(voice, tenancy, fresh=fresh))
        except LinkDown as down:
            tenancy.lost(down.cause)
        if tenancy.cause is None:
            return False
        if not self._machine.lost():
            raise self._cut_off(tenancy.cause)
        if tenancy.stale:
            return True
        await trio.sleep(self._delay(tenancy.cause))
        return False

    async def _speak(self, tenancy: Tenancy, lease: Lease) -> None:
        self._voices.budget.opened(trio.current_time())
        self._tenancy = tenancy
        try:
            await tenancy.speak(lease)
        except LinkDown as down:
            tenancy.lost(down.cause)
        finally:
            self._tenancy = None
            if tenancy.cause is not None:
                lease.condemn(str(tenancy.cause))
            elif tenancy.outstanding:
                lease.abandon()
            else:
                lease.give_back()

    def _tenant(self) -> Tenancy:
        return Tenancy(self._machine, self._heard, self._telemetry)

    def _heard(self) -> None:
        self._voices.budget.committed(self._machine.progress, trio.current_time())
        self.speech.heard()

    def _retire(self) -> None:
        if self._tenancy is not None:
            self._tenancy.retiring = True

    def _abandon(self) -> None:
        if self._tenancy is not None:
            self._tenancy.scope.cancel(reason="cleared")

    # ------------------------------------------------------------ verdicts

    def _delay(self, cause: Cause) -> float:
        """Seconds until the next attempt; raises what ends the session."""
        verdict = judge(cause, self._voices.provider.profile)
        fatal = verdict.fate == "fatal"
        delay = None if fatal else self._voices.budget.failed(trio.current_time(), verdict)
        if delay is not None:
            return delay
        error = self._error(cause, fatal=fatal)
        if not self._voices.fail_over(for_good=fatal):
            raise error
        return 0.0

    def _error(self, cause: Cause, *, fatal: bool) -> SpeechError:
        endpoint, model, attempts = self._voices.provider.endpoint, self._request.model, self._voices.budget.attempts
        error = error_of(cause, endpoint=endpoint, model=model, attempt=attempts or None)
        if fatal:
            return error
        message = f"gave up after {attempts} attempts to reconnect; the last one: {cause}"
        exhausted = RetriesExhausted(message, attempts=attempts, endpoint=endpoint, model=model)
        exhausted.__cause__ = error
        return exhausted

    def _cut_off(self, cause: Cause) -> LinkError:
        message = (
            f'speech was cut off, and resume="never" forbids to repeat any: {cause}; spoken() tells what was heard'
        )
        endpoint, model = self._voices.provider.endpoint, self._request.model
        error = LinkError(message, endpoint=endpoint, model=model)
        error.__cause__ = error_of(cause, endpoint=endpoint, model=model)
        return error
