"""The parts from which to make a wire, so that the scripted gateway can speak another protocol.

A *wire* is the service's side of a provider's codec. The gateway makes one for each connection. Name it by the path of
the connection's address::

    async with open_gateway(wires={"/v1/my-service": MyWire}) as gateway:
        backend = gateway.in_place_of(MyBackend("key"))

where ``MyWire(query, session_id)`` returns a `Wire`, or a `Refuse` for a handshake that the service would refuse. The
gateway recognizes, speaks and fails in the same way on every wire.
"""

from __future__ import annotations

from .._core.provider.messages import (
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
from .._core.provider.requests import Change, SynthesizeRequest, TranscribeRequest
from .scripted.manner import Manner
from .scripted.recognizer import UtteranceEnded
from .scripted.synthesizer import AlignedCharacters
from .scripted.wires import WireFactory
from .scripted.wires.protocol import (
    Cancel,
    Cancelled,
    Changed,
    ClientClose,
    ClientFinalize,
    ClientFinish,
    Flush,
    IdleLimit,
    Incoming,
    Mistake,
    Outgoing,
    Reply,
    Request,
    Text,
    Wire,
)

__all__ = [
    "Acknowledged",
    "Aligned",
    "AlignedCharacters",
    "Audio",
    "Cancel",
    "Cancelled",
    "Change",
    "Changed",
    "ClientClose",
    "ClientFinalize",
    "ClientFinish",
    "Closed",
    "Done",
    "Failure",
    "FinalizeAnswered",
    "Flush",
    "IdleLimit",
    "Incoming",
    "Manner",
    "Mistake",
    "Opened",
    "Outgoing",
    "RecognitionResult",
    "Reply",
    "Request",
    "SpeechOnset",
    "SpeechOver",
    "SynthesizeRequest",
    "Text",
    "TranscribeRequest",
    "UtteranceEnded",
    "Wire",
    "WireFactory",
]
