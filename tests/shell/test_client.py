"""Clients and what they are asked for: every promise of the docstrings of `Client` and `open_client`."""

# ruff: noqa: PT012  # what is left by an exception is a block

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import signature
from typing import Any

import pytest
import trio
from trio.testing import MemoryReceiveStream, assert_no_checkpoints

import trio_speech as ts
from trio_speech.testing import Drop, Hear, NeverAnswer, Outage, Refuse, ScriptedGateway, open_gateway, say, speech

SAID = say(0.2, "turn left", 1.0, "now", 1.0)


# ---------------------------------------------------------------- what is asked for


@pytest.mark.parametrize(
    ("once", "session", "without"),
    [(ts.Client.recognize, ts.Client.transcribe, set()), (ts.Client.render, ts.Client.synthesize, {"resume"})],
)
def test_the_one_shot_forms_take_what_the_sessions_take(once: Any, session: Any, without: set[str]) -> None:
    asked, offered = (
        {name: (each.kind, each.annotation, each.default) for name, each in signature(method).parameters.items()}
        for method in (once, session)
    )
    first = list(offered)[1]  # the source or the text, which a session may do without
    assert list(asked) == [name for name in offered if name not in without]
    assert all(asked[name] == offered[name] for name in asked if name != first)


async def test_what_is_asked_for_is_told_to_the_service(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        await client.recognize(
            say(0.2, "hallo", 1.0, audio_format=ts.AudioFormat.pcm16(8_000)),
            ts.AudioFormat.pcm16(8_000),
            model="deepgram/nova-3:en",
            language="de-DE",
            options={"numerals": True},
            keyterms=["Trio"],
            gateway_fallback=["assemblyai/universal-streaming", ts.FallbackModel("cartesia/ink-whisper")],
        )
    (visit,) = gateway.visits
    assert (visit.endpoint, visit.model, visit.language, visit.sample_rate) == (
        "stt",
        "deepgram/nova-3",
        "de-DE",
        8_000,
    )
    assert visit.options == {"numerals": True, "keyterm": ["Trio"]}
    assert visit.resource.endswith("?model=deepgram%2Fnova-3")


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"source": "audio"}, "source must be bytes, or an iterable or async iterable of bytes, not str"),
        ({"source": 7}, "source must be bytes, or an iterable or async iterable of bytes, not int"),
        ({"keyterms": "Trio"}, "keyterms must be a list"),
        ({"keyterms": 5}, "keyterms must be a list, not int"),
        ({"model": 3}, "model must be a str or None, not int"),
        ({"options": 5}, "options must be a mapping"),
        ({"options": []}, "options must be a mapping"),
        ({"journal": 5}, "the journal is 5: give the path of a file"),
        ({"journal": ""}, "the journal is '': give the path of a file"),
        ({"audio_format": 16_000}, "audio_format must be an AudioFormat, not int"),
        ({"gateway_fallback": [5]}, "must be a str or a FallbackModel, not int"),
        ({"gateway_fallback": "deepgram"}, "gateway_fallback must be a list"),
        ({"keyterms": ["Trio"], "model": "unknown/model"}, "keyterms must be empty"),
        ({"model": ":en"}, "names no model"),
        ({"options": {"x": object()}}, r"options\['x'\] cannot be sent"),
        ({"audio_format": ts.AudioFormat.mulaw(channels=2)}, "takes 1 channel"),
        ({"audio_format": ts.AudioFormat.pcm16(16_000, 2)}, "takes 1 channel"),
    ],
)
async def test_what_cannot_be_served_is_refused_before_anything_is_dialed(
    gateway: ScriptedGateway, asked: dict[str, Any], complaint: str
) -> None:
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match=complaint):
            async with client.transcribe(**asked):
                pytest.fail("the block must not be entered")
    assert gateway.visits == []


async def test_entering_does_not_wait_for_the_connection(gateway: ScriptedGateway) -> None:
    gateway.plan(NeverAnswer())
    async with gateway.client() as client:
        session = client.transcribe(SAID)
        with assert_no_checkpoints():
            transcript = await session.__aenter__()
        await session.__aexit__(None, None, None)
    assert isinstance(transcript, ts.Transcript)


# ---------------------------------------------------------------- sources


