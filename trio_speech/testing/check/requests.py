"""Law 6: what a session asks for reaches the service, or is refused; and a connection is shared only by equal requests.

A request with one argument more must lead to another handshake, or to other messages, or be refused with
`ConfigurationError`. What the service makes of the argument is not checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..._core.provider.requests import Change
from ...errors import ConfigurationError
from ...events import FinalTranscript
from ..speech import speech
from .laws import Case, demand
from .running import run
from .setup import Setup, Side

_ASKED: Mapping[str, Any] = {
    "language": "de",
    "model": "another-model",
    "voice": "another-voice",
    "options": {"new_in_this_version": "on"},
    "keyterms": ("turmeric",),
}
_CHANGES = (Change(keyterms=("turmeric",)), Change(language="de"), Change(options={"new_in_this_version": "on"}))
_NAMES = re.compile(r"[0-9a-f]{32}")
"""Names that a codec makes up for its connection."""


def check_requests(setup: Setup, side: Side) -> None:
    """Raises `LawBroken` where an argument of a session is lost, or a change of a session is."""
    usual = setup.provider(side)
    plain = _sent(usual, side)
    for name, value in _ASKED.items():
        if (name == "voice" and side == "recognizer") or (name == "keyterms" and side == "voice"):
            continue
        provider = _refusable(setup, side, {name: value})
        if provider is None:
            continue
        sent = _sent(provider, side)
        demand(sent != plain, f"the {side} takes {name}={value!r}, and nothing that is sent differs")
        if side == "voice":
            demand(
                provider.pool_key != usual.pool_key,
                f"pool_key does not tell {name}={value!r} from the default, and what is sent differs: a session would "
                "speak on a connection that was opened for another request",
            )
    if side == "recognizer":
        for change in _CHANGES:
            _check_change(usual.codec(), change)
        _check_live_keyterms(setup)


def _refusable(setup: Setup, side: Side, changes: dict[str, Any]) -> Any:
    try:
        return setup.provider(side, **changes)
    except ConfigurationError:
        return None


def _sent(provider: Any, side: Side) -> str:
    """Returns all that a connection sends before its audio or its second text, without names that are made up."""
    dial = run(Case(f"{side}, a handshake"), lambda _: provider.dial())
    codec = provider.codec()
    # A signed token differs each time.
    headers = [header for header in dial.headers if header[0].lower() != "authorization"]
    frames = [*codec.open(), *(codec.speak("One.") if side == "voice" else ())]
    return _NAMES.sub("", repr((dial.url, headers, frames)))


def _check_change(codec: Any, change: Change) -> None:
    try:
        answer = codec.update(change)
    except ConfigurationError:
        return
    demand(answer is not None, f"update says that {change!r} changes nothing: give a frame or NeedsNewLink, or refuse")


def _check_live_keyterms(setup: Setup) -> None:
    """Changes keyterms in a running session, where the backend takes keyterms at all."""
    if _refusable(setup, "recognizer", {"keyterms": ("before",)}) is not None:
        run(Case("recognition, other keyterms in mid-session"), lambda _: _change_keyterms(setup))


async def _change_keyterms(setup: Setup) -> None:
    live = setup.provider("recognizer").profile.live_keyterms
    said = speech(9.0, audio_format=setup.audio_format)
    before: tuple[str, ...] | None = None
    async with setup.client(()) as (client, gateway):
        asked = setup.asked.recognition
        async with client.transcribe(said, said.audio_format, **asked, keyterms=["before"]) as transcript:
            async for event in transcript:
                if isinstance(event, FinalTranscript) and before is None:
                    before = gateway.visits[0].keyterms
                    transcript.update(keyterms=["after"])
        visits = gateway.visits
    if live:
        demand(len(visits) == 1, "by its profile keyterms change on a running connection, and a new one was opened")
    if before:  # else the wire has no field for them
        there = visits[-1].keyterms
        demand(there == ("after",), f"the keyterms were changed to 'after', and the service has {there}")
