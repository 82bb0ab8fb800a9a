"""The wire protocols of the scripted gateway, one module a provider. They convert frames, and do no I/O.

A wire is the service's side of a provider's codec: it decodes the requests that the codec encodes, and encodes the
messages that it decodes. All wires have the same `Request` and `Reply`, so the gateway depends on no provider.
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
    """The wire protocol for the path and query of a handshake, or the refusal to answer it with."""
    path, _, query = resource.partition("?")
    endpoint = _ENDPOINTS.get(path)
    return endpoint(query, session_id) if endpoint else _NOT_FOUND
