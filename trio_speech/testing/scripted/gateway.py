"""The scripted gateway: several wires, over memory streams or loopback TCP, with faults as planned.

async with open_gateway() as gateway:
    gateway.plan(Hear(3.0), Drop(), Hear(2.0))
    async with trio_speech.open_client(gateway.backend()) as client: ...
    assert [visit.heard for visit in gateway.visits] == [3.0, ...]
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, NoReturn

import trio

from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.retry.causes import Refused, Unreachable
from ..._shell.client import Client, open_client
from ..._shell.concurrency.one_exception import Guard, one_exception
from ..._shell.connection import Connection, Handshake, LinkDown, accept_connection
from ...providers._codec import Backend, Dial
from ..streams import Line, MemoryStream, memory_stream_pair
from .backend import ScriptedBackend, StandIn
from .conversation import Conversation
from .faults import Act, BlackHole, Close, Delay, Drop, NeverAnswer, Outage, Refuse, Restart, Step
from .manner import Manner
from .plan import Script, acts
from .services import serve
from .synthesizer import Delivery
from .visits import Visit
from .wires import answer
from .wires.protocol import Wire

_CAPACITY = 65_536
_SERVICE_RESTART = 1012


class ScriptedGateway:
    """Made by `open_gateway`. `manner` and `delivery` may be replaced at any time: new connections follow them."""

    def __init__(self, guard: Guard, manner: Manner, delivery: Delivery, capacity: int) -> None:
        self.manner = manner
        self.delivery = delivery
        self.connect_time = 0.0
        """How long a dial over memory streams takes, in seconds."""
        self.visits: list[Visit] = []
        """All dials, in order, and what came of them."""
        self.peak = 0
        """The most websockets open at once."""
        self._guard = guard
        self._capacity = capacity
        self._acts: deque[Act] = deque()
        self._dark_until = -math.inf
        self._silent = False
        self._conversations: list[Conversation] = []
        self._synthesis = itertools.count()

    def plan(self, *steps: Step) -> None:
        """What the dials to come are to meet, after what was planned before; then all goes well.

        Raises `ConfigurationError` for what is no step of a plan.
        """
        self._acts.extend(list(acts(steps)))

    @property
    def planned(self) -> tuple[Act, ...]:
        """What no dial has met yet."""
        return tuple(self._acts)

    @property
    def open(self) -> list[Visit]:
        """The websockets open now."""
        return [visit for visit in self.visits if visit.open]

    @property
    def heard(self) -> float:
        """Seconds of audio heard on all connections together: what would be billed."""
        return sum(visit.heard for visit in self.visits)

    def backend(self, stt: SttProfile | None = None, tts: TtsProfile | None = None) -> ScriptedBackend:
        """Dials this gateway over memory streams.

        The profiles are what the client takes the service for; without one, it is told the truth.
        """
        return ScriptedBackend(self.connect, stt or self.manner.profile(), tts or self.delivery.profile())

    def in_place_of(self, backend: Backend) -> StandIn:
        """`backend`, codec and profile and all, but that its dials come here, over memory streams.

        The path that it dials says which wire is spoken: LiveKit's (``/v1/stt``, ``/v1/tts``) or Deepgram's
        (``/v1/listen``).
        """
        return StandIn(self.connect, backend)

    def client(self, **policies: Any) -> AbstractAsyncContextManager[Client]:
        """`trio_speech.open_client` on this gateway; takes what that takes but for the backend."""
        return open_client(self.backend(), **policies)

    async def connect(self, dial: Dial) -> MemoryStream:
        """A byte stream to the gateway. Checkpoints; raises `LinkDown` in an outage, and waits out a silent one."""
        await trio.sleep(self.connect_time)
        visit = self._arrive()
        try:
            if not await self._meet(visit):
                raise LinkDown(Unreachable("connection refused"))
        except BaseException:
            visit.end(trio.current_time(), "an outage")
            raise
        ours, theirs = memory_stream_pair(self._capacity)
        self._guard.start_soon(partial(self._serve, ours, visit))
        return theirs

    async def listen(self, port: int = 0, *, host: str = "127.0.0.1") -> str:
        """Serves over TCP too, for as long as the gateway is open; the base URL to dial. Checkpoints."""
        listeners = await trio.open_tcp_listeners(port, host=host)
        self._guard.start_soon(partial(trio.serve_listeners, self._answer, listeners))
        return f"http://{host}:{listeners[0].socket.getsockname()[1]}/v1"

    async def fail(self, fault: Outage | Restart) -> None:
        """Strikes all connections, and the dials to come. Checkpoints."""
        await trio.lowlevel.checkpoint()
        self._dark_until = trio.current_time() + fault.seconds
        self._silent = isinstance(fault, Outage) and fault.silent
        each: Close | Drop | BlackHole = Close(_SERVICE_RESTART, "service restart")
        if isinstance(fault, Outage):
            each = BlackHole() if fault.silent else Drop()
        for conversation in self._conversations:
            conversation.deaf = True
            self._guard.start_soon(partial(_befall, conversation, each))

    def _arrive(self) -> Visit:
        visit = Visit(len(self.visits) + 1, trio.current_time())
        self.visits.append(visit)
        return visit

    async def _meet(self, visit: Visit) -> bool:
        """Whether the dial gets through; in a silent outage, that is known at its end."""
        if not self._dark and self._acts:
            visit.act = self._acts.popleft()
            if visit.act and isinstance(visit.act[0], Outage | Restart):
                visit.struck.append((trio.current_time(), visit.act[0]))
                await self.fail(visit.act[0])
        if self._dark and self._silent:
            await trio.sleep_until(self._dark_until)
            visit.act = ()
            return await self._meet(visit)
        return not self._dark

    @property
    def _dark(self) -> bool:
        return trio.current_time() < self._dark_until

    async def _answer(self, stream: trio.SocketStream) -> None:
        visit = self._arrive()
        if await self._meet(visit):
            await self._serve(stream, visit)
        else:
            visit.end(trio.current_time(), "an outage")
            await Line(stream).strike(Drop())

    async def _serve(self, stream: MemoryStream | trio.SocketStream, visit: Visit) -> None:
        line, script = Line(stream, on_pong=visit.ponged), Script(visit.act, trio.current_time())
        try:
            async with trio.open_nursery() as nursery:
                for fault in script.at_once():
                    visit.struck.append((trio.current_time(), fault))
                    await line.strike(BlackHole() if isinstance(fault, NeverAnswer) else fault)
                handshake = await accept_connection(nursery, line, timeout=math.inf)
                connection, wire = await self._welcome(handshake, script, visit)
                await self._converse(
                    Conversation(connection, wire, line=line, script=script, visit=visit, everywhere=self.fail)
                )
                nursery.cancel_scope.cancel(reason="the conversation is over")
        except* LinkDown as down:
            visit.end(trio.current_time(), _first(down))
        finally:
            visit.end(trio.current_time(), "closed by the gateway")
            await line.hang_up()

    async def _welcome(self, handshake: Handshake, script: Script, visit: Visit) -> tuple[Connection, Wire]:
        visit.resource, visit.headers = handshake.resource, handshake.headers
        wire = answer(visit.resource, visit.session_id)
        if isinstance(wire, Refuse):
            await _refuse(handshake, wire, visit)
        if isinstance(script.step, Refuse):
            await _refuse(handshake, script.step, visit)
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
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return str(group)


async def _refuse(handshake: Handshake, refusal: Refuse, visit: Visit) -> NoReturn:
    visit.struck.append((trio.current_time(), refusal))
    after = refusal.retry_after
    headers = () if after is None else (("Retry-After", after if isinstance(after, str) else f"{after:g}"),)
    await handshake.reject(refusal.status, refusal.body.encode(), headers)
    visit.end(trio.current_time(), f"refused with HTTP {refusal.status}")
    raise LinkDown(Refused(refusal.status))


async def _befall(conversation: Conversation, fault: Close | Drop | BlackHole) -> None:
    try:
        await conversation.strike(fault)
    except LinkDown:
        return


@asynccontextmanager
async def open_gateway(
    *, manner: Manner | None = None, delivery: Delivery | None = None, capacity: int = _CAPACITY
) -> AsyncGenerator[ScriptedGateway, None]:
    """A scripted gateway that serves until the block is left.

    `manner` is how it recognizes, `delivery` how it speaks, `capacity` how many bytes are under way at most on one
    connection each way. Leaving the block breaks what is still open.
    """
    async with one_exception(trio.lowlevel.checkpoint, within=0.0) as guard:
        yield ScriptedGateway(guard, manner or Manner(), delivery or Delivery(), capacity)
