"""The wire protocols of the scripted gateway, one module a provider. They convert frames, and do no I/O.

A wire is the service's side of a provider's codec: it decodes the requests that the codec encodes, and encodes the
messages that it decodes. All wires have the same `Request` and `Reply`, so the gateway depends on no provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TypeAlias

from ..faults import Refuse
from . import (
    cartesia,
    deepgram,
    deepgram_flux,
    deepgram_speak,
    elevenlabs,
    elevenlabs_scribe,
    livekit,
    openai_dialects,
)
from .protocol import Wire

WireFactory: TypeAlias = Callable[[str, str], Wire | Refuse]
"""Makes the wire for one connection from the query of its address and the id of the session, or refuses it."""

_NOT_FOUND = Refuse(404)
_ENDPOINTS: Mapping[str, WireFactory] = {
    "/v1/stt": livekit.recognition,
    "/v1/tts": livekit.synthesis,
    "/v1/listen": deepgram.listen,
    "/v2/listen": deepgram_flux.listen,
    "/v1/speak": deepgram_speak.speak,
    "/tts/websocket": cartesia.synthesis,
    "/v1/speech-to-text/realtime": elevenlabs_scribe.realtime,
    "/v1/realtime": openai_dialects.realtime,
    "/v1/text-to-speech/*/multi-stream-input": elevenlabs.multi_stream_input,
}


def answer(resource: str, session_id: str, others: Mapping[str, WireFactory] = MappingProxyType({})) -> Wire | Refuse:
    """Returns the wire for a handshake with the path and query `resource`, or the refusal to answer it with.

    `others` come before the built-in ones. Their keys are paths, in which ``*`` stands for any text.
    """
    path, _, query = resource.partition("?")
    found = (factory for pattern, factory in (*others.items(), *_ENDPOINTS.items()) if fnmatchcase(path, pattern))
    factory = next(found, None)
    return factory(query, session_id) if factory else _NOT_FOUND
