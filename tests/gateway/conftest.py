"""Engines with known results, a plain client of the protocol, and what the tests of real engines share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import cache
from typing import Any

import msgspec
import pytest
import trio

from trio_speech._shell.concurrency.one_exception import one_exception
from trio_speech._shell.connection import Connection, open_connection
from trio_speech.gateway import (
    Busy,
    Declined,
    EngineFailed,
    Final,
    Finalized,
    HeardWord,
    Hypothesis,
    Onset,
    RecognitionOptions,
    Result,
    SpeechAudio,
    SpokenWord,
    SynthesisOptions,
    open_local_gateway,
)
from trio_speech.gateway.builtin.hibari import HibariEngine
from trio_speech.gateway.builtin.moonshine_engine import Models, load_models
from trio_speech.gateway.builtin.playback import Playback

CRASH = b"\x00\x80"
"""A sample at which the recognizer breaks down."""


class CountingSession:
    """Hears an utterance in all that comes between two finalizes: how many samples it had."""

    def __init__(self, recognizer: CountingRecognizer) -> None:
        self._recognizer = recognizer
        self._send, self._receive = trio.open_memory_channel[Result](100)
        self._start = self._end = 0

    async def feed(self, pcm: bytes) -> None:
        if CRASH in pcm:
            raise EngineFailed("the engine broke down")
        await trio.sleep(self._recognizer.seconds_per_feed + len(pcm) // 2 * self._recognizer.seconds_per_sample)
        if self._start == self._end:
            await self._send.send(Onset(self._start))
        self._end += len(pcm) // 2
        await self._send.send(Hypothesis(str(self._end - self._start), self._start, self._end))

    async def finalize(self) -> None:
        count = self._end - self._start
        if count:
            words = (
                HeardWord(str(count), self._start, self._end, 0.5),
                HeardWord("samples", self._end, self._end, 1.0),
            )
            await self._send.send(Final(f"{count} samples", self._start, self._end, words))
        self._start = self._end
        await self._send.send(Finalized(self._end))

    async def receive(self) -> Result:
        return await self._receive.receive()


class CountingRecognizer:
    """`opened` holds what was asked for, `open_now` how many sessions there are; a feed may take time."""

    def __init__(self, capacity: int = 3) -> None:
        self.capacity = capacity
        self.opened: list[RecognitionOptions] = []
        self.open_now = 0
        self.seconds_per_feed = self.seconds_per_sample = 0.0

    @asynccontextmanager
    async def open(self, options: RecognitionOptions) -> AsyncGenerator[CountingSession, None]:
        await trio.lowlevel.checkpoint()
        self.opened.append(options)
        if options.language == "tlh":
            raise Declined("no Klingon")
        if options.model == "busy":
            raise Busy("no more of these")
        self.open_now += 1
        try:
            yield CountingSession(self)
        finally:
            self.open_now -= 1


class SpellingVoice:
    """Speaks each word as ten samples that hold its number in the text, and takes a second for it."""

    def __init__(self, capacity: int = 3) -> None:
        self.capacity = capacity
        self.spoken: list[tuple[str, SynthesisOptions]] = []
        self.given_up = 0

    @asynccontextmanager
    async def synthesize(
        self, text: str, options: SynthesisOptions
    ) -> AsyncGenerator[AsyncIterator[SpeechAudio], None]:
        self.spoken.append((text, options))
        try:
            async with aclosing(self._speak(text)) as speech:
                yield speech
        except trio.Cancelled:
            self.given_up += 1
            raise

    async def _speak(self, text: str) -> AsyncGenerator[SpeechAudio, None]:
        for number, word in enumerate(text.split()):
            await trio.sleep(1.0)
            if word == "crash":
                raise EngineFailed("the voice broke")
            pcm = number.to_bytes(2, "little") * 10
            yield SpeechAudio(pcm, (SpokenWord(word, 10 * number, 10 * number + 8),))


class Wire:
    """A client that sends and receives plain objects, and gives the server ten seconds."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def send(self, kind: str, **fields: Any) -> None:
        await self.send_raw(msgspec.json.encode({"type": kind, **fields}).decode())

    async def send_raw(self, frame: str | bytes) -> None:
        await self.connection.send(frame, 10)

    async def receive(self, within: float = 10.0) -> dict[str, Any]:
        with trio.fail_after(within):
            frame = await self.connection.receive()
        message: dict[str, Any] = msgspec.json.decode(frame)
        message.pop("session_id", None)
        return message

    async def receive_until(self, kind: str) -> list[dict[str, Any]]:
        messages = [await self.receive()]
        while messages[-1]["type"] != kind:
            messages.append(await self.receive())
        return messages


Dial = Callable[..., AbstractAsyncContextManager[Wire]]
Connect = Callable[[], Any]


@asynccontextmanager
async def dial_on(connect: Connect, resource: str, *headers: tuple[str, str]) -> AsyncGenerator[Wire, None]:
    async with one_exception() as guard:
        connection = await open_connection(
            guard.nursery, f"ws://gateway{resource}", headers, timeout=10, connect=connect
        )
        yield Wire(connection)


@pytest.fixture(name="dial_on")
def _dial_on() -> Callable[..., AbstractAsyncContextManager[Wire]]:
    return dial_on


@pytest.fixture
def recognizer() -> CountingRecognizer:
    return CountingRecognizer()


@pytest.fixture
def voice() -> SpellingVoice:
    return SpellingVoice()


@pytest.fixture
async def dial(
    recognizer: CountingRecognizer, voice: SpellingVoice, autojump_clock: trio.testing.MockClock
) -> AsyncGenerator[Dial, None]:
    """Opens a websocket to a gateway with these engines, on virtual time."""
    async with open_local_gateway(recognizer=recognizer, voice=voice) as connect:

        def dial(resource: str, *headers: tuple[str, str]) -> AbstractAsyncContextManager[Wire]:
            return dial_on(connect, resource, *headers)

        yield dial


@pytest.fixture(scope="session")
def models() -> Models:
    """The default recognizer's models, loaded once for all tests."""
    return load_models()


@pytest.fixture(scope="session")
def speech() -> Callable[..., bytes]:
    """The default voice in this process: text and sample rate in, samples out. It speaks each text once."""
    engine = HibariEngine()

    @cache
    def speak(text: str, rate: int = 16_000) -> bytes:
        playback = Playback(engine.speak(text, 1.0), rate)
        return b"".join(iter(lambda: playback.next(0.5), b""))

    return speak
