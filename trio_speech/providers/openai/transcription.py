"""The codec of OpenAI's realtime transcription, and of speaches, which imitates its protocol.

The service transcribes *items*. An item is the audio that was appended since the last commit. The session commits when
it wants a final; where the options have `turn_detection`, the service's voice activity detection (VAD) commits too.
Items are committed in the order of their audio and may be completed in any order, so the codec holds the later ones
back.

An item that the session committed ends at the position of the commit. One that VAD committed lasts from
``speech_started`` to ``speech_stopped``. Those times count from the start of the session with OpenAI; with speaches
they restart with each item, and are not used. A commit is answered by the item that it makes, once that is completed,
or by the error that there was too little to commit. An item that VAD committed answers no commit.

Source: as in `wire`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Literal

from ..._core.provider.messages import (
    Failure,
    FinalizeAnswered,
    Opened,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    SttMessage,
    Unheard,
    Unknown,
)
from ..._core.provider.requests import Change
from ...audio import AudioFormat
from ...errors import ProtocolError
from .._codec import Frame, NeedsNewLink
from . import wire
from .item import Item
from .settings import Settings

_TOO_LITTLE = ("input_audio_buffer_commit_empty", "buffer too small", "buffer is empty")
"""The code, or words in the text, of the error that there is nothing to commit, or less than 0.1 s."""
_HOPELESS = ("audio_unintelligible",)
_HTTP = {"invalid_api_key": 401, "insufficient_quota": 402, "rate_limit_exceeded": 429}
"""Errors that are reported by the HTTP status of the same meaning, which users know better."""
_MOST_ITEMS = 100


class TranscriptionCodec:
    """See `SttCodec`."""

    def __init__(self, settings: Settings, audio_format: AudioFormat) -> None:
        self._settings = settings
        self._format = audio_format
        self._has_clock = settings.dialect == "openai"
        self._bytes = 0
        self._asked = 0
        self._commits: deque[tuple[str, float]] = deque()
        self._items: dict[str, Item] = {}
        self._order: deque[Item] = deque()
        self._delivered: deque[str] = deque(maxlen=_MOST_ITEMS)
        self._committed = 0.0

    def open(self) -> Iterable[Frame]:
        return (wire.encode(self._settings.opening(self._format)),)

    def audio(self, pcm: bytes | memoryview) -> Frame:
        self._bytes += len(pcm)
        return wire.append(pcm)

    def finalize(self) -> Frame:
        self._asked += 1
        event_id = f"commit-{self._asked}"
        self._commits.append((event_id, self._sent))
        return wire.encode({"type": "input_audio_buffer.commit", "event_id": event_id})

    def update(self, change: Change) -> Frame | NeedsNewLink:
        self._settings, message = self._settings.changed(change)
        return NeedsNewLink() if message is None else wire.encode(message)

    def keepalive(self) -> None:
        return None

    def close(self) -> None:
        return None

    def decode(self, frame: Frame) -> Iterable[SttMessage]:
        return tuple(self._said(wire.from_server.decode(frame)))

    @property
    def _sent(self) -> float:
        return self._format.seconds(self._bytes // self._format.frame_size)

    def _said(self, message: wire.ServerMessage | Unknown) -> Iterator[SttMessage]:
        match message:
            case wire.SessionCreated(session=session):
                yield Opened(session.id)
            case wire.SpeechStarted(item_id=name, audio_start_ms=at):
                yield from self._started(name, at)
            case wire.SpeechStopped(item_id=name, audio_end_ms=at):
                self._stopped(name, at)
            case wire.Delta(item_id=name, delta=text):
                yield from self._more(name, text or "")
            case wire.Committed(item_id=name):
                yield from self._make(name)
            case wire.Completed(item_id=name, transcript=text, languages=languages):
                language = next((each.code for each in languages or ()), None)
                yield from self._complete(name, text=text, language=language)
            case wire.Failed(item_id=name, error=error):
                yield from self._failed(name, error)
            case wire.Problem(error=error, code=code):
                yield from self._problem(error if isinstance(error, wire.Error) else wire.Error(None, code, error))
            case wire.SessionUpdated() | wire.ItemCreated() | wire.ItemAdded() | wire.ItemDone():
                return
            case wire.Part() | wire.Whole():
                raise ProtocolError("malformed message: it is of vLLM's protocol: give dialect='vllm'")
            case unknown:
                yield unknown

    # ------------------------------------------------------------ an item comes into being

    def _started(self, name: str, at: float) -> Iterator[SttMessage]:
        if (item := self._find(name)) is not None:
            item.onset = True
            item.start = self._time(at)
            yield SpeechOnset(item.start)

    def _stopped(self, name: str, at: float) -> None:
        if (item := self._find(name)) is not None:
            item.by_vad = True
            item.end = self._time(at)

    def _more(self, name: str, text: str) -> Iterator[SttMessage]:
        item = self._find(name)
        if item is None or not text:
            return
        item.text += text
        if len(item.text) > wire.LONGEST_TEXT:
            raise ProtocolError(f"malformed message: an item of more than {wire.LONGEST_TEXT} characters")
        item.shown = True
        yield self._result("interim", item)

    def _make(self, name: str) -> Iterator[SttMessage]:
        if (item := self._find(name)) is not None:
            self._commit(item)
            yield from self._deliver()

    def _commit(self, item: Item) -> None:
        """Sets the item's place in the order of items and its span in the audio. Does nothing the second time."""
        if item.committed:
            return
        start, end = self._span(item)
        if self._commits and not item.by_vad:
            _, end = self._commits.popleft()
            item.answers = True
        item.start, item.end = start, max(start, end)
        self._committed = item.end
        item.committed = True
        self._order.append(item)

    # ------------------------------------------------------------ it is transcribed

    def _complete(self, name: str, *, text: str, language: str | None) -> Iterator[SttMessage]:
        if (item := self._find(name)) is not None:
            item.text, item.language, item.done = text, language, True
            yield from self._make(name)

    def _failed(self, name: str, error: wire.Error) -> Iterator[SttMessage]:
        if error.code not in _HOPELESS:
            yield _failure(error)
        elif (item := self._find(name)) is not None:
            item.unheard = item.done = True
            yield from self._make(name)

    def _problem(self, error: wire.Error) -> Iterator[SttMessage]:
        said = f"{error.code} {error.message}"
        if self._commits and any(text in said for text in _TOO_LITTLE):
            names = [name for name, _ in self._commits]
            del self._commits[names.index(error.event_id) if error.event_id in names else 0]
            self._order.append(Item(None, answers=True, done=True))
            yield from self._deliver()
        else:
            yield _failure(error)

    def _deliver(self) -> Iterator[SttMessage]:
        """Yields the results of the oldest items, up to the first that is not done."""
        while self._order and self._order[0].done:
            item = self._order.popleft()
            if item.id is not None:
                del self._items[item.id]
                self._delivered.append(item.id)
                yield from self._outcome(item)
            if item.answers:
                yield FinalizeAnswered()

    def _outcome(self, item: Item) -> Iterator[SttMessage]:
        start, end = self._span(item)
        if item.unheard:
            yield Unheard(start, end)
        elif item.text.strip() or item.shown:
            yield self._result("final", item)
        elif item.onset:
            yield SpeechOver(end)

    def _result(self, kind: Literal["interim", "final"], item: Item) -> RecognitionResult:
        # It is not known where the text of an interim ends: much more audio may have been sent.
        start, end = self._span(item) if kind == "final" else (0.0, 0.0)
        return RecognitionResult(
            kind=kind,
            text=item.text.strip(),
            start=start,
            end=end,
            language=item.language,
            id=item.id if kind == "final" else None,
            ends_speech=kind == "final" and item.by_vad,
        )

    # ------------------------------------------------------------ names and times

    def _find(self, name: str) -> Item | None:
        """Returns the item with this id, creating it if needed; ``None`` if it was delivered already."""
        if name not in self._items:
            if name in self._delivered:
                return None
            if len(self._items) >= _MOST_ITEMS:
                raise ProtocolError(f"malformed message: more than {_MOST_ITEMS} items are open")
            self._items[name] = Item(name)
        return self._items[name]

    def _time(self, milliseconds: float) -> float | None:
        return min(max(0.0, milliseconds / 1e3), self._sent) if self._has_clock else None

    def _span(self, item: Item) -> tuple[float, float]:
        """Returns start and end of an item in seconds, as far as they are known by now."""
        if item.committed and item.start is not None and item.end is not None:
            return item.start, item.end
        start = max(self._committed, item.start or 0.0)
        end = item.end
        if end is None:
            end = self._commits[0][1] if self._commits else self._sent
        return start, max(start, end)


def _failure(error: wire.Error) -> Failure:
    code = error.code or error.type
    return Failure(
        message=error.message or "no reason given",
        code=None if code is None else _HTTP.get(code, code),
        retryable=error.retryable,
    )
