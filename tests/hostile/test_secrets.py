"""Servers that quote the credential that they were sent: nothing that a session can emit shows it."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import trio_speech as ts
from trio_speech.testing import say

from .wild import CLOSE, Behavior, Peer, Wild, answers, frame, says

SECRET = "sk-Very/Secret+Key=42~abcdefghijklmno"
FORMAT = ts.AudioFormat.pcm16(24_000)
SAID = say(0.2, "one two three", 0.6)
RETRY = ts.RetryPolicy(max_attempts=1, max_delay=0.1)


async def token() -> str:
    return SECRET


VOICE = "cartesia/sonic-3:voice"
BACKENDS: dict[str, Any] = {
    "livekit": ts.LiveKit(url="https://speech.test/v1", api_key=token),
    "deepgram": ts.Deepgram(SECRET, url="https://speech.test"),
    "cartesia": ts.Cartesia(SECRET, url="https://speech.test"),
    "elevenlabs": ts.ElevenLabs(SECRET, url="https://speech.test"),
    "openai": ts.OpenAI(SECRET, url="https://speech.test"),
}


async def hear(client: ts.Client, events: list[object], model: str | None = None) -> None:
    async with client.transcribe(SAID, FORMAT, model=model) as transcript:
        try:
            async for event in transcript:
                events.append(event)  # noqa: PERF401  # kept though the loop fails
        finally:
            events.append(transcript.statistics())


async def hear_turns(client: ts.Client, events: list[object]) -> None:
    await hear(client, events, "deepgram/flux-general-en")


async def speak(client: ts.Client, events: list[object]) -> None:
    async with client.synthesize("one two three", model=VOICE) as speech:
        try:
            async for chunk in speech:
                events.append(chunk)  # noqa: PERF401
        finally:
            events.append(speech.statistics())


async def warm(client: ts.Client, events: list[object]) -> None:
    await client.prewarm()


Use = Callable[[ts.Client, list[object]], Awaitable[None]]
USES: list[tuple[str, Use]] = [
    ("livekit", hear),
    ("deepgram", hear),
    ("deepgram", hear_turns),
    ("elevenlabs", hear),
    ("openai", hear),
    ("livekit", speak),
    ("cartesia", speak),
    ("livekit", warm),
]

# ---------------------------------------------------------------- how it is quoted

ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": lambda secret: secret,
    "in a URL": lambda secret: quote(secret, safe=""),
    "in a URL, in lower case": lambda secret: "".join(
        f"%{ord(each):02x}" if quote(each, safe="") != each else each for each in secret
    ),
    "in a form": quote_plus,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64 of the header": lambda secret: base64.b64encode(f"Authorization: Bearer {secret}\n".encode()).decode(),
    "base64 of a header of another length": lambda secret: base64.b64encode(f"Token {secret}".encode()).decode(),
    "in part": lambda secret: secret[7:-5],
}
LINES = "\r\n2026-01-01 ERROR forged\x1b[2J\u202e"


def quoted_in_json(text: str) -> bytes:
    return msgspec.json.encode(text)


# ---------------------------------------------------------------- where it is quoted


def body(text: str) -> Behavior:
    said = text.encode()
    return answers(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\n\r\n" % len(said) + said)


def body_for_ever(text: str) -> Behavior:
    """A refusal whose body never ends, which is cut by a deadline."""
    return answers(b"HTTP/1.1 503 Busy\r\nContent-Length: 60000\r\n\r\n" + text.encode())


def headers(text: str) -> Behavior:
    line = text.encode("latin-1", "replace").replace(b"\r", b" ").replace(b"\n", b" ").replace(b"\x1b", b" ")
    return answers(
        b"HTTP/1.1 308 Moved\r\nX-Request-Id: " + line + b"\r\nLocation: https://new.test/" + line + b"\r\n\r\n"
    )


def invalid_handshake(text: str) -> Behavior:
    return answers(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX y " + text.encode() + b"\r\n\r\n")


def close_reason(text: str) -> Behavior:
    return says(frame(b"\x03\xf0" + text.encode()[:121].decode("utf-8", "ignore").encode(), CLOSE))


def in_band(text: str) -> Behavior:
    """An error in the words of every protocol, in each of its texts."""
    told = {"message": text, "code": text, "request_id": text, "description": text, "title": text, "error": text}
    livekit = {"type": "error", **told}
    deepgram = {"type": "Error", "variant": text, **told}
    openai = {"type": "error", "error": {"type": text, **told}}
    elevenlabs = {"message_type": "auth_error", **told}

    async def behavior(peer: Peer) -> None:
        await peer.open()
        await peer.say(*[frame(msgspec.json.encode(each)) for each in (livekit, deepgram, openai, elevenlabs)])
        await peer.listen()

    return behavior


def malformed(text: str) -> Behavior:
    return says(frame(msgspec.json.encode({"type": "final_transcript", "transcript": [text], text: text})))


PATHS = {
    path.__name__: path for path in (body, body_for_ever, headers, invalid_handshake, close_reason, in_band, malformed)
}

# ---------------------------------------------------------------- all that comes out


class Emitted:
    """Everything that a session can emit, as text."""

    def __init__(self, caplog: pytest.LogCaptureFixture, exporter: InMemorySpanExporter) -> None:
        self.events: list[object] = []
        self._texts: list[str] = []
        self._messages: list[str] = []
        self._caplog = caplog
        self._exporter = exporter

    def failure(self, error: BaseException | None) -> None:
        seen: set[int] = set()
        waiting = [error]
        while waiting:
            each = waiting.pop()
            if each is None or id(each) in seen:
                continue
            seen.add(id(each))
            waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
            self._messages.append(str(each))
            self._texts += [str(each), repr(each), repr(each.args), repr(getattr(each, "__notes__", ()))]
            self._texts += [f"{name}={value!r}" for name, value in vars(each).items()]
            self._texts += traceback.format_exception(each)

    @property
    def texts(self) -> list[str]:
        records = [str(vars(record)) + record.getMessage() for record in self._caplog.records]
        spans = [span.to_json() for span in self._exporter.get_finished_spans()]
        return [*self._texts, *map(repr, self.events), *map(str, self.events), *records, *spans]

    @property
    def lines(self) -> list[str]:
        """What is to be one line each: messages of errors and of log records, and causes in events."""
        causes = [event.cause for event in self.events if isinstance(event, ts.LinkLost)]
        return [*causes, *self._messages, *(record.getMessage() for record in self._caplog.records)]


@pytest.fixture
def emitted(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emitted]:
    exporter, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", tracers.get_tracer)
    caplog.set_level(logging.NOTSET + 1)
    yield Emitted(caplog, exporter)
    tracers.shutdown()


def parts_of(secret: str) -> set[str]:
    """All runs of ten characters of what may be quoted of a secret."""
    quoted = [encode(secret) for encode in ENCODINGS.values()]
    return {text[at : at + 10] for text in quoted for at in range(len(text) - 9)}


@pytest.mark.parametrize(
    ("service", "use"), [*USES, ("cartesia", warm)], ids=lambda value: getattr(value, "__name__", value)
)
@pytest.mark.parametrize("path", PATHS)
async def test_nothing_shows_a_credential_that_the_server_quotes(
    wild: Wild, emitted: Emitted, service: str, use: Use, path: str
) -> None:
    backend = wild.in_place_of(BACKENDS[service])
    for encode in ENCODINGS.values():
        text = f"bad key {encode(SECRET)} given{LINES}"
        wild.behaviors.clear()
        wild.behave(PATHS[path](text), for_ever=True)
        try:
            async with ts.open_client(backend, retry=RETRY) as client:
                emitted.events.append(client)
                await use(client, emitted.events)
        except ts.SpeechError as error:
            emitted.failure(error)
    emitted.events.append(backend)
    forbidden = parts_of(SECRET) - parts_of("s" + (len(SECRET) - 1) * "#")  # such as "Bearer " in base64
    everything = "\n".join(emitted.texts)
    assert [part for part in forbidden if part in everything] == []
    assert not [line for line in emitted.lines if not line.isprintable()]
    assert len(emitted.texts) > len(ENCODINGS), "something must have been told"


@pytest.mark.parametrize("path", ["body", "close_reason", "in_band"])
async def test_what_a_server_says_besides_is_told(wild: Wild, path: str) -> None:
    wild.behave(PATHS[path](f"the key {SECRET} is not known here: 未知\r\n"), for_ever=True)
    with pytest.raises(ts.SpeechError) as caught:
        async with ts.open_client(wild.in_place_of(BACKENDS["deepgram"]), retry=RETRY) as client:
            await hear(client, [])
    assert r"the key [credential] is not known here: 未知\r\n" in str(caught.value) + str(caught.value.__cause__)
