"""A synthesis: the text's own task and the link loop, in the nursery of one block.

    text task       source → sentences             never notices that a link is lost
    link loop       lease → tenancy → verdict      the machine decides, the loop obeys

A connection is leased while there is something to say, and given back in between. Both tasks live in the block of
`Client.synthesize`.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Iterable, Sequence
from functools import partial

import trio

from ..._core.provider.requests import SynthesizeRequest
from ..._core.retry.causes import Cause
from ..._core.synthesis.resume import Resume
from ..._core.synthesis.segmenter import Segmenter
from ..._core.synthesis.session import SynthesisMachine
from ...errors import LinkError
from ..concurrency.closing_source import closing
from ..concurrency.one_exception import Guard
from ..connection import LinkDown
from ..network.dialer import Dialer
from ..network.reconnect import delay_after, error_after
from ..pool.lease import Lease, VoiceRoute
from ..pool.pool import Pool
from .backends import VoiceBackends
from .leased_speech import LeasedSpeech
from .speech import PIECE, Speech

TextSource = str | Iterable[str] | AsyncIterable[str]


class SynthesisSession:
    """Runs one synthesis over as many links, and as many backends, as it takes."""

    def __init__(
        self, pool: Pool, network: Dialer, voices: Sequence[VoiceRoute], request: SynthesizeRequest, resume: Resume
    ) -> None:
        self._pool = pool
        self._telemetry = network.telemetry
        self._voices = VoiceBackends(network, pool, voices)
        self._request = request
        self._machine = SynthesisMachine(request.audio_format, self._voices.provider.profile, resume)
        self._tenancy: LeasedSpeech | None = None
        self._at_rest = True
        """The link loop waits for text, or has yet to begin."""
        caps = [voice.provider.profile.max_characters or math.inf for voice in voices]
        shortest = None if min(caps) == math.inf else int(min(caps))
        segmenter = Segmenter(language=request.language, max_characters=shortest)
        self.speech = Speech(self._machine, segmenter, ask=self._ask, abandon=self._abandon)

    def begin(self, text: TextSource | None) -> None:
        """Takes a short text in whole: where a connection is idle, it is asked for its first sentence before the rest
        of the session is made.
        """
        self.speech._has_source = text is not None
        if isinstance(text, str) and len(text) <= PIECE:
            self.speech._take_all(text)

    def start(self, guard: Guard, text: TextSource | None) -> None:
        """After `begin`: starts what the block of a session owns."""
        guard.start_soon(self._run)
        if self._voices.has_others:
            guard.start_soon(partial(self._voices.watch_for_better, self._retire))
        if text is not None and not self.speech._ended:
            guard.start_soon(partial(self._feed, text))

    async def leave(self) -> None:
        """The block is being left: what is not done is abandoned with its tasks."""
        self.speech._leave()

    # ------------------------------------------------------------ the text

    async def _feed(self, text: TextSource) -> None:
        try:
            if isinstance(text, str):
                await self.speech._take_in(text)
            elif isinstance(text, Iterable):
                for piece in text:
                    await self.speech._take_in(piece)
            else:
                await self._feed_from(text)
            self.speech.end_input()
        except trio.ClosedResourceError:
            if not self.speech._ended:
                raise

    async def _feed_from(self, text: AsyncIterable[str]) -> None:
        async with closing(text):
            async for piece in text:
                await self.speech._take_in(piece)

    # ------------------------------------------------------------ the link loop

    async def _run(self) -> None:
        stale = False
        try:
            while not self._machine.complete:
                self._at_rest = self._tenancy is None and not self._machine.ready
                if self._at_rest:
                    await self.speech._wake_link.wait()
                else:
                    stale = await self._one_lease(fresh=stale)
        finally:
            self._at_rest = False
            self._end_lease()  # where it began after this task was cancelled, and before it knew

    def _ask(self) -> None:
        """There is text: where a connection is idle, the service is asked without waiting for the link loop's turn."""
        if self._at_rest and self._machine.ready:
            tenancy = self._tenant()
            lease = self._pool.lease_nowait(self._voices.current, tenancy)
            if lease is not None:
                self._begin(tenancy, lease)
        self.speech._wake_link.fire()

    async def _one_lease(self, *, fresh: bool) -> bool:
        """Says what there is to say, as far as one lease goes; returns whether a fresh connection is to be tried."""
        tenancy = self._tenancy or self._tenant()
        try:
            await self._speak(tenancy, fresh=fresh)
        except LinkDown as down:
            tenancy.lost(down.cause)
        finally:
            self._end_lease()
        if tenancy.cause is None or not (self._machine.speaking or self._machine.ready):
            return False  # all that was asked for is said: the pool has lost a connection, and nobody else anything
        if not self._machine.lost():
            raise self._cut_off(tenancy.cause)
        if tenancy.stale:
            return True
        await trio.sleep(delay_after(tenancy.cause, self._voices, self._request.model))
        return False

    async def _speak(self, tenancy: LeasedSpeech, *, fresh: bool) -> None:
        if self._tenancy is None:
            self._begin(tenancy, await self._pool.lease(self._voices.current, tenancy, fresh=fresh))
        budget, now = self._voices.budget, trio.current_time()
        budget.opened(now)
        budget.committed(self._machine.progress, now)
        await tenancy.speak()

    def _tenant(self) -> LeasedSpeech:
        self._machine.profile = self._voices.next().provider.profile
        return LeasedSpeech(self._machine, self._heard, self._telemetry)

    def _begin(self, tenancy: LeasedSpeech, lease: Lease) -> None:
        self._at_rest = False
        self._tenancy = tenancy
        tenancy.begin(lease)

    def _end_lease(self) -> None:
        tenancy, self._tenancy = self._tenancy, None
        if tenancy is not None:
            tenancy.leave()

    def _heard(self, now: float) -> None:
        self._voices.budget.committed(self._machine.progress, now)
        self.speech._heard()

    def _retire(self) -> None:
        if self._tenancy is not None:
            self._tenancy.retiring = True

    def _abandon(self) -> None:
        if self._tenancy is not None:
            self._tenancy.end("cleared")

    def _cut_off(self, cause: Cause) -> LinkError:
        message = (
            f'speech was cut off, and resume="never" forbids to repeat any: {cause}; spoken() tells what was heard'
        )
        provider, model = self._voices.provider, self._request.model
        error = LinkError(message, endpoint=provider.endpoint, model=model)
        error.__cause__ = error_after(cause, provider, model=model)
        return error
