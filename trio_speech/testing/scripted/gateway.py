"""The scripted gateway: speaks several wire protocols, over memory streams or loopback TCP, with planned faults.

async with open_gateway() as gateway:
    gateway.plan(Hear(3.0), Drop(), Hear(2.0))
    async with trio_speech.open_client(gateway.backend()) as client: ...
    assert [visit.heard for visit in gateway.visits] == [3.0, ...]
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import Any

import trio

from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.retry.causes import Unreachable
from ..._shell.client import Client, open_client
from ..._shell.concurrency.one_exception import Guard, one_exception
from ..._shell.connection import Connection, Handshake, LinkDown, accept_connection
from ...providers._codec import Backend, Dial
from ..streams import BreakableStream, MemoryStream, memory_stream_pair
from .address import own_address
from .backend import ScriptedBackend, StandIn
from .conversation import Conversation
from .faults import Act, BlackHole, Close, Delay, Drop, NeverAnswer, Outage, Refuse, Restart, Step
from .manner import Manner
from .plan import Script, acts
from .refusal import refuse
from .services import serve
from .synthesizer import Delivery
from .visits import Visit
from .wires import WireFactory, answer
from .wires.protocol import Wire

_CAPACITY = 65_536
_SERVICE_RESTART = 1012


class ScriptedGateway:
    """A speech service for tests. Made by `open_gateway`.

    `manner` (how it recognizes) and `delivery` (how it speaks) may be replaced at any time, for new connections.
    """

    def __init__(self, guard: Guard, manner: Manner, delivery: Delivery, capacity: int, address: str) -> None:
        self._address = address
        self.manner = manner
        self.delivery = delivery
        self.wires: dict[str, WireFactory] = {}
        """Protocols that it speaks besides its own, by the path of their addresses; ``*`` stands for any text."""
        self.connect_time = 0.0
        """Seconds that a dial over memory streams takes."""
        self.visits: list[Visit] = []
        """One record for each dial, in order."""
        self.peak = 0
        """The largest number of websockets that were open at once."""
        self._guard = guard
        self._capacity = capacity
        self._acts: deque[Act] = deque()
        self._outage_until = -math.inf
        self._silent = False
        self._conversations: list[Conversation] = []
        self._synthesis = itertools.count()

    def plan(self, *steps: Step) -> None:
        """Adds steps to the plan of faults; see `Step`. When the plan is used up, all dials are served normally.

        Raises `ConfigurationError` for a step that is neither a trigger nor a fault, or has invalid values.
        """
        self._acts.extend(list(acts(steps)))

    @property
    def planned(self) -> tuple[Act, ...]:
        """The part of the plan that no dial has taken yet."""
        return tuple(self._acts)

    @property
    def open(self) -> list[Visit]:
        """The connections that are open now."""
        return [visit for visit in self.visits if visit.open]

    @property
    def heard(self) -> float:
        """Seconds of audio received on all connections together, as a service would bill them."""
        return sum(visit.heard for visit in self.visits)

    def backend(self, stt: SttProfile | None = None, tts: TtsProfile | None = None) -> ScriptedBackend:
        """A backend that dials this gateway over memory streams.

        `stt`, `tts`: the profile that the client is to assume; by default the one that `manner` or `delivery` fits.
        """
        profiles = stt or self.manner.profile(), tts or self.delivery.profile()
        return ScriptedBackend(self.connect, self._address, *profiles)

    def in_place_of(self, backend: Backend) -> StandIn:
        """`backend` with its own codec and profile, but its dials are answered by this gateway, over memory streams.

        The path of the URL selects the protocol: that of any backend of this library, or of `wires`.
        """
        return StandIn(self.connect, backend)

    def client(self, **policies: Any) -> AbstractAsyncContextManager[Client]:
        """Opens a client of this gateway: `trio_speech.open_client`, with all its keyword arguments."""
        return open_client(self.backend(), **policies)

    async def connect(self, dial: Dial) -> MemoryStream:
        """Opens a byte stream to the gateway.

        Raises `LinkDown` during an outage; during a silent one, waits for its end. Checkpoints.
        """
        await trio.sleep(self.connect_time)
        visit = self._record_visit()
        try:
            if not await self._admit(visit):
                raise LinkDown(Unreachable("connection refused"))
        except BaseException:
            visit.end(trio.current_time(), "an outage")
            raise
        ours, theirs = memory_stream_pair(self._capacity)
        self._guard.start_soon(partial(self._serve, ours, visit))
        return theirs

    async def listen(self, port: int = 0, *, host: str = "127.0.0.1") -> str:
        """Also serves over TCP until the gateway is closed; returns the base URL to dial. Checkpoints."""
        listeners = await trio.open_tcp_listeners(port, host=host)
        self._guard.start_soon(partial(trio.serve_listeners, self._answer, listeners))
        return f"http://{host}:{listeners[0].socket.getsockname()[1]}/v1"

    async def fail(self, fault: Outage | Restart) -> None:
        """Causes `fault` now, on all connections and later dials. Checkpoints."""
        await trio.lowlevel.checkpoint()
        self._outage_until = trio.current_time() + fault.seconds
        self._silent = isinstance(fault, Outage) and fault.silent
        each: Close | Drop | BlackHole = Close(_SERVICE_RESTART, "service restart")
        if isinstance(fault, Outage):
            each = BlackHole() if fault.silent else Drop()
        for conversation in self._conversations:
            conversation.ended = True
            self._guard.start_soon(partial(_strike_unless_gone, conversation, each))

    def _record_visit(self) -> Visit:
        visit = Visit(len(self.visits) + 1, trio.current_time())
        self.visits.append(visit)
        return visit

    async def _admit(self, visit: Visit) -> bool:
        """Takes the dial's act from the plan. Returns whether the dial gets through; waits out a silent outage."""
        if not self._in_outage and self._acts:
            visit.act = self._acts.popleft()
            if visit.act and isinstance(visit.act[0], Outage | Restart):
                visit.struck.append((trio.current_time(), visit.act[0]))
                await self.fail(visit.act[0])
        if self._in_outage and self._silent:
            await trio.sleep_until(self._outage_until)
            visit.act = ()
            return await self._admit(visit)
        return not self._in_outage

    @property
    def _in_outage(self) -> bool:
        return trio.current_time() < self._outage_until

    async def _answer(self, stream: trio.SocketStream) -> None:
        visit = self._record_visit()
        if await self._admit(visit):
            await self._serve(stream, visit)
        else:
            visit.end(trio.current_time(), "an outage")
            await BreakableStream(stream).strike(Drop())

    async def _serve(self, stream: MemoryStream | trio.SocketStream, visit: Visit) -> None:
        breakable, script = BreakableStream(stream, on_pong=visit.ponged), Script(visit.act, trio.current_time())
        try:
            async with trio.open_nursery() as nursery:
                for fault in script.at_once():
                    visit.struck.append((trio.current_time(), fault))
                    await breakable.strike(BlackHole() if isinstance(fault, NeverAnswer) else fault)
                handshake = await accept_connection(nursery, breakable, timeout=math.inf)
                connection, wire = await self._answer_handshake(handshake, script, visit)
                await self._converse(
                    Conversation(connection, wire, stream=breakable, script=script, visit=visit, strike_all=self.fail)
                )
                nursery.cancel_scope.cancel(reason="the conversation is over")
        except* LinkDown as down:
            visit.end(trio.current_time(), _first(down))
        finally:
            visit.end(trio.current_time(), "closed by the gateway")
            await breakable.hang_up()

    async def _answer_handshake(self, handshake: Handshake, script: Script, visit: Visit) -> tuple[Connection, Wire]:
        visit.resource, visit.headers = handshake.resource, handshake.headers
        wire = answer(visit.resource, visit.session_id, self.wires)
        if isinstance(wire, Refuse):
            await refuse(handshake, wire, visit)
        if isinstance(script.step, Refuse):
            await refuse(handshake, script.step, visit)
        if isinstance(script.step, Delay):
            await trio.sleep(script.step.seconds)
        connection = await handshake.accept()
        visit.opened = trio.current_time()
        self.peak = max(self.peak, len(self.open))
        return connection, wire

    async def _converse(self, conversation: Conversation) -> None:
        self._conversations.append(conversation)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(conversation.write)
                await conversation.play()
                nursery.start_soon(conversation.watch)
                await serve(conversation, self.manner, self.delivery, self._synthesis)
                nursery.cancel_scope.cancel(reason="the session is closed")
        finally:
            self._conversations.remove(conversation)


def _first(group: BaseException) -> str:
    return _first(group.exceptions[0]) if isinstance(group, BaseExceptionGroup) else str(group)


async def _strike_unless_gone(conversation: Conversation, fault: Close | Drop | BlackHole) -> None:
    with suppress(LinkDown):
        await conversation.strike(fault)


@asynccontextmanager
async def open_gateway(
    *,
    manner: Manner | None = None,
    delivery: Delivery | None = None,
    capacity: int = _CAPACITY,
    wires: Mapping[str, WireFactory] | None = None,
) -> AsyncGenerator[ScriptedGateway, None]:
    """Opens a scripted gateway that serves until the block is left; connections that are still open then break.

    `manner`: how it recognizes. `delivery`: how it speaks. `capacity`: how many unread bytes one direction of a
    connection over memory streams holds before its sender blocks. `wires`: the protocols that it speaks besides its
    own, by the path of their addresses; see `trio_speech.testing.wires`.
    """
    with own_address() as address:
        async with one_exception(trio.lowlevel.checkpoint, within=0.0) as guard:
            gateway = ScriptedGateway(guard, manner or Manner(), delivery or Delivery(), capacity, address)
            gateway.wires.update(wires or {})
            yield gateway
