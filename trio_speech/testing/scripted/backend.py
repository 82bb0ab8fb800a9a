"""The backends by which a client reaches the scripted gateway."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio
from msgspec import Struct, field

from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ...providers._codec import Backend, Connector, SttProvider, TtsProvider
from ...providers.livekit import backend


class ScriptedBackend(Struct, frozen=True):
    """The scripted gateway as a backend, over memory streams. Made by `ScriptedGateway.backend`."""

    connect: Connector = field()
    base: str
    stt: SttProfile
    tts: TtsProfile

    def __repr__(self) -> str:
        return f"ScriptedBackend({self.base!r})"

    def recognizer(self, request: TranscribeRequest) -> backend.LiveKitRecognizer:
        """See `Backend`."""
        return backend.recognizer(self.base, None, request, self.stt)

    def voice(self, request: SynthesizeRequest) -> backend.LiveKitVoice:
        """See `Backend`."""
        return backend.voice(self.base, None, request, self.tts)

    def transport(self) -> AbstractAsyncContextManager[Connector]:
        """Connects by memory streams. Leaving the block closes none of them: they belong to the gateway."""
        return _lent(self.connect)


class StandIn(Struct, frozen=True):
    """Another backend, whose dials are answered by the gateway. Made by `ScriptedGateway.in_place_of`."""

    connect: Connector = field()
    backend: Backend

    def __repr__(self) -> str:
        return f"StandIn({self.backend!r})"

    def recognizer(self, request: TranscribeRequest) -> SttProvider:
        """See `Backend`."""
        return self.backend.recognizer(request)

    def voice(self, request: SynthesizeRequest) -> TtsProvider:
        """See `Backend`."""
        return self.backend.voice(request)

    def transport(self) -> AbstractAsyncContextManager[Connector]:
        """Connects by memory streams. Leaving the block closes none of them: they belong to the gateway."""
        return _lent(self.connect)


@asynccontextmanager
async def _lent(connect: Connector) -> AsyncGenerator[Connector, None]:
    await trio.lowlevel.checkpoint()
    yield connect
