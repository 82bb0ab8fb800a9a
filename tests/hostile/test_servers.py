"""A client among servers that break every rule: a named error or a clean skip, bounded memory, no hang, and a ledger
in which every sample is accounted for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import trio

import trio_speech as ts
from trio_speech.testing import ScriptedGateway, assert_exactly_once, assert_ledger, say

from .wild import BINARY, CLOSE, MORE, PING, PONG, Behavior, Peer, Wild, answers, frame, says

SAID = say(0.2, "one two three", 0.6)
GIGABYTE = 2**30
LIVEKIT = ts.LiveKit(url="https://speech.test/v1", api_key="key", api_secret="s" * 40)
DEADLINE = 8.0
PATIENCE = ts.RetryPolicy(deadline=DEADLINE, max_delay=1.0)
HAIR = 0.01
GOODBYE = ts.LivenessPolicy().close_timeout
"""For these servers answer none."""


class Listening:
    """A session with a server from its beginning to its end, whichever that is."""

    def __init__(self, wild: Wild, backend: ts.LiveKit | ts.Deepgram = LIVEKIT, **policies: Any) -> None:
        self.backend = wild.in_place_of(backend)
        self.policies = {"liveness": ts.LivenessPolicy(standby=False), **policies}  # no other may answer in its place
        self.events: list[ts.TranscriptEvent] = []
        self.transcript: ts.Transcript

    async def run(self) -> Listening:
        client = ts.open_client(self.backend, **self.policies)
        async with client as opened, opened.transcribe(SAID) as self.transcript:
            async for event in self.transcript:
                self.events.append(event)
        return self

    @property
    def causes(self) -> list[str]:
        return [event.cause for event in self.events if isinstance(event, ts.LinkLost)]

    def assert_whole(self, gateway: ScriptedGateway) -> None:
        assert_exactly_once(self.events, SAID, gateway.visits)
        self.assert_kept()
        assert self.transcript.unacknowledged()[1] == b""

    def assert_kept(self) -> None:
        assert_ledger(self.transcript.statistics(), self.events, self.transcript.statistics().captured)


def message(**fields: object) -> bytes:
    return frame(msgspec.json.encode(fields))


def final(**fields: object) -> bytes:
    told = {"transcript": "word", "start": 0.0, "duration": 0.1, "words": [], **fields}
    return message(type="final_transcript", **told)


# ---------------------------------------------------------------- frames

BAD_FRAMES = {
    "invalid UTF-8": frame(b"\xff\xfe"),
    "UTF-8 cut short": frame("é".encode()[:1]),
    "a gigabyte announced": frame(b"x" * 1_000, announced=GIGABYTE),
    "more than can be": frame(b"x", announced=2**63),
    "one byte too many": frame(b"", announced=4 * 2**20 + 1),
    "a gigabyte in pieces": frame(b"x" * 10, fin=False) + frame(b"x" * 10, MORE, announced=GIGABYTE),
    "pieces without end": frame(fin=False) + frame(b"", MORE, fin=False) * 5_000,
    "continues what never began": frame("x", MORE),
    "begins what is not over": frame("x", fin=False) + frame("x"),
    "a reserved opcode": frame("x", 3),
    "a reserved control opcode": frame("x", 11),
    "reserved bits": frame("x", reserved=2),
    "compressed": frame(b"\xaaV*\x01\x00", reserved=4),
    "masked": frame("x", masked=True),
    "a ping too long": frame(b"x" * 126, PING),
    "a ping in pieces": frame(b"x", PING, fin=False),
    "a length with too many bytes": b"\x81\x7e\x00\x05hello",
    "a close of one byte": frame(b"\x03", CLOSE),
    "a close code out of range": frame(b"\x00\x01", CLOSE),
    "a close code beyond range": frame(b"\xff\xff", CLOSE),
    "a close code for nobody to send": frame(b"\x03\xee", CLOSE),
    "a close reason that is no text": frame(b"\x03\xe8\xff", CLOSE),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_a_bad_frame_costs_a_link_and_no_word(wild: Wild, gateway: ScriptedGateway, name: str) -> None:
    wild.behave(says(BAD_FRAMES[name]))
    listening = await Listening(wild).run()
    assert [cause.partition(":")[0] for cause in listening.causes] == ["malformed message from the service"]
    listening.assert_whole(gateway)
    assert trio.current_time() < SAID.seconds + 5.0


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_bad_frames_for_ever_end_in_a_named_error_by_the_deadline(wild: Wild, name: str) -> None:
    wild.behave(says(BAD_FRAMES[name]), for_ever=True)
    listening = Listening(wild, retry=PATIENCE)
    with pytest.raises(ts.RetriesExhausted, match="malformed message") as caught:
        await listening.run()
    assert isinstance(caught.value.__cause__, ts.ProtocolError)
    assert trio.current_time() <= DEADLINE + GOODBYE + HAIR
    assert listening.transcript.unacknowledged() == (0.0, SAID.audio)
    listening.assert_kept()
    await trio.testing.wait_all_tasks_blocked()
    assert wild.left
    assert len(wild.peers) < 60


async def test_a_frame_of_a_gigabyte_is_refused_at_its_header(wild: Wild) -> None:
    async def gigabyte(peer: Peer) -> None:
        await peer.open()
        await peer.say(frame(announced=GIGABYTE), *[bytes(65_536)] * (GIGABYTE // 65_536))

    wild.behave(gigabyte)
    listening = await Listening(wild).run()
    assert wild.peers[0].said < 200_000
    assert listening.causes == ["malformed message from the service: more than 4194304 bytes in one message"]


# ---------------------------------------------------------------- handshakes

ENDLESS = [b"X-Padding: " + b"x" * 1_000 + b"\r\n"] * 10_000
UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


def greets(*headers: bytes, accept: bytes | None = None) -> Behavior:
    async def behavior(peer: Peer) -> None:
        await peer.open(*headers, accept=accept)
        await peer.listen()

    return behavior


def trickles(data: bytes, every: float) -> Behavior:
    async def behavior(peer: Peer) -> None:
        await peer.read_request()
        for byte in data:
            await peer.say(bytes([byte]))
            await trio.sleep(every)
        await peer.listen()

    return behavior


REFUSALS: dict[str, tuple[Behavior, str]] = {
    "endless headers": (answers(UPGRADE, *ENDLESS), "could not connect"),
    "one endless header": (answers(UPGRADE + b"X: ", *[b"x" * 65_536] * 1_000), ""),
    "an endless status line": (answers(b"HTTP/1.1 ", *[b"1" * 65_536] * 1_000), ""),
    "no HTTP": (answers(b"\x15\x03\x01\x00\x02\x02\x46"), "could not connect: the websocket failed: Bad HTTP message"),
    "a wrong accept token": (greets(accept=b"bm9uc2Vuc2U="), "could not connect: the websocket failed: Bad accept"),
    "no accept token": (answers(UPGRADE + b"\r\n"), "could not connect"),
    "a subprotocol nobody asked for": (greets(b"Sec-WebSocket-Protocol: other"), "unrecognized subprotocol other"),
    "a subprotocol beyond ASCII": (greets(b"Sec-WebSocket-Protocol: \xff"), "could not connect"),
    "an extension nobody asked for": (
        greets(b"Sec-WebSocket-Extensions: permessage-deflate"),
        "unrecognized extension permessage-deflate",
    ),
    "no upgrade": (answers(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "could not connect"),
    "a byte at a time": (trickles(UPGRADE * 100, 0.1), "no answer to the handshake within 10 s"),
    "silence": (answers(), "no answer to the handshake within 10 s"),
    "an end": (answers(then="leave"), "could not connect: the handshake was not answered"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_an_invalid_handshake_is_tried_again(wild: Wild, gateway: ScriptedGateway, name: str) -> None:
    behavior, told = REFUSALS[name]
    wild.behave(behavior)
    listening = await Listening(wild).run()
    (cause,) = listening.causes
    assert told in cause
    assert len(cause) < 600
    listening.assert_whole(gateway)
    assert wild.peers[0].said < 300_000
    assert trio.current_time() < SAID.seconds + 12.0
    await trio.sleep(0.2)  # it learns of it with its next byte
    assert wild.left


FINAL_REFUSALS: dict[str, tuple[Behavior, type[ts.ProviderError]]] = {
    "a redirect": (
        answers(b"HTTP/1.1 302 Found\r\nLocation: wss://thief.test/\r\nContent-Length: 0\r\n\r\n"),
        ts.ProviderError,
    ),
    "a permanent redirect": (
        answers(b"HTTP/1.1 308 Moved\r\nLocation: https://thief.test/\r\nContent-Length: 0\r\n\r\n"),
        ts.ProviderError,
    ),
    "a page": (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), ts.ProviderError),
    "a body that ends with the connection": (
        answers(b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\nwho are you?", then="leave"),
        ts.AuthenticationError,
    ),
    "a body that is cut short": (
        answers(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 999\r\n\r\nwho are you?", then="leave"),
        ts.AuthenticationError,
    ),
    "a body that never ends": (
        answers(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 999\r\n\r\nwho are you?"),
        ts.AuthenticationError,
    ),
    "a body without end": (
        answers(b"HTTP/1.1 401 Unauthorized\r\n\r\nwho are you?", *[b"!" * 65_536] * 10_000),
        ts.AuthenticationError,
    ),
    "a body a byte at a time": (
        trickles(b"HTTP/1.1 401 Unauthorized\r\n\r\nwho are you?" + b"!" * 1_000, 0.01),
        ts.AuthenticationError,
    ),
    "chunks without end": (
        answers(
            b"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n",
            *[b"c\r\nwho are you?\r\n"] * 10_000,
        ),
        ts.AuthenticationError,
    ),
}


@pytest.mark.parametrize("name", FINAL_REFUSALS)
async def test_a_refusal_is_understood_in_every_form(wild: Wild, name: str) -> None:
    behavior, expected = FINAL_REFUSALS[name]
    wild.behave(behavior)
    with pytest.raises(expected) as caught:
        await Listening(wild).run()
    assert expected is not ts.AuthenticationError or "who are you?" in str(caught.value)
    assert len(str(caught.value)) < 1_000
    assert len(wild.dials) == 1, "nobody is asked twice, least of all somebody else"
    assert wild.peers[0].said < 300_000
    assert trio.current_time() < 3.0
    await trio.sleep(0.1)
    assert wild.left


@pytest.mark.parametrize("after", ["1" * 400, "Mon, 01 Jan 2024 00:00:00 +99999999999999", "nan", "-5", "\xff"])
async def test_an_unreadable_retry_after_ends_in_a_named_error(wild: Wild, after: str) -> None:
    head = f"HTTP/1.1 503 Busy\r\nRetry-After: {after}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    wild.behave(answers(head), for_ever=True)
    with pytest.raises(ts.RetriesExhausted):
        await Listening(wild, retry=PATIENCE).run()
    assert trio.current_time() <= DEADLINE + GOODBYE + HAIR


# ---------------------------------------------------------------- messages


def result(**fields: object) -> bytes:
    told = {"start": 0.0, "duration": 0.1, "channel": {"alternatives": []}, **fields}
    return message(type="Results", **told)


DEEPGRAM = ts.Deepgram("key", url="https://speech.test")
BACKENDS: dict[str, ts.LiveKit | ts.Deepgram] = {"livekit": LIVEKIT, "deepgram": DEEPGRAM}
DEEP = '{"type":"final_transcript","extra":' + "[" * 100_000

MALFORMED: dict[str, tuple[str, bytes]] = {
    "half of it": ("livekit", frame('{"type":"final_transcript","transcript":"ba')),
    "an empty one": ("livekit", frame("")),
    "no object": ("livekit", frame("[1, 2]")),
    "a number": ("livekit", frame("1e999")),
    "no type": ("livekit", frame("{}")),
    "a type that is no text": ("livekit", frame('{"type": 7}')),
    "text for a number": ("livekit", final(start="0.5")),
    "a number for text": ("livekit", final(transcript=7)),
    "an object for a list": ("livekit", final(words={"word": "one"})),
    "null for text": ("livekit", final(transcript=None)),
    "no number": ("livekit", frame('{"type":"final_transcript","start":NaN}')),
    "infinity": ("livekit", frame('{"type":"final_transcript","duration":Infinity}')),
    "too large to be": ("livekit", frame('{"type":"final_transcript","duration":1e999}')),
    "an age": ("livekit", final(start=1e12)),
    "an age ago": ("livekit", final(start=-1e12)),
    "a bottomless one": ("livekit", frame(DEEP)),
    "half a character": ("livekit", frame('{"type":"final_transcript","transcript":"\\ud800"}')),
    "a result without times": ("deepgram", message(type="Results", channel={})),
    "a channel that is none": ("deepgram", result(channel=7)),
    "a result at no number": ("deepgram", frame('{"type":"Results","start":NaN,"duration":1,"channel":{}}')),
    "half of a result": ("deepgram", frame('{"type":"Results"')),
    "a speaker beyond number": (
        "deepgram",
        frame(
            '{"type":"Results","start":0,"duration":1,"channel":{"alternatives":[{"words":[{"speaker":%s}]}]}}'
            % ("9" * 9_999)
        ),
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_message_costs_a_link_and_no_word(wild: Wild, gateway: ScriptedGateway, name: str) -> None:
    backend, bad = MALFORMED[name]
    wild.behave(says(bad))
    listening = await Listening(wild, BACKENDS[backend]).run()
    assert [cause.partition(":")[0] for cause in listening.causes] == ["malformed message from the service"]
    listening.assert_whole(gateway)


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_messages_for_ever_end_in_a_named_error(wild: Wild, name: str) -> None:
    backend, bad = MALFORMED[name]
    wild.behave(says(bad), for_ever=True)
    listening = Listening(wild, BACKENDS[backend], retry=PATIENCE)
    with pytest.raises(ts.RetriesExhausted, match="malformed message") as caught:
        await listening.run()
    assert "ba" not in str(caught.value).partition("malformed message: ")[2].split()
    assert trio.current_time() <= DEADLINE + GOODBYE + HAIR
    assert listening.transcript.unacknowledged() == (0.0, SAID.audio)
    listening.assert_kept()


SKIPPED: dict[str, tuple[str, bytes, int]] = {
    "a type nobody knows": ("livekit", message(type="weather", sunny=True), 1),
    "a type as long as a book": ("livekit", message(type="x" * 100_000), 1),
    "binary where text belongs": ("livekit", frame(b"\x00\xff", BINARY), 1),
    "nothing in binary": ("livekit", frame(b"", BINARY), 1),
    "a million messages": ("livekit", message(type="?") * 4_000, 4_000),
    "a million in binary": ("deepgram", frame(b"", BINARY) * 4_000, 4_000),
    "pings": ("livekit", frame(b"?", PING) * 2_000, 0),
    "pongs to no ping": ("livekit", frame(b"?", PONG) * 4_000, 0),
    "interims without text": ("livekit", message(type="interim_transcript", transcript="") * 1_000, 0),
    "a type of the other wire": ("deepgram", final(), 1),
}


@pytest.mark.parametrize("name", SKIPPED)
async def test_messages_without_meaning_are_skipped(wild: Wild, gateway: ScriptedGateway, name: str) -> None:
    backend, noise, unknown = SKIPPED[name]

    async def noisy(peer: Peer) -> None:
        async with trio.open_nursery() as nursery:
            await peer.open()
            nursery.start_soon(peer.listen)
            await peer.say(noise)
            await trio.sleep(0.5)
            nursery.cancel_scope.cancel()

    wild.behave(noisy)
    listening = await Listening(wild, BACKENDS[backend]).run()
    assert [cause.partition(":")[0] for cause in listening.causes] == ["connection broken"]
    assert listening.transcript.statistics().unknown_messages == unknown
    listening.assert_whole(gateway)


@pytest.mark.parametrize("every", [0.1, 0.5, 5.0])
@pytest.mark.parametrize("kind", ["interim_transcript", "preflight_transcript"])
async def test_endless_interims_are_no_progress(wild: Wild, gateway: ScriptedGateway, kind: str, every: float) -> None:
    async def guesses(peer: Peer) -> None:
        async with trio.open_nursery() as nursery:
            await peer.open()
            nursery.start_soon(peer.listen)
            while True:
                guess = {"transcript": "guess", "start": 0.0, "duration": trio.current_time()}
                await peer.say(message(type=kind, **guess))
                await trio.sleep(every)

    wild.behave(guesses)
    listening = await Listening(wild).run()
    assert trio.current_time() < 120.0
    assert len(listening.causes) == 1
    listening.assert_whole(gateway)


def chatters(*pieces: bytes, every: float = 0.1) -> Behavior:
    """Says all of that again and again, and answers pings."""

    async def behavior(peer: Peer) -> None:
        async with trio.open_nursery() as nursery:
            await peer.open()
            nursery.start_soon(peer.listen)
            while True:
                await peer.say(*pieces)
                await trio.sleep(every)

    return behavior


WRONG_TIMES = {
    "before the beginning": final(start=-50.0, duration=1.0),
    "of a negative length": final(start=1.0, duration=-5.0),
    "words backwards": final(
        duration=1.0,
        words=[{"word": "b", "start": 0.9, "end": 0.2}, {"word": "a", "start": 0.1, "end": -1.0}],
    ),
    "in the far future": final(start=9e8, duration=9e8),
    "back in time": final(start=0.5, duration=0.2) + final(start=0.1, duration=0.2) + final(duration=0.05),
    "the same for ever": final() * 20,
    "a turn for every moment": message(type="start_of_speech") * 40 + final(transcript=""),
}


@pytest.mark.parametrize("name", WRONG_TIMES)
async def test_wrong_times_leave_the_ledger_whole(wild: Wild, name: str) -> None:
    wild.behave(chatters(WRONG_TIMES[name]))
    listening = await Listening(wild).run()
    listening.assert_kept()
    times = [(event.start, event.end) for event in listening.events if isinstance(event, ts.FinalTranscript)]
    assert all(0.0 <= start <= end <= SAID.seconds for start, end in times)
    assert trio.current_time() < 120.0


async def test_endless_interims_for_an_endless_source_end_in_gaps(wild: Wild) -> None:
    guess = message(type="interim_transcript", transcript="guess", start=0.0, duration=1.0)
    wild.behave(chatters(guess, every=0.5), for_ever=True)
    client = ts.open_client(wild.in_place_of(LIVEKIT), replay=ts.ReplayPolicy(limit=5.0))
    async with client as opened, opened.transcribe() as transcript, trio.open_nursery() as nursery:

        async def send() -> None:
            while True:
                await transcript.send(SAID.audio)

        async def read() -> None:
            async for _ in transcript:
                pass

        nursery.start_soon(send)
        nursery.start_soon(read)
        await trio.sleep(300.0)
        statistics = transcript.statistics()
        assert statistics.unsettled <= 5.0
        nursery.cancel_scope.cancel()
    assert statistics.in_gaps > 5.0


async def test_a_peer_that_trickles_and_reads_nothing_ends_at_the_send_timeout(
    wild: Wild, gateway: ScriptedGateway
) -> None:
    async def trickle(peer: Peer) -> None:
        await peer.open()
        for byte in final(transcript="x" * 1_000):
            await peer.say(bytes([byte]))
            await trio.sleep(0.5)

    wild.behave(trickle)
    listening = await Listening(wild).run()
    assert listening.causes == ["no progress in sending within 10 s"]
    listening.assert_whole(gateway)


@pytest.mark.parametrize("endless", ["long", "wordy"])
async def test_finals_without_end_close_the_link_until_they_are_read(wild: Wild, endless: str) -> None:
    def flooding(number: int) -> bytes:
        if endless == "long":
            return final(start=number / 16_000, transcript=f"{number}" * 30_000)
        at = number / 50
        return final(start=at, transcript="x", words=[{"word": "x", "start": at, "end": at + 0.02}] * 2_000)

    async def flood(peer: Peer) -> None:
        async with trio.open_nursery() as nursery:
            await peer.open()
            nursery.start_soon(peer.listen)
            for number in range(400):
                await peer.say(flooding(number))

    wild.behave(flood)
    retry = ts.RetryPolicy(max_attempts=0)  # what is unread costs no attempt
    client = ts.open_client(wild.in_place_of(LIVEKIT), retry=retry, replay=ts.ReplayPolicy(max_unread_bytes=2**20))
    async with client as opened, opened.transcribe(SAID) as transcript:
        await trio.sleep(600.0)
        assert transcript.statistics().links == 1
        assert 2**20 < transcript._machine.event_queue.unread_bytes < 2 * 2**20
        events = [event async for event in transcript]
        statistics = transcript.statistics()
    assert statistics.links == 2
    (lost,) = [event for event in events if isinstance(event, ts.LinkLost)]
    assert "of transcripts wait to be read" in lost.cause
    assert_ledger(statistics, events, statistics.captured)
    assert transcript.unacknowledged()[1] == b""
