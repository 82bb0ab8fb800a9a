"""Checks a backend, of this library or of your own, against the laws that sessions rely on.

    def test_my_backend() -> None:
        check_provider(MyBackend("hunter2"), wires={"/v1/my-service": MyWire}, secrets=("hunter2",))

The laws
    1. *Sessions.* With the scripted gateway in the place of the service, each word is recognized, or spoken, exactly
       once: through resets, closes, errors, delays, silences, malformed messages, refused dials, and faults at random.
    2. *Profile.* The backend takes the formats that its profile names, and no others; its codec has the messages that
       the profile needs; speech comes with word times if and only if the profile says so.
    3. *Codec.* For any frame, even a damaged one, `decode` returns messages whose times are possible (finite, not
       negative, no end before its start), or raises `ProtocolError`.
       A field that the codec does not know changes nothing.
    4. *Secrets.* No repr, address, error or log shows a credential, even if the service quotes it.
    5. *Order.* In a session, a recognizer's codec answers no more than it was asked, says no time behind the audio, and
       no final of audio that it has acknowledged; a voice's ends each generation once, after its audio and its words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...providers._codec import Backend
from ..scripted.manner import Manner
from ..scripted.synthesizer import Delivery
from ..scripted.wires import WireFactory
from .codec import check_codec
from .profile import check_profile
from .recognition import check_recognition
from .secrets import check_secrets
from .setup import Asked, Service, Setup
from .synthesis import check_synthesis


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
) -> None:
    """Raises `AssertionError` naming the law that `backend` does not keep, and the case.

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
    """
    service = Service(dict(wires or {}), manner, delivery)
    setup = Setup(backend, Asked(model, voice, dict(options or {})), service)
    if setup.recognizer is None and setup.speaker is None:
        raise AssertionError(f"{backend!r} has neither a recognizer nor a voice for these arguments: {setup.refusals}")
    if setup.recognizer is not None:
        check_profile(setup, "recognizer", setup.recognizer.profile)
        check_codec(setup, "recognizer")
        check_recognition(setup, runs)
    if setup.speaker is not None:
        check_profile(setup, "voice", setup.speaker.profile)
        check_codec(setup, "voice")
        check_synthesis(setup, runs)
    check_secrets(setup, secrets)
