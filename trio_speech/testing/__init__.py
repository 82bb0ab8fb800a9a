"""For tests of programs that listen and speak: a gateway that fails as told, and speech that can be checked.

    from trio_speech.testing import Drop, Hear, assert_exactly_once, speech

    async def test_survives_a_drop(gateway, autojump_clock):        # fixtures: ours, and pytest-trio's
        gateway.plan(Hear(3.0), Drop(), Hear(2.0))
        spoken = speech(20.0)
        async with gateway.client() as client, client.transcribe(spoken, spoken.audio_format) as transcript:
            events = [event async for event in transcript]
        assert_exactly_once(events, spoken, gateway.visits)

That is a test for pytest-trio with ``trio_mode = true`` in its settings; else it wants ``@pytest.mark.trio``.

The gateway speaks over memory streams, so an hour of outage passes in milliseconds, and no port is opened: the LiveKit
inference wire, and Deepgram's live recognition, for ``gateway.in_place_of(trio_speech.Deepgram("key"))``. Its audio
carries the words (`say`, `speech`, `hear`), so a lost or doubled one is proved. `Manner` is how it recognises,
`Delivery` how it speaks, a *plan* what goes wrong (see `faults`), and `Visit` what it saw. Without pytest:
``async with open_gateway() as gateway``. Between real clients and real services, `trio_speech.testing.proxy` breaks
what passes through it.
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
from .manner import Drift, Manner
from .picture import picture
from .plan import RECOVERABLE, random_plan
from .recogniser import Recogniser
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
