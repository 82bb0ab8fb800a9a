"""Law 1, for voices: each word is spoken exactly once, even when connections fail, and none after it was cleared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import product
from typing import Literal

import trio
from msgspec.structs import replace

from ..._core.provider.messages import Done
from ..._shell.client import Client
from ...audio import AudioFormat
from ...errors import SpeechError
from ..assertions import assert_spoken_once
from ..scripted.faults import (
    Await,
    BlackHole,
    Close,
    Drop,
    Garble,
    InBandError,
    NeverAnswer,
    Outage,
    Refuse,
    Speak,
    Step,
)
from ..scripted.gateway import ScriptedGateway
from ..scripted.wires.protocol import Cancel, Cancelled, Wire
from ..speech import pseudoword
from ..word_signal import hear
from .laws import PROFILE, Case, demand, session_failed
from .learning import learned
from .running import run
from .setup import Setup

PLANS: Mapping[str, tuple[Step, ...]] = {
    "a reset in mid-audio": (Speak(0.7), Drop()),
    "a reset before any audio": (Await("text"), Drop()),
    "two resets": (Speak(0.5), Drop(), Speak(1.1), Drop()),
    "a close with an error": (Speak(0.7), Close(1011)),
    "an error, and then a close": (Speak(0.7), InBandError(), Close(1011)),
    "a connection that falls silent": (Speak(0.7), BlackHole()),
    "a message that is no JSON": (Speak(0.7), Garble("json")),
    "refused dials": (Refuse(503), Refuse(429, retry_after=1.0)),
    "a dial that is not answered": (NeverAnswer(),),
    "an outage": (Speak(0.7), Outage(5.0)),
}
_FAULTS: tuple[Step, ...] = (Drop(), BlackHole(), Close(1011))
_MODES: tuple[Literal["word", "segment"], ...] = ("word", "segment")


def check_undisturbed_synthesis(setup: Setup) -> None:
    """Raises `LawBroken` where a word is lost although nothing fails. Each encoding, and a cleared text, is tried."""
    for mode in _MODES:
        run(Case(f"synthesis, resume={mode!r}, nothing fails"), partial(_speak, setup, mode))
    for audio_format in setup.other_formats("voice"):
        run(Case(f"synthesis, {audio_format}, nothing fails"), partial(_speak_in, setup, audio_format))
    run(
        Case("synthesis, several at once"),
        partial(_speak_at_once, setup, setup.provider("voice").profile.generations + 3),
    )
    run(Case("synthesis, a cleared text"), partial(_clear, setup))


def check_synthesis(setup: Setup) -> None:
    """Raises `LawBroken` where a word is lost or spoken twice, or a session does not end."""
    for (name, plan), mode in product(PLANS.items(), _MODES):
        run(Case(f"synthesis, resume={mode!r}, {name}", plan), partial(_speak, setup, mode))
    for seed in range(setup.runs):
        plan, mode = (Speak(0.1 + 0.37 * (seed % 7)), _FAULTS[seed % len(_FAULTS)]), _MODES[seed % 2]
        run(Case(f"synthesis, resume={mode!r}, a fault", plan, seed), partial(_speak, setup, mode))


def _text(seed: int) -> str:
    """Returns three sentences of words that are all different. `seed` selects the words."""
    sentences = [[pseudoword(100 * seed + 10 * sentence + word) for word in range(5)] for sentence in range(3)]
    return " ".join(" ".join(words).capitalize() + "." for words in sentences)


async def _speak(setup: Setup, mode: Literal["word", "segment"], case: Case) -> None:
    text = _text(case.seed)
    async with setup.client(case.plan) as (client, _):
        try:
            async with client.synthesize(
                text, audio_format=setup.speech_format, **setup.asked.synthesis, resume=mode
            ) as speech:
                chunks = [chunk async for chunk in speech]
        except SpeechError as error:
            raise session_failed(error) from error
        assert_spoken_once(chunks, text, setup.speech_format.sample_rate)
    if not case.plan:
        aligned = setup.provider("voice").profile.aligned
        demand(
            any(chunk.words for chunk in chunks) is aligned,
            f"the profile says aligned={aligned}, and the words of the speech say otherwise",
            PROFILE,
        )


async def _speak_in(setup: Setup, audio_format: AudioFormat, case: Case) -> None:
    async with setup.client(case.plan) as (client, _):
        await _render(setup, client, audio_format, _text(case.seed))


async def _speak_at_once(setup: Setup, several: int, case: Case) -> None:
    async with setup.client(case.plan) as (client, gateway), trio.open_nursery() as nursery:
        _slow_down(gateway)
        await _render(setup, client, setup.speech_format, _text(0))  # opens a connection, for all to share
        for number in range(several):
            nursery.start_soon(_render, setup, client, setup.speech_format, _text(number))


async def _render(setup: Setup, client: Client, audio_format: AudioFormat, text: str) -> None:
    clip = await client.render(text, audio_format=audio_format, **setup.asked.synthesis)
    _assert_tokens(clip.audio, text, audio_format)


async def _clear(setup: Setup, case: Case) -> None:
    dropped, wanted = _text(1), _text(2)
    async with setup.client(case.plan) as (client, gateway):
        _slow_down(gateway)
        gateway.connect_time = 1.0  # so that it is quicker to wait for the end of the cancelled generation
        async with client.synthesize(audio_format=setup.speech_format, **setup.asked.synthesis) as speech:
            await speech.send(dropped)
            speech.flush()
            await trio.sleep(1.1)
            speech.clear()
            await speech.send(wanted)
            speech.end_input()
            audio = b"".join([chunk.audio async for chunk in speech])
    _assert_tokens(audio, wanted, setup.speech_format)


def _slow_down(gateway: ScriptedGateway) -> None:
    """Makes the service speak slowly enough for generations to overlap, and to be cancelled."""
    gateway.delivery = replace(gateway.delivery, speed=4.0)


def check_crossing(setup: Setup) -> None:
    """Raises `LawBroken` where a generation ends twice that was cancelled when the service had just finished it."""
    wire = setup.wire(learned(setup, "voice").visits[0])
    run(Case("synthesis, a text cancelled at its end"), partial(_cross, setup, wire))


async def _cross(setup: Setup, wire: Wire, _: Case) -> None:
    codec = setup.provider("voice").codec()
    for frame in (*codec.open(), *codec.speak("One.")):
        wire.decode(frame)
    answers = list(wire.encode(Done()))
    cancel = codec.cancel()
    if cancel is not None and any(isinstance(request, Cancel) for request in wire.decode(cancel).asks):
        answers += wire.encode(Cancelled())
    frames = [answer.frame for answer in answers]
    ends = [message for frame in frames for message in codec.decode(frame) if isinstance(message, Done)]
    demand(len(ends) <= 1, f"{len(ends)} times Done for one generation, which was cancelled when it had just ended")


def _assert_tokens(audio: bytes, text: str, audio_format: AudioFormat) -> None:
    spoken = " ".join(word.token for word in hear(audio, 0, audio_format))
    demand(spoken == text, f"asked for: {text}\nspoken:    {spoken}")
