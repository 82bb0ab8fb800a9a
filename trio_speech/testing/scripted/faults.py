"""Faults as values. A plan is a sequence of them, each where the conversation is to have come to:

    gateway.plan(Hear(3.0), Drop(), Hear(2.0), Close(1011), Refuse(503, retry_after=1.0))

says: serve until 3 s of audio have been heard, then break the connection; on the next one hear 2 s, then close it with
code 1011; refuse the dial after that; then serve as usual. A plan is consumed dial by dial: each takes the steps up to
and including the next fault that ends a conversation (an *act*; see `acts`). A fault with no trigger before it strikes
as early as it can: while the client dials, or as soon as there is a websocket.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

Moment: TypeAlias = Literal[
    "create", "created", "audio", "interim", "final", "finalize", "finalized", "update", "close", "text", "flush",
    "alignment", "done",
]  # fmt: skip
"""What can be waited for: a message of the client that has come (*create, audio, finalize, update, close, text, flush*)
and is not answered yet, or one of the gateway's that has been sent (*created, interim, final, finalized, alignment,
done*). On a wire that has no such message, the moment never comes; where the address says it all, *create* is the
handshake."""

Seconds: TypeAlias = Annotated[float, Meta(ge=0)]
"""A plan with a negative one is refused."""

# ---------------------------------------------------------------- triggers: serve normally until...


class Hear(Struct, frozen=True):
    """...so many more seconds of audio have been heard on this connection, to the sample."""

    seconds: Seconds


class Speak(Struct, frozen=True):
    """...so many more seconds of audio have been sent on this connection, to the sample."""

    seconds: Seconds


class MidWord(Struct, frozen=True):
    """...`seconds` of the `count`-th word from here on have been heard, within 5 ms."""

    count: int = 1
    seconds: Seconds = 0.05


class Await(Struct, frozen=True):
    """...`moment` has come `count` times more."""

    moment: Moment
    count: int = 1


class Idle(Struct, frozen=True):
    """...no message has come for so many seconds."""

    seconds: Seconds


class Lapse(Struct, frozen=True):
    """...so many seconds have passed, from the end of the last step or the opening of the connection."""

    seconds: Seconds


Trigger: TypeAlias = Hear | Speak | MidWord | Await | Idle | Lapse

# ---------------------------------------------------------------- faults of a conversation that goes on


class Delay(Struct, frozen=True):
    """From now on, what the gateway says comes so many seconds late; at the beginning of a plan, the handshake too."""

    seconds: Seconds


class Freeze(Struct, frozen=True):
    """The network holds everything for so many seconds, in both directions, then delivers it."""

    seconds: Seconds


class Send(Struct, frozen=True):
    """One message, as it stands: ``str`` as text, ``bytes`` as binary."""

    frame: str | bytes


# ---------------------------------------------------------------- faults that end an act


class Drop(Struct, frozen=True):
    """The connection breaks, as by a TCP reset."""


class Fin(Struct, frozen=True):
    """The stream ends, without a close frame."""


class Close(Struct, frozen=True):
    """A close frame; the stream stays open for `lingers` seconds after it, or until the client ends it."""

    code: Annotated[int, Meta(ge=1000, le=4999)] = 1011
    reason: str = ""
    lingers: Seconds = 0.0


class BlackHole(Struct, frozen=True):
    """Half-open: everything is swallowed and nothing answered, not even pings."""


class StallWrites(Struct, frozen=True):
    """The gateway stops reading, so that what the client sends is stuck once the buffers between are full."""


class TearFrame(Struct, frozen=True):
    """The connection breaks in the middle of a frame that the gateway sends."""


class Garble(Struct, frozen=True):
    """A message that is none: broken JSON, JSON that is no message, wrong types, or binary."""

    kind: Literal["json", "shape", "types", "binary"] = "json"


class InBandError(Struct, frozen=True):
    """The protocol's own error message. The connection stays open."""

    code: int | str | None = None
    message: str = "a scripted failure"


class CloseSession(Struct, frozen=True):
    """The protocol's own end of a session. The connection stays open, and nothing more is said on it."""


class Outage(Struct, frozen=True):
    """All connections break and dials fail for so many seconds.

    `silent`: without a word, as when a cable is pulled; a dial gets its answer when the cable is back.
    """

    seconds: Seconds
    silent: bool = False


class Restart(Struct, frozen=True):
    """All connections are closed with code 1012 (service restart), and dials are refused for so many seconds."""

    seconds: Seconds = 0.0


# ---------------------------------------------------------------- faults of a dial, each an act of its own


class Refuse(Struct, frozen=True):
    """The handshake is answered with an HTTP status; `retry_after` is in seconds, or an HTTP date."""

    status: Annotated[int, Meta(ge=200, le=599)] = 503
    retry_after: float | str | None = None
    body: str = ""


class NeverAnswer(Struct, frozen=True):
    """The stream is opened and the handshake never answered."""


NetworkFault: TypeAlias = Drop | Fin | BlackHole | StallWrites | Freeze
DialFault: TypeAlias = Refuse | NeverAnswer
Fault: TypeAlias = (
    Delay | Freeze | Send
    | Drop | Fin | Close | BlackHole | StallWrites | TearFrame | Garble | InBandError | CloseSession | Outage | Restart
)  # fmt: skip
Step: TypeAlias = Trigger | Fault | DialFault
Act: TypeAlias = tuple[Step, ...]
