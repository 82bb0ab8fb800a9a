"""Faults and triggers as values. A plan is a sequence of them: triggers say when, faults say what happens.

    gateway.plan(Hear(3.0), Drop(), Hear(2.0), Close(1011), Refuse(503, retry_after=1.0))

This plan serves until 3 s of audio have been received, then drops the connection. The next connection gets 2 s, then
is closed with code 1011. The dial after that is refused. Later connections are served normally.

Each dial takes the steps up to and including the next fault that ends a connection; this part of a plan is an *act*.
A fault without a trigger before it happens as early as possible: while the client dials, or as soon as the websocket
is open.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

Moment: TypeAlias = Literal[
    "create", "created", "audio", "interim", "final", "finalize", "finalized", "update", "close", "text", "flush",
    "alignment", "done",
]  # fmt: skip
"""A message that `Await` can wait for. One of the client's (*create, audio, finalize, update, close, text, flush*)
counts when it has come, before it is answered; one of the gateway's (*created, interim, final, finalized, alignment,
done*) when it has been sent. A wire that lacks such a message never reaches the moment. Where the URL holds the whole
request, *create* is the handshake."""

Seconds: TypeAlias = Annotated[float, Meta(ge=0)]
"""At least 0; a plan with a negative number is refused."""

# ---------------------------------------------------------------- triggers: what comes next waits for them


class Hear(Struct, frozen=True):
    """Waits until `seconds` more of audio have been received on this connection, to the sample."""

    seconds: Seconds


class Speak(Struct, frozen=True):
    """Waits until `seconds` more of audio have been sent on this connection, to the sample."""

    seconds: Seconds


class MidWord(Struct, frozen=True):
    """Waits until `seconds` of a word have been received, to within 5 ms.

    `count`: which word it is, of those that begin after the step before this one.
    """

    count: int = 1
    seconds: Seconds = 0.05


class Await(Struct, frozen=True):
    """Waits until `moment` has come `count` more times."""

    moment: Moment
    count: int = 1


class Idle(Struct, frozen=True):
    """Waits until no message has come for `seconds`."""

    seconds: Seconds


class Lapse(Struct, frozen=True):
    """Waits until `seconds` have passed since the last step, or since the connection was opened."""

    seconds: Seconds


Trigger: TypeAlias = Hear | Speak | MidWord | Await | Idle | Lapse

# ---------------------------------------------------------------- faults after which the connection goes on


class Delay(Struct, frozen=True):
    """Sends all later messages `seconds` late; as the first step of an act, the answer to the handshake too."""

    seconds: Seconds


class Freeze(Struct, frozen=True):
    """The network holds all data in both directions for `seconds`, then delivers it."""

    seconds: Seconds


class Send(Struct, frozen=True):
    """Sends `frame` as a message: ``str`` as text, ``bytes`` as binary."""

    frame: str | bytes


# ---------------------------------------------------------------- faults that end an act


class Drop(Struct, frozen=True):
    """The connection breaks, as by a TCP reset."""


class Fin(Struct, frozen=True):
    """The stream ends (TCP FIN) without a close frame."""


class Close(Struct, frozen=True):
    """Sends a close frame. The stream stays open for `lingers` seconds after it, or until the client closes it."""

    code: Annotated[int, Meta(ge=1000, le=4999)] = 1011
    reason: str = ""
    lingers: Seconds = 0.0


class BlackHole(Struct, frozen=True):
    """Half-open: all that comes is discarded and nothing is answered, not even pings."""


class Hang(Struct, frozen=True):
    """The recognizer or the voice hangs: nothing is said any more, though all is read and pings are answered."""


class StallWrites(Struct, frozen=True):
    """The gateway stops reading: the client's sends block once the buffers between are full."""


class TearFrame(Struct, frozen=True):
    """The connection breaks in the middle of a frame that the gateway sends."""


class Garble(Struct, frozen=True):
    """Sends an invalid message.

    ``"json"``: broken JSON. ``"shape"``: JSON that is not an object. ``"types"``: fields of wrong types. ``"binary"``:
    a binary message of noise.
    """

    kind: Literal["json", "shape", "types", "binary"] = "json"


class InBandError(Struct, frozen=True):
    """Sends the protocol's own error message. The connection stays open."""

    code: int | str | None = None
    message: str = "a scripted failure"


class CloseSession(Struct, frozen=True):
    """Sends the protocol's own end of a session. The connection stays open, and nothing more is sent on it."""


class Outage(Struct, frozen=True):
    """All connections break, and dials fail for `seconds`.

    `silent`: nothing is reset or refused, as when a cable is unplugged; a dial is answered when the outage is over.
    """

    seconds: Seconds
    silent: bool = False


class Restart(Struct, frozen=True):
    """All connections are closed with code 1012 (service restart), and dials are refused for `seconds`."""

    seconds: Seconds = 0.0


# ---------------------------------------------------------------- faults of a dial, each an act of its own


class Refuse(Struct, frozen=True):
    """Answers the handshake with an HTTP `status`. `retry_after`: the header's value, in seconds or an HTTP date."""

    status: Annotated[int, Meta(ge=200, le=599)] = 503
    retry_after: float | str | None = None
    body: str = ""


class NeverAnswer(Struct, frozen=True):
    """Accepts the stream, and never answers the handshake."""


NetworkFault: TypeAlias = Drop | Fin | BlackHole | StallWrites | Freeze
DialFault: TypeAlias = Refuse | NeverAnswer
"""A fault of a dial, `Refuse` or `NeverAnswer`: the dial gets this and nothing else of the plan."""
Fault: TypeAlias = (
    Delay | Freeze | Send
    | Drop | Fin | Close | BlackHole | Hang | StallWrites | TearFrame | Garble | InBandError | CloseSession
    | Outage | Restart
)  # fmt: skip
Step: TypeAlias = Trigger | Fault | DialFault
Act: TypeAlias = tuple[Step, ...]
"""The steps of a plan that one dial takes, in order: triggers and faults, up to the one that ends the connection."""
