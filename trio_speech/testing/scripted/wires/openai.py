"""The service's side of OpenAI's realtime transcription, ``/v1/realtime``.

Here a session begins with the client's first ``session.update``, and ``session.created`` is sent with the answer. The
protocol has no message for the end of a session: the error ``session_expired`` is sent.

Source: openai-openapi (August 2026) and openai 3.57.0 (PyPI).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from pybase64 import b64decode

from ...._core.provider.messages import (
    Audio,
    Closed,
    Failure,
    FinalizeAnswered,
    Opened,
    RecognitionResult,
    SpeechOnset,
)
from ...._core.provider.profile import Fate
from ...._core.provider.requests import Change, TranscribeRequest
from ....audio.formats import AudioFormat
from ..faults import Close, InBandError
from ..manner import Manner
from .openai_messages import ClientMessage, Deltas, JsonWire
from .protocol import Changed, ClientFinalize, Mistake, Outgoing, Reply, Request

_LIVE = ("gpt-live-transcribe", "gpt-realtime-whisper")
_SHORTEST = 0.1
_PADDING = 0.3
_FORMATS = {"audio/pcm": AudioFormat.pcm16(24_000), "audio/pcmu": AudioFormat.mulaw(), "audio/pcma": AudioFormat.alaw()}
_KINDS: dict[object, str] = {"server_error": "server_error", "rate_limit_exceeded": "rate_limit_error"}
_TRANSCRIPTION = "conversation.item.input_audio_transcription"


class OpenAIWire(JsonWire):
    """See `Wire`."""

    garbled = f'{{"type":"{_TRANSCRIPTION}.completed","item_id":17,"transcript":null}}'
    fates: Mapping[InBandError | Close, Fate] = {
        **{InBandError(code): "fatal" for code in ("invalid_api_key", "insufficient_quota", "invalid_value")},
        **{InBandError(code): "retry" for code in ("rate_limit_exceeded", "server_error", "session_expired")},
        **JsonWire.fates,
    }

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id)
        self._opened = False
        self._format = AudioFormat.pcm16(24_000)
        self._session: dict[str, Any] = {}
        self._samples = 0
        self._base = 0
        self._commits: list[tuple[str | None, int, int]] = []
        self._finals: list[RecognitionResult] = []
        self._items = 0
        self._item: str | None = None
        self._last: str | None = None

    # The settings, which each dialect puts in other places.

    @property
    def _heard(self) -> dict[str, Any]:
        return dict(self._session["audio"]["input"])

    @property
    def _asked(self) -> dict[str, Any]:
        return dict(self._heard["transcription"])

    @property
    def _detection(self) -> dict[str, Any] | None:
        detection: dict[str, Any] | None = self._heard["turn_detection"]
        return detection

    def _clock(self, seconds: float) -> int:
        return round(seconds * 1e3)

    @property
    def _shows(self) -> bool:
        return self._asked["model"] in _LIVE

    def manner(self, manner: Manner) -> Manner:
        """Makes the recognizer tidy, without what the protocol cannot express, and with the client's endpointing."""
        detection = self._detection
        asked: dict[str, Any] = {"preflight": None, "longest": None, "twice": False, "finalized": "after"}
        asked |= {"freedoms": None, "held": 0.0, "mid_word": "cut", "onsets": detection is not None}
        asked["endpointing"] = None if detection is None else detection.get("silence_duration_ms", 500) / 1e3
        if not self._shows:
            asked["interim"] = None
        return msgspec.structs.replace(manner, **asked)

    # ------------------------------------------------------------ from the client

    def _requests(self, message: ClientMessage) -> Iterator[Request]:
        match message.type:
            case "session.update" if self._opened:
                yield self._change(message.session)
            case "session.update":
                self._opened, self._session = True, message.session
                yield self._request()
            case "input_audio_buffer.append":
                audio = b64decode(message.audio, validate=True)
                self._samples += len(audio) // self._format.frame_size
                yield Audio(audio)
            case "input_audio_buffer.commit":
                self._commits.append((message.event_id, self._samples - self._base, self._samples))
                self._base = self._samples
                yield ClientFinalize()
            case unknown:
                yield Mistake(f"unknown message {unknown}", "invalid_event")

    def _request(self) -> Request:
        if self._session.get("type") != "transcription":
            return Mistake("session.type must be transcription", "invalid_value")
        described = self._heard["format"]
        self._format = _FORMATS[described["type"]]
        if described.get("rate", self._format.sample_rate) != self._format.sample_rate:
            return Mistake("only a sample rate of 24000 is supported", "invalid_value")
        return self._wanted()

    def _wanted(self) -> TranscribeRequest:
        language = next(iter(self._asked.get("languages", [])), self._asked.get("language"))
        keywords = tuple(self._asked.get("keywords", ()))
        return TranscribeRequest(
            audio_format=self._format, model=self._asked["model"], language=language, keyterms=keywords
        )

    def _change(self, session: dict[str, Any]) -> Change:
        self._session = {**self._session, "audio": {"input": {**self._heard, **session["audio"]["input"]}}}
        wanted = self._wanted()
        return Change(language=wanted.language, keyterms=wanted.keyterms)

    # ------------------------------------------------------------ to the client

    def encode(self, reply: Reply) -> Iterator[Outgoing]:
        match reply:
            case Opened(session_id=name):
                session = {"type": "transcription", "id": name, **self._session}
                yield self._outgoing("session.created", reply, session=session)
                yield self._outgoing("session.updated", session=session)
            case Changed():
                yield self._outgoing("session.updated", reply, session=self._session)
            case SpeechOnset(at):
                start = self._clock(max(0.0, (at or 0.0) - _PADDING))
                yield self._buffer("speech_started", reply, item_id=self._new(), audio_start_ms=start)
            case RecognitionResult(kind="final"):
                self._finals.append(reply)
                yield from self._detected(reply)
            case RecognitionResult(text=text):
                yield from self._more(text, reply)
            case FinalizeAnswered():
                yield from self._answered(reply)
            case Failure(message=why, code=code):
                passes = code in (None, 429) or (isinstance(code, int) and code >= 500)
                kind = "server_error" if passes else _KINDS.get(code, "invalid_request_error")
                yield self._error(reply, type=kind, code=None if code is None else str(code), message=why)
            case Mistake(why, code):
                yield self._error(reply, type="invalid_request_error", code=code, message=why)
            case Closed():
                why = "Your session hit the maximum duration."
                yield self._error(reply, type="invalid_request_error", code="session_expired", message=why)
            case _:
                return

    def _detected(self, final: RecognitionResult) -> Iterator[Outgoing]:
        """Yields the messages of an item that voice detection commits; none if a commit of the client is unanswered."""
        if not self._commits:
            end = self._clock(final.end + (self._detection or {}).get("silence_duration_ms", 500) / 1e3)
            yield self._buffer("speech_stopped", item_id=self._current(), audio_end_ms=end)
            yield from self._completed()

    def _answered(self, reply: FinalizeAnswered) -> Iterator[Outgoing]:
        event_id, length, _ = self._commits.pop(0)
        if self._finals or self._format.seconds(length) >= _SHORTEST:
            yield from self._completed(reply)
        else:
            yield self._error(
                reply,
                type="invalid_request_error",
                code="input_audio_buffer_commit_empty",
                message="Error committing input audio buffer: buffer too small.",
                event_id=event_id,
            )

    def _completed(self, *says: Reply) -> Iterator[Outgoing]:
        item, finals = self._current(), tuple(self._finals)
        text = " ".join(final.text for final in finals)
        yield self._buffer("committed", item_id=item, previous_item_id=self._last)
        yield from self._more(text)
        yield self._outgoing(
            f"{_TRANSCRIPTION}.completed",
            *finals,
            *says,
            item_id=item,
            content_index=0,
            transcript=text,
            usage={"type": "duration", "seconds": self._format.seconds(self._samples)},
        )
        self._last, self._item, self._finals, self._deltas = item, None, [], Deltas()

    def _more(self, text: str, *says: Reply) -> Iterator[Outgoing]:
        new = self._deltas.more(text) if self._shows else ""
        if new:
            item = self._current()
            yield self._outgoing(f"{_TRANSCRIPTION}.delta", *says, item_id=item, content_index=0, delta=new)

    def _new(self) -> str:
        self._items += 1
        self._item = f"item_{self._id}_{self._items}"
        return self._item

    def _current(self) -> str:
        return self._item or self._new()

    def _buffer(self, what: str, *says: Reply, **fields: Any) -> Outgoing:
        return self._outgoing(f"input_audio_buffer.{what}", *says, **fields)

    def _error(self, reply: Reply, **fields: Any) -> Outgoing:
        return self._outgoing("error", reply, error={"code": None, "param": None, "event_id": None, **fields})
