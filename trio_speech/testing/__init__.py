"""For tests of programs that use speech: a scripted gateway whose faults are planned, and speech that can be checked.

    from trio_speech.testing import Drop, Hear, assert_exactly_once, speech

    async def test_survives_a_drop(gateway, autojump_clock):        # fixtures: ours, and pytest-trio's
        gateway.plan(Hear(3.0), Drop(), Hear(2.0))
        spoken = speech(20.0)
        async with gateway.client() as client, client.transcribe(spoken, spoken.audio_format) as transcript:
            events = [event async for event in transcript]
        assert_exactly_once(events, spoken, gateway.visits)

This test needs pytest-trio with ``trio_mode = true`` in its settings, or else ``@pytest.mark.trio``. Without pytest,
write ``async with open_gateway() as gateway``.

- The gateway is reached over memory streams, so no port is opened, and on trio's `MockClock` an hour of outage takes
  milliseconds. It serves the protocols of all backends here, as in
  ``gateway.in_place_of(trio_speech.Deepgram("key"))``.
- The audio of `say` and `speech` encodes its own words, and `hear` decodes them. A lost or doubled word can be proved.
- `Manner` says how the gateway recognizes, `Delivery` how it speaks. A *plan* says what goes wrong, in faults such as
  `Drop`. A `Visit` records what the gateway received on one connection.
- `check_provider` holds a backend of your own against the laws of all backends. `trio_speech.testing.wires` has what
  the gateway needs to speak its protocol.
- `trio_speech.testing.fault_proxy` breaks connections between real clients and real services.
"""

from __future__ import annotations

from .assertions import (
    assert_exactly_once,
    assert_in_stream_order,
    assert_ledger,
    assert_speech_alternates,
    assert_spoken_once,
    assert_times_within,
    assert_turns_end_once,
    assert_unique_ids,
)
from .check import check_provider
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
    Hang,
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
from .scripted.manner import FREEDOMS, Drift, Manner, random_manner
from .scripted.plan import RECOVERABLE, random_plan
from .scripted.recognizer import ScriptedRecognizer
from .scripted.synthesizer import Delivery, ScriptedSynthesizer
from .scripted.visits import Passed, Visit
from .speech import LabeledSpeech, Source, say, speech
from .streams import MemoryStream, memory_stream_pair
from .word_signal import AudibleWord, WordDecoder, hear

__all__ = [
    "FREEDOMS",
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
    "Hang",
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
    "assert_turns_end_once",
    "assert_unique_ids",
    "check_provider",
    "hear",
    "memory_stream_pair",
    "open_gateway",
    "picture",
    "random_manner",
    "random_plan",
    "say",
    "speech",
]
