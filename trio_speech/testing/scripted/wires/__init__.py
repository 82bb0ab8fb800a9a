"""The wires that the scripted gateway speaks: one module a provider, frames in and out, nothing sent or waited for.

A wire is the other side of a provider's codec: it reads the requests that a codec writes, and writes the messages that
a codec reads. Its `Request` and `Reply` are the same for all, so the gateway knows no provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..faults import Refuse
from . import deepgram, livekit
from .protocol import Wire

_NOT_FOUND = Refuse(404)
_ENDPOINTS: Mapping[str, Callable[[str, str], Wire | Refuse]] = {
    "/v1/stt": livekit.recognition,
    "/v1/tts": livekit.synthesis,
    "/v1/listen": deepgram.listen,
}


def answer(resource: str, session_id: str) -> Wire | Refuse:
    """What a handshake for this path and query gets: the wire spoken there, or the HTTP status to refuse it with."""
    path, _, query = resource.partition("?")
    endpoint = _ENDPOINTS.get(path)
    return endpoint(query, session_id) if endpoint else _NOT_FOUND
