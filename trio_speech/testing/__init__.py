"""For tests of programs that listen and speak: a gateway that fails as told, and speech that can be checked.

See `open_gateway`; with pytest, the fixture ``gateway``.
"""

from __future__ import annotations

from .faults import (
    Act,
    Await,
    BlackHole,
    Close,
    CloseSession,
    Delay,
    DialFault,
    Drop,
    Fault,
    Fin,
    Freeze,
    Garble,
    Hear,
    Idle,
    InBandError,
    Lapse,
    MidWord,
    NeverAnswer,
    Outage,
    Refuse,
    Restart,
    Send,
    Speak,
    StallWrites,
    Step,
    TearFrame,
    Trigger,
)
from .gateway import Gateway, open_gateway
from .laws import (
    assert_exactly_once,
    assert_in_stream_order,
    assert_ledger,
    assert_speech_alternates,
    assert_spoken_once,
    assert_times_within,
    assert_unique_ids,
)
from .picture import picture
from .plan import RECOVERABLE, random_plan
from .recogniser import Drift, Manner, Recogniser
from .records import Passed, Visit
from .signal import Ear, Spoken, hear
from .speech import Source, Speech, say, speech
from .streams import MemoryStream, memory_stream_pair
from .synthesiser import Delivery, Synthesiser

__all__ = [
    "RECOVERABLE",
    "Act",
    "Await",
    "BlackHole",
    "Close",
    "CloseSession",
    "Delay",
    "Delivery",
    "DialFault",
    "Drift",
    "Drop",
    "Ear",
    "Fault",
    "Fin",
    "Freeze",
    "Garble",
    "Gateway",
    "Hear",
    "Idle",
    "InBandError",
    "Lapse",
    "Manner",
    "MemoryStream",
    "MidWord",
    "NeverAnswer",
    "Outage",
    "Passed",
    "Recogniser",
    "Refuse",
    "Restart",
    "Send",
    "Source",
    "Speak",
    "Speech",
    "Spoken",
    "StallWrites",
    "Step",
    "Synthesiser",
    "TearFrame",
    "Trigger",
    "Visit",
    "assert_exactly_once",
    "assert_in_stream_order",
    "assert_ledger",
    "assert_speech_alternates",
    "assert_spoken_once",
    "assert_times_within",
    "assert_unique_ids",
    "hear",
    "memory_stream_pair",
    "open_gateway",
    "picture",
    "random_plan",
    "say",
    "speech",
]
