"""A provider of your own: a made-up speech service, *Parrot*, whole, with public names alone.

Parrot takes one websocket for each, ``/listen`` and ``/talk``, with an API key in a header. Messages are JSON in text
frames; audio comes and goes in binary ones, 16-bit PCM.

    listen   client: {"type":"start","rate":16000}, audio, {"type":"commit"}, {"type":"stop"}
             server: {"type":"heard","text":"turn left","from":0.5,"to":1.1,"final":true,"words":[["turn",0.5,0.7],…]},
                     {"type":"committed"} after the finals of a commit, {"type":"stopped"} after the last of all
    talk     client: {"type":"voice","name":"polly","rate":24000}, {"type":"say","text":"Hello."}, {"type":"hush"}
             server: audio, {"type":"said"} after all audio of a text, or {"type":"hushed"} after a hush
    either   server: {"type":"oops","code":429,"text":"too many parrots"}, and then it closes

Run it: it recognizes and speaks through a connection that breaks, and then holds the provider against all laws. The
second half of the file is the service's side, for the scripted gateway of `trio_speech.testing` to speak.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec
import trio

import trio_speech as ts
from trio_speech import provider as p
from trio_speech.testing import (
    Close,
    Drop,
    Hear,
    InBandError,
    MidWord,
    Speak,
    check_provider,
    hear,
    open_gateway,
    speech,
    wires,
)

# ---------------------------------------------------------------- the messages


class Start(msgspec.Struct, frozen=True, tag="start"):
    rate: int


class Commit(msgspec.Struct, frozen=True, tag="commit"):
    pass


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    pass


class Heard(msgspec.Struct, frozen=True, tag="heard", rename={"start": "from", "end": "to"}):
    text: str
    start: p.Seconds
    end: p.Seconds
    final: bool = False
    words: tuple[tuple[str, p.Seconds, p.Seconds], ...] = ()


class Committed(msgspec.Struct, frozen=True, tag="committed"):
    pass


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    pass


class Voice(msgspec.Struct, frozen=True, tag="voice"):
    name: str
    rate: int


class Say(msgspec.Struct, frozen=True, tag="say"):
    text: str


class Hush(msgspec.Struct, frozen=True, tag="hush"):
    pass


class Said(msgspec.Struct, frozen=True, tag="said"):
    pass


class Hushed(msgspec.Struct, frozen=True, tag="hushed"):
    pass


class Oops(msgspec.Struct, frozen=True, tag="oops"):
    text: str = "no reason given"
    code: int | None = None


FromListener: TypeAlias = Heard | Committed | Stopped | Oops
FromTalker: TypeAlias = Said | Hushed | Oops
from_listener: p.TaggedUnion[FromListener] = p.TaggedUnion(FromListener)
from_talker: p.TaggedUnion[FromTalker] = p.TaggedUnion(FromTalker)


def frame_of(message: msgspec.Struct) -> str:
    return msgspec.json.encode(message).decode()


# ---------------------------------------------------------------- the recognizer

# Parrot's times are exact, so audio is acknowledged by the end of a final, and words that come again after a
# reconnection are known by their times. It ends utterances by itself.
LISTENER = p.SttProfile(sample_rates=(8_000, 16_000))


class ParrotListener(p.SttCodec):
    """The codec of one recognition connection. There is no message to keep one alive."""

    def __init__(self, rate: int) -> None:
        self._rate = rate

    def open(self) -> Iterable[p.Frame]:
        return (frame_of(Start(self._rate)),)

    def audio(self, pcm: bytes | memoryview) -> p.Frame:
        return bytes(pcm)

    def finalize(self) -> p.Frame:
        return frame_of(Commit())

    def update(self, change: p.Change) -> p.Frame | None:
        raise ts.ConfigurationError("Parrot changes nothing in a running session: open a new session")

    def close(self) -> p.Frame:
        return frame_of(Stop())

    def decode(self, frame: p.Frame) -> Iterable[p.SttMessage]:
        match from_listener.decode(frame):
            case Heard() as heard:
                start, end = p.span(heard.start, heard.end)
                words = tuple(p.timed_word(*word) for word in heard.words)
                return (
                    p.RecognitionResult(
                        kind="final" if heard.final else "interim",
                        text=heard.text,
                        start=start,
                        end=end,
                        words=words,
                        ends_speech=heard.final,
                    ),
                )
            case Committed():
                return (p.FinalizeAnswered(),)
            case Stopped():
                return (p.Closed(),)
            case Oops(text, code):
                return (p.Failure(message=text, code=code),)
            case unknown:
                return (unknown,)


class ParrotRecognizer(msgspec.Struct, frozen=True):
    """What one request has of Parrot: see `SttProvider`."""

    endpoint: str
    key: str
    rate: int

    @property
    def profile(self) -> p.SttProfile:
        return LISTENER

    @property
    def url(self) -> str:
        return self.endpoint

    async def dial(self) -> p.Dial:
        return p.Dial(self.url, (("Parrot-Key", self.key),))

    def codec(self) -> ParrotListener:
        return ParrotListener(self.rate)

    def __repr__(self) -> str:
        return f"ParrotRecognizer({self.endpoint!r})"


# ---------------------------------------------------------------- the voice

# Parrot gives no word times, and never says a sentence twice alike: after a drop a sentence is spoken again whole.
TALKER = p.TtsProfile(sample_rates=(16_000, 24_000), max_characters=500)


class ParrotTalker(p.TtsCodec):
    """The codec of one speech connection. There are no messages to keep one alive, and to close one."""

    def __init__(self, name: str, rate: int) -> None:
        self._voice = Voice(name, rate)
        self._talking = False

    def open(self) -> Iterable[p.Frame]:
        return (frame_of(self._voice),)

    def speak(self, text: str) -> Iterable[p.Frame]:
        self._talking = True
        return (frame_of(Say(text)),)

    def cancel(self) -> p.Frame | None:
        return frame_of(Hush()) if self._talking else None

    def decode(self, frame: p.Frame) -> Iterable[p.TtsMessage]:
        if isinstance(frame, bytes):
            return (p.Audio(frame),) if frame else ()
        match from_talker.decode(frame):
            case Said() | Hushed():
                done, self._talking = self._talking, False
                return (p.Done(),) if done else ()
            case Oops(text, code):
                return (p.Failure(message=text, code=code),)
            case unknown:
                return (unknown,)


class ParrotVoice(msgspec.Struct, frozen=True):
    """What one request has of Parrot: see `TtsProvider`."""

    endpoint: str
    key: str
    name: str
    rate: int

    @property
    def profile(self) -> p.TtsProfile:
        return TALKER

    @property
    def pool_key(self) -> object:
        return (self.key, self.name, self.rate)

    async def dial(self) -> p.Dial:
        return p.Dial(self.endpoint, (("Parrot-Key", self.key),))

    def codec(self) -> ParrotTalker:
        return ParrotTalker(self.name, self.rate)

    def __repr__(self) -> str:
        return f"ParrotVoice({self.endpoint!r}, {self.name!r})"


# ---------------------------------------------------------------- the backend


class Parrot(msgspec.Struct, frozen=True):
    """What a user gives to `open_client`: see `Backend`."""

    key: str
    url: str = "https://parrot.example"

    def recognizer(self, request: p.TranscribeRequest) -> ParrotRecognizer:
        p.accept_format(request.audio_format, LISTENER, model=request.model)
        p.refuse_fallback(request.fallback, "Parrot")
        p.refuse_unused(request, "Parrot")
        base = p.websocket_base(self.url, "the url of Parrot")
        return ParrotRecognizer(f"{base}/listen", self.key, request.audio_format.sample_rate)

    def voice(self, request: p.SynthesizeRequest) -> ParrotVoice:
        p.accept_format(request.audio_format, TALKER, model=request.model)
        p.refuse_fallback(request.fallback, "Parrot")
        p.refuse_unused(request, "Parrot", "voice")
        base = p.websocket_base(self.url, "the url of Parrot")
        return ParrotVoice(f"{base}/talk", self.key, request.voice or "polly", request.audio_format.sample_rate)

    def transport(self) -> None:
        return None

    def __repr__(self) -> str:
        return f"Parrot(url={self.url!r})"


# ---------------------------------------------------------------- the service's side, for tests

FromClient: TypeAlias = Start | Commit | Stop | Voice | Say | Hush
from_client: p.TaggedUnion[FromClient] = p.TaggedUnion(FromClient)


class ParrotWire:
    """Either endpoint of the service, as the scripted gateway plays it: see `Wire`."""

    idle = None
    fates: Mapping[InBandError | Close, p.Fate] = {
        InBandError(403, "no parrots here"): "fatal",
        InBandError(429, "too many parrots"): "retry",
        Close(1011): "retry",
    }
    garbled = '{"type":"heard","text":17}'

    def __init__(self, query: str, session_id: str) -> None:
        del query, session_id  # Parrot has no use for them

    def opens(self) -> Iterable[wires.Request]:
        return ()

    def manner(self, manner: wires.Manner) -> wires.Manner:
        return manner

    def decode(self, frame: p.Frame) -> wires.Incoming:
        if isinstance(frame, bytes):
            return wires.Incoming("audio", (wires.Audio(frame),))
        message = from_client.decode(frame)
        if isinstance(message, p.Unknown):
            return wires.Incoming(message.tag, (wires.Mistake("unknown message"),))
        return wires.Incoming(type(message).__name__, self._asked(message))

    def _asked(self, message: FromClient) -> tuple[wires.Request, ...]:
        match message:
            case Start(rate):
                return (wires.TranscribeRequest(audio_format=ts.AudioFormat.pcm16(rate)),)
            case Voice(name, rate):
                return (wires.SynthesizeRequest(audio_format=ts.AudioFormat.pcm16(rate), voice=name),)
            case Say(text):
                return (wires.Text(text), wires.Flush())
            case Hush():
                return (wires.Cancel(),)
            case Commit():
                return (wires.ClientFinalize(),)
            case Stop():
                return (wires.ClientFinish(),)

    def encode(self, reply: wires.Reply) -> Iterable[wires.Outgoing]:
        message: msgspec.Struct
        match reply:
            case wires.Audio(pcm):
                return (wires.Outgoing(pcm, "audio", (reply,)),)
            case wires.RecognitionResult():
                words = tuple((word.text, word.start, word.end) for word in reply.words)
                message = Heard(reply.text, reply.start, reply.end, reply.kind == "final", words)
            case wires.FinalizeAnswered():
                message = Committed()
            case wires.Closed():
                message = Stopped()
            case wires.Done():
                message = Said()
            case wires.Cancelled():
                message = Hushed()
            case wires.Failure(message=text, code=code):
                message = Oops(text, code if isinstance(code, int) else None)
            case wires.Mistake(complaint):
                message = Oops(complaint, 400)
            case _:
                return ()
        return (wires.Outgoing(frame_of(message), type(message).__name__, (reply,)),)


WIRES: dict[str, wires.WireFactory] = {"/listen": ParrotWire, "/talk": ParrotWire}


async def main() -> None:
    said = speech(10.0)
    async with open_gateway(wires=WIRES) as gateway:
        gateway.plan(Hear(4.5), MidWord(), Drop())
        async with ts.open_client(gateway.in_place_of(Parrot("hunter2"))) as client:
            async with client.transcribe(said, said.audio_format) as transcript:
                async for event in transcript:
                    match event:
                        case ts.FinalTranscript(text=text):
                            print("heard:", text)
                        case ts.LinkLost(cause=cause):
                            print("lost: ", cause)
                        case _:
                            pass
            gateway.plan(Speak(0.5), Drop())
            clip = await client.render("Polly wants a cracker. Polly wants another one.")
            print("spoken:", " ".join(word.token for word in hear(clip.audio)))


if __name__ == "__main__":
    trio.run(main)
    check_provider(Parrot("hunter2"), wires=WIRES, secrets=["hunter2"], runs=1, progress=print)
    print("Parrot keeps all laws")
