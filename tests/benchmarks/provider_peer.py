"""The recognizers of Deepgram, ElevenLabs and OpenAI as their clients expect them, for the benchmarks, behind TLS.

    python provider_peer.py CERTIFICATE     a PEM file with its key; see `peer` for the rest

The address says which one a connection wants. In each two seconds of audio every client gets as much: two or three
interims, and one final of five words. ElevenLabs' final answers a commit of the client, the others come by themselves.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from peer import WORDS, Peer, framed
from tls_peer import CONTEXT, TlsPeer, TlsServer

TEXT = " ".join(WORDS)
HALF = 0.5


def text_frame(**message: Any) -> bytes:
    return framed(json.dumps(message).encode())


class Service:
    """One connection's state: seconds of audio, and what is said of each half second that is complete."""

    rate = 32_000
    greeting = b""

    def __init__(self) -> None:
        self._bytes = 0

    def received(self, opcode: int, payload: bytes) -> Iterable[bytes]:
        """Takes a message of the client, and yields frames of the answer."""
        message = {} if opcode == 2 else json.loads(payload)
        before = self._bytes
        self._bytes += len(payload) if opcode == 2 else self.size(message)
        step = round(self.rate * HALF)
        for half in range(before // step + 1, self._bytes // step + 1):
            yield self.heard(half)
        yield self.asked(message)

    def size(self, message: dict[str, Any]) -> int:
        """Bytes of audio in a text message."""
        audio = message.get("audio") or message.get("audio_base_64") or ""
        return len(audio) * 3 // 4 - audio[-2:].count("=")

    def heard(self, half: int) -> bytes:
        """What is said when so many half seconds have been heard."""
        raise NotImplementedError

    def asked(self, message: dict[str, Any]) -> bytes:
        """What a request is answered with."""
        return b""


def timed(start: float, end: float, name: str) -> list[dict[str, Any]]:
    step = (end - start) / len(WORDS)
    return [{name: word, "start": start + step * i, "end": start + step * (i + 1)} for i, word in enumerate(WORDS)]


class Deepgram(Service):
    def heard(self, half: int) -> bytes:
        start, end = (half - 1) // 4 * 4 * HALF, half * HALF
        words = [{**word, "confidence": 0.9, "punctuated_word": word["word"]} for word in timed(start, end, "word")]
        return text_frame(
            type="Results",
            channel_index=[0, 1],
            start=start,
            duration=end - start,
            is_final=half % 4 == 0,
            speech_final=half % 4 == 0,
            channel={"alternatives": [{"transcript": TEXT, "confidence": 0.9, "words": words}]},
            metadata={
                "request_id": "r",
                "model_info": {"name": "general", "version": "1", "arch": "nova-3"},
                "model_uuid": "m",
            },
            from_finalize=False,
        )


class Scribe(Service):
    greeting = text_frame(message_type="session_started", session_id="s", config={})

    def __init__(self) -> None:
        super().__init__()
        self._committed = 0

    def heard(self, half: int) -> bytes:
        since = half * round(self.rate * HALF) - self._committed
        if since > self.rate * 1.01:  # the text does not change any more
            return b""
        return text_frame(message_type="partial_transcript", text=f"{TEXT} {half}")

    def asked(self, message: dict[str, Any]) -> bytes:
        if not message.get("commit"):
            return b""
        start, self._committed = self._committed, self._bytes
        words = timed(start / self.rate, self._bytes / self.rate, "text")
        plain = text_frame(message_type="committed_transcript", text=TEXT)
        return plain + text_frame(
            message_type="committed_transcript_with_timestamps",
            text=TEXT,
            language_code="en",
            words=[{**word, "type": "word"} for word in words],
        )


class Realtime(Service):
    rate = 48_000
    greeting = text_frame(type="session.created", event_id="e", session={"type": "transcription", "id": "s"})

    def heard(self, half: int) -> bytes:
        about: dict[str, Any] = {"event_id": "e", "item_id": f"item-{(half - 1) // 4}"}
        transcription = "conversation.item.input_audio_transcription"
        ms = round(500 * half)
        if half % 4:
            begins = text_frame(type="input_audio_buffer.speech_started", audio_start_ms=ms - 500, **about)
            delta = text_frame(type=f"{transcription}.delta", content_index=0, delta="the weather ", **about)
            return (begins if half % 4 == 1 else b"") + delta
        return (
            text_frame(type="input_audio_buffer.speech_stopped", audio_end_ms=ms, **about)
            + text_frame(type="input_audio_buffer.committed", previous_item_id=None, **about)
            + text_frame(type=f"{transcription}.completed", content_index=0, transcript=TEXT, usage=None, **about)
        )

    def asked(self, message: dict[str, Any]) -> bytes:
        if message["type"] != "session.update":
            return b""
        return text_frame(type="session.updated", event_id="e", session=message["session"])


SERVICES = {b"/v1/listen": Deepgram, b"/v1/speech-to-text/realtime": Scribe, b"/v1/realtime": Realtime}


class ProviderPeer(TlsPeer):
    """One client's connection."""

    service: Service

    def shake_hands(self) -> None:
        if b"\r\n\r\n" in self.unread:
            path = bytes(self.unread).split(b" ", 2)[1].partition(b"?")[0]
            self.service = SERVICES[path]()
        super().shake_hands()
        if self.open:
            self.send(self.service.greeting)

    def take(self, opcode: int, payload: bytes) -> None:
        if opcode in (1, 2):
            for frame in self.service.received(opcode, payload):
                self.send(frame)
        else:
            super().take(opcode, payload)


class ProviderServer(TlsServer):
    """Connections over TLS to any of the services."""

    kind: type[Peer] = ProviderPeer


if __name__ == "__main__":
    CONTEXT.load_cert_chain(sys.argv[1])
    ProviderServer().run()
