"""The service's side of the servers that look like OpenAI's realtime transcription: speaches and vLLM.

The query of the address selects the dialect: ``model=…`` is speaches, ``intent=…`` alone is OpenAI, neither is vLLM.

Source: speaches, ``speaches.realtime`` (March 2026); vLLM 0.22.1, ``entrypoints.openai.realtime``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import msgspec
from pybase64 import b64decode

from ...._core.provider.messages import Audio, Closed, Failure, Opened, RecognitionResult
from ...._core.provider.requests import Change, TranscribeRequest
from ....audio.formats import AudioFormat
from ..manner import Manner
from .openai import OpenAIWire
from .openai_messages import ClientMessage, JsonWire
from .protocol import ClientFinish, Mistake, Outgoing, Reply, Request


def realtime(query: str, session_id: str) -> OpenAIWire | VllmWire:
    """Makes the wire of ``/v1/realtime``, in the dialect that the query selects."""
    settings = parse_qs(query)
    if "model" in settings:
        return SpeachesWire(session_id)
    return OpenAIWire(session_id) if "intent" in settings else VllmWire(session_id)


class SpeachesWire(OpenAIWire):
    """See `Wire`. It shows no text before an item is completed, and its errors name no event and have no code."""

    fates = JsonWire.fates

    @property
    def _heard(self) -> dict[str, Any]:
        return dict(self._session)

    @property
    def _asked(self) -> dict[str, Any]:
        return dict(self._session["input_audio_transcription"])

    @property
    def _shows(self) -> bool:
        return False

    def encode(self, reply: Reply) -> Iterator[Outgoing]:
        return iter(()) if isinstance(reply, Closed) else super().encode(reply)  # it ends by the close frame alone

    def _clock(self, seconds: float) -> int:
        return max(0, round(1e3 * (seconds - self._format.seconds(self._base))))

    def _request(self) -> Request:
        if not self._session.keys() <= {"input_audio_transcription", "turn_detection"}:
            return Mistake("the server does not support this field")
        return self._wanted()

    def _change(self, session: dict[str, Any]) -> Change:
        self._session = {**self._session, **session}
        return Change(language=self._wanted().language)

    def _error(self, reply: Reply, **fields: Any) -> Outgoing:
        return super()._error(reply, type=fields["type"], message=fields["message"])


class VllmWire(JsonWire):
    """See `Wire`."""

    garbled = '{"type":"transcription.delta","delta":17}'

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id)
        self._started = False
        self._finals: list[RecognitionResult] = []

    def manner(self, manner: Manner) -> Manner:
        """Makes the recognizer tidy, without what the protocol cannot express."""
        asked: dict[str, Any] = {"preflight": None, "twice": False, "onsets": False, "freedoms": None, "held": 0.0}
        return msgspec.structs.replace(manner, **asked)

    def _requests(self, message: ClientMessage) -> Iterator[Request]:
        match message.type:
            case "session.update":
                yield TranscribeRequest(audio_format=AudioFormat.pcm16(16_000), model=message.model)
            case "input_audio_buffer.append":
                yield Audio(b64decode(message.audio, validate=True))
            case "input_audio_buffer.commit" if message.final:
                yield ClientFinish()
            case "input_audio_buffer.commit":
                self._started = True
            case unknown:
                yield Mistake(f"unknown message {unknown}", "unknown_event")

    def encode(self, reply: Reply) -> Iterator[Outgoing]:
        match reply:
            case Opened(session_id=name):
                yield self._outgoing("session.created", reply, id=name, created=0)
            case RecognitionResult(kind="final"):
                self._finals.append(reply)
                yield from self._more("")
            case RecognitionResult(text=text):
                yield from self._more(text, reply)
            case Failure(message=why, code=code) | Mistake(why, code):
                yield self._outgoing("error", reply, error=why, code=None if code is None else str(code))
            case Closed() if self._started:
                usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
                text = " ".join(final.text for final in self._finals)
                yield self._outgoing("transcription.done", *self._finals, reply, text=text, usage=usage)
            case _:
                return

    def _more(self, text: str, *says: Reply) -> Iterator[Outgoing]:
        new = self._deltas.more(" ".join([*(final.text for final in self._finals), text]))
        if new:
            yield self._outgoing("transcription.delta", *says, delta=new)
