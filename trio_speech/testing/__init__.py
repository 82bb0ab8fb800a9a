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
carries the words (`say`, `speech`, `hear`), so a lost or doubled one is proved. `Manner` is how it recognizes,
`Delivery` how it speaks, a *plan* what goes wrong (see `faults`), and `Visit` what it saw. Without pytest:
``async with open_gateway() as gateway``. Between real clients and real services, `trio_speech.testing.proxy` breaks
what passes through it.
"""

from __future__ import annotations

from .assertions import (
    assert_exactly_once,
    assert_in_stream_order,
    assert_ledger,
    assert_speech_alternates,
    assert_spoken_once,
    assert_times_within,
    assert_unique_ids,
)
from .picture import picture
from .scripted.faults import (
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
from .scripted.gateway import ScriptedGateway, open_gateway
from .scripted.manner import Drift, Manner
from .scripted.plan import RECOVERABLE, random_plan
from .scripted.recognizer import ScriptedRecognizer
from .scripted.synthesizer import Delivery, ScriptedSynthesizer
from .scripted.visits import Passed, Visit
from .speech import LabeledSpeech, Source, say, speech
from .streams import MemoryStream, memory_stream_pair
from .word_signal import AudibleWord, WordDecoder, hear

__all__ = [
    "RECOVERABLE",
    "Act",
    "AudibleWord",
    "Await",
    "BlackHole",
    "Close",
    "CloseSession",
    "Delay",
    "Delivery",
    "DialFault",
    "Drift",
    "Drop",
    "Fault",
    "Fin",
    "Freeze",
    "Garble",
    "Hear",
    "Idle",
    "InBandError",
    "LabeledSpeech",
    "Lapse",
    "Manner",
    "MemoryStream",
    "MidWord",
    "NeverAnswer",
    "Outage",
    "Passed",
    "Refuse",
    "Restart",
    "ScriptedGateway",
    "ScriptedRecognizer",
    "ScriptedSynthesizer",
    "Send",
    "Source",
    "Speak",
    "StallWrites",
    "Step",
    "TearFrame",
    "Trigger",
    "Visit",
    "WordDecoder",
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
