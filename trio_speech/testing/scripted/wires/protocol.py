"""The requests and replies of the scripted gateway, the same for all wires. Many are the core's own messages.

- *Wire*: the service's side of a provider's protocol; see `Wire`.
- *Generation*: the speech of all text up to one flush.
- Times are seconds on the connection's own clock: from its first sample, with its drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from ...._core.provider.profile import Fate
from ...._core.provider.requests import Change, SynthesizeRequest, TranscribeRequest
from ....providers._codec import Frame
from ..faults import Close, InBandError
from ..manner import Manner
from ..recognizer import UtteranceEnded
from ..synthesizer import AlignedCharacters

# ---------------------------------------------------------------- from the client


class ClientFinalize(Struct, frozen=True):
    """Asks for the finals of the audio so far; the session goes on."""


class ClientFinish(Struct, frozen=True):
    """Ends the audio: the last results are sent, then the session is closed."""


class ClientClose(Struct, frozen=True):
    """Closes the session at once."""


class Text(Struct, frozen=True):
    """A piece of the text to speak."""

    text: str


class Flush(Struct, frozen=True):
    """Ends the text of this generation."""


class Cancel(Struct, frozen=True):
    """Abandons the current generation: speech that was not sent yet is dropped. Answered by `Cancelled`."""


class Mistake(Struct, frozen=True):
    """A violation of the protocol by the client. `code`: the wire's code for it in the answer."""

    complaint: str
    code: str | None = None


Request: TypeAlias = (
    TranscribeRequest
    | SynthesizeRequest
    | Audio
    | ClientFinalize
    | Change
    | ClientFinish
    | ClientClose
    | Text
    | Flush
    | Cancel
    | Mistake
)
"""`TranscribeRequest` and `SynthesizeRequest` open a session; `Audio` is audio to recognize."""

# ---------------------------------------------------------------- to the client


class Cancelled(Struct, frozen=True):
    """Answers `Cancel`: no more audio of the abandoned generation comes."""


class Changed(Struct, frozen=True):
    """A change of settings that has been applied."""

    change: Change


Reply: TypeAlias = (
    Opened | SpeechOnset | RecognitionResult | SpeechOver | UtteranceEnded | Acknowledged | FinalizeAnswered | Changed
    | Audio | Aligned | AlignedCharacters | Done | Cancelled
    | Closed | Failure | Mistake
)  # fmt: skip
"""`Audio` is synthesized speech; a `Mistake` is sent back to the client that made it."""

# ---------------------------------------------------------------- frames


class Incoming(Struct, frozen=True):
    """A received frame: its type on the wire, and its requests. A keepalive has none."""

    kind: str
    asks: tuple[Request, ...] = ()


class Outgoing(Struct, frozen=True):
    """A frame to send, its type on the wire, and the replies that it carries."""

    frame: Frame
    kind: str
    says: tuple[Reply, ...] = ()


class IdleLimit(Struct, frozen=True):
    """The close frame for a connection on which nothing came for `seconds`."""

    seconds: float
    close: Close


class Wire(Protocol):
    """The service's side of the protocol on one connection: it decodes what the provider's codec encodes."""

    @property
    def idle(self) -> IdleLimit | None:
        """When and how the service closes a connection on which nothing comes; ``None``: it does not."""
        ...

    @property
    def fates(self) -> Mapping[InBandError | Close, Fate]:
        """What errors and closes mean by the service's own documentation; empty: it says nothing of them.

        ``"retry"``: another connection may succeed. ``"fatal"``: none can. `trio_speech.testing.check_provider` holds
        the profile against it.
        """
        ...

    @property
    def garbled(self) -> str:
        """A message of a known type, with fields of wrong types."""
        ...

    def opens(self) -> Iterable[Request]:
        """Returns the requests that the URL of the dial contains; empty if messages open a session."""
        ...

    def manner(self, manner: Manner) -> Manner:
        """Returns `manner`, changed as the client's settings ask, and without what the protocol cannot express."""
        ...

    def decode(self, frame: Frame) -> Incoming:
        """Returns the requests in a frame of the client; a malformed one gives a `Mistake`."""
        ...

    def encode(self, reply: Reply) -> Iterable[Outgoing]:
        """Yields the frames for a reply: none if the protocol has no message for it, or if it goes into a later one."""
        ...
