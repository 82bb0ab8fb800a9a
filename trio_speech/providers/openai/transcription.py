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

from msgspec import Struct

from ..._core.provider.messages import (
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
from .._clock import AudioClock
from .._codec import Frame, NeedsNewLink, SttCodec
from .._json import encode
from . import wire
from .item import Item
from .settings import Settings

_TOO_LITTLE = ("input_audio_buffer_commit_empty", "buffer too small", "buffer is empty")
"""The code, or words in the text, of the error that there is nothing to commit, or less than 0.1 s."""
_HOPELESS = ("audio_unintelligible",)
_MOST_ITEMS = 100


class _Commit(Struct):
    """A commit of the session that has not become an item, and where in the audio it was asked for, in seconds."""

    event_id: str
    at: float
    refused: bool = False


class TranscriptionCodec(SttCodec):
    """See `SttCodec`."""

    def __init__(self, settings: Settings, audio_format: AudioFormat) -> None:
        self._settings = settings
        self._has_clock = settings.dialect == "openai"
        self._sent = AudioClock(audio_format)
        self._asked = 0
        self._commits: deque[_Commit] = deque()
        self._items: dict[str, Item] = {}
        self._order: deque[Item] = deque()
        self._delivered: deque[str] = deque(maxlen=_MOST_ITEMS)
        self._committed = 0.0

    def open(self) -> Iterable[Frame]:
        return (self._settings.opening,)

    def audio(self, pcm: bytes | memoryview) -> Frame:
        self._sent.add(pcm)
        return wire.append(pcm)

    def finalize(self) -> Frame:
        self._asked += 1
        commit = _Commit(f"commit-{self._asked}", self._sent.now)
        self._commits.append(commit)
        return encode({"type": "input_audio_buffer.commit", "event_id": commit.event_id})

    def update(self, change: Change) -> Frame | NeedsNewLink:
        self._settings, message = self._settings.changed(change)
        return NeedsNewLink() if message is None else message

    def decode(self, frame: Frame) -> Iterable[SttMessage]:
        return tuple(self._said(wire.from_server.decode(frame)))

    def _said(self, message: wire.ServerMessage | Unknown) -> Iterator[SttMessage]:
        match message:
            case wire.SessionCreated(session=session):
                yield Opened(session.id)
            case wire.OfItem():
                if (item := self._find(message.item_id)) is not None:
                    yield from self._happened(item, message)
            case wire.Problem():
                yield from self._problem(message.cause)
            case wire.SessionUpdated() | wire.ItemCreated() | wire.ItemAdded() | wire.ItemDone():
                return
            case wire.Part() | wire.Whole():
                raise ProtocolError("malformed message: it is of vLLM's protocol: give dialect='vllm'")
            case unknown:
                yield unknown

    def _happened(self, item: Item, message: wire.OfItem) -> Iterator[SttMessage]:
        match message:
            case _ if item.done:  # its text is known, and waits for earlier items
                return
            case wire.SpeechStarted(audio_start_ms=at):
                item.onset, item.start = True, self._time(at)
                yield SpeechOnset(item.start)
            case wire.SpeechStopped(audio_end_ms=at):
                item.by_vad, item.end = True, self._time(at)
            case wire.Delta(delta=text) if text:
                item.text, item.shown = wire.joined(item.text, text), True
                yield self._result("interim", item)
            case wire.Committed():
                self._commit(item)
            case wire.Completed(transcript=text, languages=languages):
                item.text, item.language = text, next((each.code for each in languages or ()), None)
                self._complete(item)
            case wire.Failed(error=error) if error.code in _HOPELESS:
                item.unheard = True
                self._complete(item)
            case wire.Failed(error=error):
                yield error.failure
            case _:
                return
        yield from self._deliver()

    def _commit(self, item: Item) -> None:
        """Sets the item's place in the order of items and its span in the audio. Does nothing the second time."""
        if item.committed:
            return
        end = item.end
        if self._commits and not item.by_vad:
            end = self._commits.popleft().at
            item.answers = True
        elif end is None:
            end = self._commits[0].at if self._commits else self._sent.now
        start = max(self._committed, item.start or 0.0)
        item.span = start, max(start, end)
        self._committed = item.span[1]
        item.committed = True
        self._order.append(item)
        self._answer_refused()

    def _answer_refused(self) -> None:
        """Puts the commits that were refused in their places, once those before them have become items."""
        while self._commits and self._commits[0].refused:
            self._commits.popleft()
            self._order.append(Item(None, answers=True, done=True))

    def _complete(self, item: Item) -> None:
        item.done = True
        self._commit(item)

    def _problem(self, error: wire.Error) -> Iterator[SttMessage]:
        said = f"{error.code} {error.message}"
        if self._commits and any(text in said for text in _TOO_LITTLE):
            named = (commit for commit in self._commits if commit.event_id == error.event_id)
            next(named, self._commits[0]).refused = True
            self._answer_refused()
            yield from self._deliver()
        else:
            yield error.failure

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
        if item.unheard:
            yield Unheard(*item.span)
        elif item.text.strip() or item.shown:
            yield self._result("final", item)
        elif item.onset:
            yield SpeechOver(item.span[1])

    def _result(self, kind: Literal["interim", "final"], item: Item) -> RecognitionResult:
        # It is not known where the text of an interim ends: much more audio may have been sent.
        start, end = item.span if kind == "final" else (0.0, 0.0)
        return RecognitionResult(
            kind=kind,
            text=item.text.strip(),
            start=start,
            end=end,
            language=item.language,
            id=item.id if kind == "final" else None,
            ends_speech=kind == "final" and item.by_vad,
        )

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
        return self._sent.within(milliseconds / 1e3) if self._has_clock else None