async def test_a_source_that_is_no_generator_needs_no_closing(gateway: ScriptedGateway) -> None:
    class Microphone:
        def __init__(self) -> None:
            self.chunks = SAID.chunks(0.1)

        def __aiter__(self) -> AsyncIterator[bytes]:
            return self

        async def __anext__(self) -> bytes:
            await trio.lowlevel.checkpoint()
            try:
                return next(self.chunks)
            except StopIteration:
                raise StopAsyncIteration from None

    async with gateway.client() as client:
        assert (await client.recognize(Microphone())).text == SAID.text


async def test_a_memory_channel_is_a_source(gateway: ScriptedGateway) -> None:
    send, receive = trio.open_memory_channel[bytes](0)

    async def talk() -> None:
        async with send:
            for chunk in SAID.chunks(0.25):
                await send.send(chunk)

    async with gateway.client() as client, trio.open_nursery() as nursery:
        nursery.start_soon(talk)
        assert (await client.recognize(receive)).text == SAID.text


def cut_anywhere(audio: bytes) -> list[bytes]:
    """Chunks of 323 bytes, which halve a sample each."""
    return [audio[at : at + 323] for at in range(0, len(audio), 323)]


async def as_they_come(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def stream_of(audio: bytes) -> trio.abc.ReceiveStream:
    stream = MemoryReceiveStream()
    stream.put_data(audio)
    stream.put_eof()
    return stream


SOURCES: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "a list of chunks": cut_anywhere,
    "an iterator": lambda audio: iter(cut_anywhere(audio)),
    "an async generator": lambda audio: as_they_come(cut_anywhere(audio)),
    "a receive stream": stream_of,
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
async def test_audio_comes_from_whatever_yields_bytes_of_any_sizes(
    gateway: ScriptedGateway, source: Callable[[bytes], Any]
) -> None:
    async with gateway.client() as client:
        assert (await client.recognize(source(SAID.audio))).text == SAID.text


async def test_a_source_without_audio(gateway: ScriptedGateway) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        await trio.sleep(3.0)
        if gateway.visits is None:
            yield b""

    async with gateway.client() as client:
        assert await client.recognize(nothing()) == ts.Recognition("", (), ())
    assert trio.current_time() == 3.0


# ---------------------------------------------------------------- the one-shot form


async def test_all_at_once(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(2.0), Drop())
    said = speech(10.0)
    async with gateway.client() as client:
        recognition = await client.recognize(said)
    assert recognition.text == said.text
    assert [word.text for word in recognition.words] == [word.text for word in said.words]
    assert all(isinstance(final, ts.FinalTranscript) for final in recognition.finals)
    assert recognition.gaps == ()


async def test_all_at_once_needs_something(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match="recognize\\(\\) needs a source"):
            await client.recognize(None)  # type: ignore[arg-type]
        with pytest.raises(ts.ConfigurationError, match="text must be a string"):
            await client.render(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", ["x", None, 1.5, -1, True])
async def test_connections_are_prewarmed_by_a_whole_number(gateway: ScriptedGateway, count: Any) -> None:
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match="n must be a whole number"):
            await client.prewarm(count)


async def test_all_at_once_tells_what_it_lost(gateway: ScriptedGateway) -> None:
    gateway.plan(Outage(10.0))
    policy = ts.ReplayPolicy(limit=1.0, overflow="drop_oldest")
    async with gateway.client(replay=policy) as client:
        recognition = await client.recognize(SAID)
    (gap,) = recognition.gaps
    assert (gap.start, gap.reason) == (0.0, "overflow")
    assert recognition.text == ""


# ---------------------------------------------------------------- what a failure leaves


async def test_a_recognition_that_fails_carries_what_was_recognized(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(2.0), Outage(1_000.0))
    with pytest.raises(ts.RetriesExhausted) as caught:
        async with gateway.client(retry=ts.RetryPolicy(max_attempts=2)) as client:
            await client.recognize(SAID)
    partial = caught.value.partial
    assert isinstance(partial, ts.Recognition)
    assert (partial.text, [final.text for final in partial.finals]) == ("turn left", ["turn left"])
    assert "1 final transcript recognized before this error: see error.partial" in caught.value.__notes__


async def test_an_error_of_the_source_carries_what_was_recognized(gateway: ScriptedGateway) -> None:
    class Unplugged(OSError):
        partial: ts.Recognition

    async def microphone() -> AsyncGenerator[bytes, None]:
        async for chunk in SAID.source():
            yield chunk
        await trio.sleep(1.0)
        raise Unplugged

    async with gateway.client() as client:
        with pytest.raises(Unplugged) as caught:
            await client.recognize(microphone())
    assert caught.value.partial.text == "turn left now"


async def test_an_error_before_the_first_word_carries_an_empty_recognition(gateway: ScriptedGateway) -> None:
    gateway.plan(Outage(1_000.0))
    with pytest.raises(ts.RetriesExhausted) as caught:
        async with gateway.client(retry=ts.RetryPolicy(max_attempts=2)) as client:
            await client.recognize(SAID)
    assert caught.value.partial == ts.Recognition("", (), ())
    assert not [note for note in caught.value.__notes__ if "partial" in note]


async def test_a_session_that_fails_carries_what_was_not_read(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(SAID.seconds), Outage(1_000.0))
    read: list[ts.FinalTranscript] = []
    with pytest.raises(ts.RetriesExhausted) as caught:
        async with gateway.client(retry=ts.RetryPolicy(max_attempts=2)) as client, client.transcribe() as transcript:
            await transcript.send(SAID.audio)
            async for event in transcript:
                if isinstance(event, ts.FinalTranscript):
                    read.append(event)
                    break
            await transcript.send(SAID.audio)
            await trio.sleep_forever()
    partial = caught.value.partial
    assert isinstance(partial, ts.Recognition)
    assert [final.text for final in (*read, *partial.finals)] == ["turn left", "now"]


async def test_the_error_of_another_session_carries_nothing_of_this_one(gateway: ScriptedGateway) -> None:
    with pytest.raises(ts.ConfigurationError) as caught:
        async with gateway.client() as client, client.transcribe() as transcript:
            await transcript.send(SAID.audio)
            await transcript.settled()
            await client.prewarm(-1)
    assert caught.value.partial is None


# ---------------------------------------------------------------- clients


async def test_nothing_is_dialed_before_it_is_needed(gateway: ScriptedGateway) -> None:
    async with gateway.client():
        await trio.sleep(60.0)
    assert gateway.visits == []


@pytest.mark.parametrize("none", [[], ()])
async def test_a_client_needs_a_backend(none: Any) -> None:
    with pytest.raises(ts.ConfigurationError, match="backend must name at least one backend"):
        async with ts.open_client(none):
            pytest.fail("the block must not be entered")


class Halved:
    """A backend but for its transport, which is no method."""

    transport = None
    recognizer = voice = staticmethod(lambda request: None)


class Eager:
    """A backend whose transport is no context manager."""

    recognizer = voice = staticmethod(lambda request: None)

    def transport(self) -> int:
        return 5


async def test_a_transport_is_a_context_manager_or_none() -> None:
    with pytest.raises(ts.ConfigurationError, match=r"Eager\.transport\(\) must return an async context manager"):
        async with ts.open_client(Eager()):  # type: ignore[arg-type]
            pytest.fail("the block must not be entered")


async def test_a_trust_is_an_ssl_context() -> None:
    with pytest.raises(ts.ConfigurationError, match=r"ssl_context must be an ssl\.SSLContext or None, not str"):
        async with ts.open_client(ts.LiveKit(), ssl_context="cert.pem"):  # type: ignore[arg-type]
            pytest.fail("the block must not be entered")


@pytest.mark.parametrize("none", [None, "https://host/v1", 5, ts.LiveKit, Halved(), [ts.LiveKit(), "key"]])
async def test_what_is_no_backend_is_refused_and_not_quoted(none: Any) -> None:
    with pytest.raises(
        ts.ConfigurationError,
        match=r"backend must be (a backend, .* not (NoneType|str|int|Halved)|an instance, not the class LiveKit)",
    ):
        async with ts.open_client(none):
            pytest.fail("the block must not be entered")


@pytest.mark.parametrize(
    ("policies", "complaint"),
    [
        ({"retry": 5}, "retry must be a RetryPolicy, not int"),
        ({"replay": ts.RetryPolicy()}, "replay must be a ReplayPolicy, not RetryPolicy"),
        ({"pool": None}, "pool must be a PoolPolicy, not NoneType"),
        ({"liveness": 5.0}, "liveness must be a LivenessPolicy, not float"),
    ],
)
async def test_what_is_no_policy_is_refused(policies: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ts.ConfigurationError, match=complaint):
        async with ts.open_client(ts.LiveKit(), **policies):
            pytest.fail("the block must not be entered")


async def test_many_sessions_share_a_client(gateway: ScriptedGateway) -> None:
    texts: dict[int, str] = {}

    async def one(client: ts.Client, seed: int) -> None:
        texts[seed] = (await client.recognize(speech(4.0, seed=seed))).text

    async with gateway.client() as client, trio.open_nursery() as nursery:
        for seed in range(5):
            nursery.start_soon(one, client, seed)
    assert texts == {seed: speech(4.0, seed=seed).text for seed in range(5)}
    assert gateway.peak == 5


class Bringing:
    """A backend that brings something along, as `Local` does."""

    def __init__(
        self, gateway: ScriptedGateway, *, fails: BaseException | None = None, later: float | None = None
    ) -> None:
        backend = gateway.backend()
        self.recognizer = backend.recognizer
        self.voice = backend.voice
        self.connect = gateway.connect
        self.fails = fails
        self.later = later
        self.closed: list[float] = []

    def transport(self) -> AbstractAsyncContextManager[Any]:
        return self.bring()

    @asynccontextmanager
    async def bring(self) -> AsyncGenerator[Any, None]:
        await trio.lowlevel.checkpoint()
        if self.fails is not None and self.later is None:
            raise self.fails
        async with trio.open_nursery() as nursery:
            if self.fails is not None:
                nursery.start_soon(self.fail)
            try:
                yield self.connect
            finally:
                self.closed.append(trio.current_time())

    async def fail(self) -> None:
        assert self.later is not None
        assert self.fails is not None
        await trio.sleep(self.later)
        raise self.fails


async def test_what_a_backend_brings_is_open_for_as_long_as_the_client(gateway: ScriptedGateway) -> None:
    backend = Bringing(gateway)
    async with ts.open_client(backend) as client:
        assert (await client.recognize(SAID)).text == SAID.text
        await trio.sleep(10.0)
        assert backend.closed == []
    assert len(backend.closed) == 1


async def test_what_a_backend_brings_sees_no_exception_of_the_users(gateway: ScriptedGateway) -> None:
    backend = Bringing(gateway)
    with pytest.raises(ZeroDivisionError) as caught:
        async with ts.open_client(backend):
            raise ZeroDivisionError
    assert caught.value.__context__ is None
    assert len(backend.closed) == 1


async def test_a_backend_that_cannot_be_brought_leaves_bare(gateway: ScriptedGateway) -> None:
    with pytest.raises(ts.ConfigurationError, match="the extra is missing"):
        async with ts.open_client(Bringing(gateway, fails=ts.ConfigurationError("the extra is missing"))):
            pytest.fail("the block must not be entered")


async def test_a_backend_that_fails_later_ends_the_client(gateway: ScriptedGateway) -> None:
    backend = Bringing(gateway, fails=OSError("the engine died"), later=2.0)
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # whichever it is, it holds the engine's error
        async with ts.open_client(backend) as client, client.transcribe() as transcript:
            async for _ in transcript:
                pass
    assert "the engine died" in repr(caught.value)
    assert trio.current_time() == pytest.approx(2.0, abs=0.1)


async def test_a_client_that_was_left_opens_no_session() -> None:
    async with open_gateway() as gateway:
        async with gateway.client() as client:
            pass
        for session in (client.transcribe(SAID), client.resume_journal("none"), client.synthesize("hello")):
            with pytest.raises(trio.ClosedResourceError):
                async with session:
                    pytest.fail("the block must not be entered")
        assert gateway.visits == []


# ---------------------------------------------------------------- over TCP


@pytest.mark.trio(run=trio.run)
async def test_a_whole_session_over_loopback() -> None:
    said = say(0.1, "turn left", 0.5, "now", 0.5)
    async with open_gateway() as gateway:
        gateway.plan(Refuse(503), Hear(0.5), Drop())
        backend = ts.LiveKit(url=await gateway.listen(), api_key="key", api_secret="a secret of thirty-two characters")
        async with ts.open_client(backend) as client:
            recognition = await client.recognize(said.source(speed=4.0))
    assert recognition.text == said.text
    assert [visit.heard for visit in gateway.visits] == [0.0, 0.5, pytest.approx(said.seconds)]
