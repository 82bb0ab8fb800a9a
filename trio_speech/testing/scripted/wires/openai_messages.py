"""What the wires of OpenAI's realtime transcription and of its look-alikes share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from ...._core.provider.profile import Fate
from ....errors import ConfigurationError
from ....providers._codec import Frame
from ..faults import Close, InBandError
from .protocol import Incoming, Mistake, Outgoing, Reply, Request


class ClientMessage(Struct, frozen=True):
    """Any message of the client."""

    type: str
    audio: str = ""
    event_id: str | None = None
    final: bool = False
    model: str | None = None
    session: dict[str, Any] = field(default_factory=dict)


_decoder = msgspec.json.Decoder(ClientMessage)


class Deltas:
    """Turns a growing text into deltas (the new part at each step), in whole words."""

    def __init__(self) -> None:
        self.text = ""

    def more(self, text: str) -> str:
        """Returns what `text` adds to the text so far; nothing if it does not continue that text.

        Words that end in a dash are left out: they are cut off, and their rest is still to come.
        """
        whole = " ".join(word for word in text.split() if not word.endswith("-"))
        new = whole[len(self.text) :] if whole.startswith(self.text) else ""
        self.text += new
        return new


class JsonWire:
    """The base of the wires of all dialects: it decodes and encodes JSON. `_requests` interprets a client's message."""

    idle = None
    fates: Mapping[InBandError | Close, Fate] = {
        Close(1001): "retry",
        Close(1011): "retry",
    }

    def __init__(self, session_id: str) -> None:
        self._id = session_id
        self._events = 0
        self._deltas = Deltas()

    def opens(self) -> Iterable[Request]:
        return ()

    def decode(self, frame: Frame) -> Incoming:
        try:
            message = _decoder.decode(frame)
            return Incoming(message.type, tuple(self._requests(message)))
        except (msgspec.DecodeError, ConfigurationError, ValueError, LookupError) as error:
            return Incoming("malformed", (Mistake(f"malformed message: {error!r}", "invalid_event"),))

    def _requests(self, message: ClientMessage) -> Iterator[Request]:
        raise NotImplementedError

    def _outgoing(self, kind: str, *says: Reply, **fields: Any) -> Outgoing:
        self._events += 1
        message = {"type": kind, "event_id": f"event_{self._events}", **fields}
        return Outgoing(msgspec.json.encode(message).decode(), kind, says)
