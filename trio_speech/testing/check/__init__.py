"""Checks a backend, of this library or of your own, against the laws that sessions rely on.

    def test_my_backend() -> None:
        check_provider(MyBackend("hunter2"), wires={"/v1/my-service": MyWire}, secrets=("hunter2",), progress=print)

The laws
    1. *Sessions.* With the scripted gateway in the place of the service, each word is recognized, or spoken, exactly
       once: in every encoding, and through resets, closes, errors, delays, silences, malformed messages, refused dials,
       and faults at random. Every session ends, and none is busy without end.
    2. *Profile.* The backend takes the formats that its profile names, and no others; its codec has the messages that
       the profile needs; words with times, and interims, come where the profile says so.
    3. *Codec.* For any frame, even a damaged one, `decode` returns messages whose times are possible (finite, not
       negative, no end before its start), or raises `ProtocolError`. A field that the codec does not know changes
       nothing, and a type of message that it does not know is skipped.
    4. *Secrets.* No repr, address, error or log shows a credential, even if the service quotes it; and each dial
       carries one.
    5. *Order.* In a session, a recognizer's codec answers no more than it was asked, says no time behind the audio, and
       no final of audio that it has acknowledged; a voice's ends each generation once, after its audio and its words.
       An answer, or an end, that the service says is not kept back.
    6. *Requests.* What a session asks for is sent, or refused; speech that is opened otherwise does not share a
       connection.
    7. *Pauses.* A connection lives through a pause, and its keepalive is no audio.
    8. *Fates.* An error of the service is retried if and only if another connection may succeed.

What no script can find, because it is the service's alone: whether its times are exact, how far they drift, how fast it
takes audio and how late it answers, whether its finals come in order, whether a voice repeats itself, how old a
connection may grow. There the check believes the profile, or `manner` and `delivery` where they are given. Likewise it
knows only the limits and errors that the wire names (`Wire.idle`, `Wire.fates`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ...providers._codec import Backend
from ..scripted.manner import Manner
from ..scripted.synthesizer import Delivery
from ..scripted.wires import WireFactory
from .codec import check_codec
from .fates import check_fates
from .laws import CODEC, FATES, ORDER, PAUSES, PROFILE, REQUESTS, SECRETS, SESSIONS, Law, Progress, checked
from .pauses import check_pauses
from .profile import check_capabilities, check_profile
from .recognition import check_recognition, check_undisturbed_recognition
from .requests import check_requests
from .secrets import check_secrets
from .setup import Asked, Service, Setup, Side
from .synthesis import check_crossing, check_synthesis, check_undisturbed_synthesis

_RECOGNIZER: tuple[tuple[Law, str, Callable[[Setup], None]], ...] = (
    (PROFILE, "the formats and messages of the recognizer", partial(check_profile, side="recognizer")),
    (SESSIONS, "recognition, nothing fails", check_undisturbed_recognition),
    (PROFILE, "what the recognizer shows", check_capabilities),
    (REQUESTS, "the arguments of a recognition", partial(check_requests, side="recognizer")),
    (CODEC, "damaged and unknown messages to the recognizer", partial(check_codec, side="recognizer")),
    (PAUSES, "a recognition that pauses", partial(check_pauses, side="recognizer")),
    (FATES, "errors in a recognition", partial(check_fates, side="recognizer")),
    (SECRETS, "the recognizer", partial(check_secrets, side="recognizer")),
    (SESSIONS, "recognition through faults", check_recognition),
)
_VOICE: tuple[tuple[Law, str, Callable[[Setup], None]], ...] = (
    (PROFILE, "the formats and messages of the voice", partial(check_profile, side="voice")),
    (SESSIONS, "synthesis, nothing fails", check_undisturbed_synthesis),
    (ORDER, "a generation that is cancelled at its end", check_crossing),
    (REQUESTS, "the arguments of a synthesis", partial(check_requests, side="voice")),
    (CODEC, "damaged and unknown messages to the voice", partial(check_codec, side="voice")),
    (PAUSES, "a synthesis that pauses", partial(check_pauses, side="voice")),
    (FATES, "errors in a synthesis", partial(check_fates, side="voice")),
    (SECRETS, "the voice", partial(check_secrets, side="voice")),
    (SESSIONS, "synthesis through faults", check_synthesis),
)


def check_provider(
    backend: Backend,
    *,
    wires: Mapping[str, WireFactory] | None = None,
    model: str | None = None,
    voice: str | None = None,
    options: Mapping[str, Any] | None = None,
    manner: Manner | None = None,
    delivery: Delivery | None = None,
    secrets: Sequence[str] = (),
    runs: int = 10,
    progress: Progress | None = None,
) -> None:
    """Raises `AssertionError` that names the law which `backend` does not keep, the shortest case, and what to do.

    It runs trio itself, on virtual time, so call it from an ordinary function, and not from an async test.

    - `backend`: the backend. What it does not have (a recognizer, or a voice) it refuses with `ConfigurationError`.
    - `wires`: the service's protocol, for the scripted gateway to speak; see `trio_speech.testing.wires`.
    - `model`: the model that is asked for; ``None``: the backend's default.
    - `voice`: the voice that is asked for; ``None``: the backend's default.
    - `options`: the options that are asked for.
    - `manner`: how the service recognizes; ``None``: as the profile says.
    - `delivery`: how the service speaks; ``None``: as the profile says.
    - `secrets`: the credentials that `backend` holds, to be looked for where they must not be.
    - `runs`: how many sessions meet faults at random points, on top of the planned ones.
    - `progress`: is called with a line of text when the check of a law begins, such as ``print``.
    """
    service = Service(dict(wires or {}), manner, delivery)
    setup = Setup(backend, Asked(model, voice, dict(options or {})), service, secrets, runs)
    if setup.recognizer is None and setup.speaker is None:
        raise AssertionError(f"{backend!r} has neither a recognizer nor a voice for these arguments: {setup.refusals}")
    sides: tuple[Side, ...] = ("recognizer", "voice")
    for side, checks in zip(sides, (_RECOGNIZER, _VOICE), strict=True):
        if setup.of(side) is not None:
            for law, what, check in checks:
                with checked(law, what, progress or _tell_nobody):
                    check(setup)


def _tell_nobody(line: str) -> None:
    """The progress that nobody asked for."""
