"""What clients ask of the scripted gateway and what it says, whatever the wire; much of it is the core's own.

Times are seconds on the connection's own clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeAlias

from msgspec import Struct

from ...._core.provider.messages import (
    Acknowledged,
    Aligned,
    Audio,
    Closed,
    Done,
    Failure,
    FinalizeAnswered,
    Opened,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
)
from ...._core.provider.requests import Change, SynthesizeRequest, TranscribeRequest
from ....providers._codec import Frame
from ..faults import Close
from ..manner import Manner
from ..recognizer import Lull
from ..synthesizer import Spelling

# ---------------------------------------------------------------- from the client


class ClientFinalize(Struct, frozen=True):
    """The finals of the audio so far, please; the session goes on."""


class ClientFinish(Struct, frozen=True):
    """No more audio: tell the rest, then end the session."""


class ClientLeave(Struct, frozen=True):
    """End the session."""


class Text(Struct, frozen=True):
    """A piece of the text to speak."""

    text: str


class Flush(Struct, frozen=True):
    """No more text of this generation."""


class Mistake(Struct, frozen=True):
    """What the client did against the protocol, and the `code` by which a wire tells it so."""

    complaint: str
    code: str | None = None


Request: TypeAlias = (
    TranscribeRequest
    | SynthesizeRequest
    | Audio
    | ClientFinalize
    | Change
    | ClientFinish
    | ClientLeave
    | Text
    | Flush
    | Mistake
)
"""`TranscribeRequest` and `SynthesizeRequest` open a session; `Audio` is what is to be recognized."""

# ---------------------------------------------------------------- to the client


class Changed(Struct, frozen=True):
    """A change is in force."""

    change: Change


Reply: TypeAlias = (
    Opened | SpeechOnset | RecognitionResult | SpeechOver | Lull | Acknowledged | FinalizeAnswered | Changed
    | Audio | Aligned | Spelling | Done
    | Closed | Failure | Mistake
)  # fmt: skip
"""`Audio` is what is spoken; a `Mistake` is told to whoever made it."""

# ---------------------------------------------------------------- frames


class Incoming(Struct, frozen=True):
    """A frame that came: its `kind` is its type on the wire. What asks for nothing only shows that the client lives."""

    kind: str
    asks: tuple[Request, ...] = ()


class Outgoing(Struct, frozen=True):
    """A frame to send, its type on the wire, and what a client learns by it."""

    frame: Frame
    kind: str
    says: tuple[Reply, ...] = ()


class IdleLimit(Struct, frozen=True):
    """How a connection is closed on which nothing came for so many seconds."""

    seconds: float
    close: Close


class Wire(Protocol):
    """One connection's protocol."""

    @property
    def idle(self) -> IdleLimit | None: ...
    @property
    def garbled(self) -> str:
        """A message of a known type, with fields of wrong types."""
        ...

    def opens(self) -> Iterable[Request]:
        """What the dial itself asks for."""
        ...

    def manner(self, manner: Manner) -> Manner:
        """How a recognizer of this manner is to behave for this client."""
        ...

    def decode(self, frame: Frame) -> Incoming:
        """What a frame of the client says."""
        ...

    def encode(self, reply: Reply) -> Iterable[Outgoing]:
        """The frames that tell a reply: none where the wire has no word for it, or keeps it for a later frame."""
        ...
