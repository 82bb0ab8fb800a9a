"""Law 1, for voices: each word is spoken exactly once, even when connections fail, and none after it was cleared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

import trio

from ...errors import SpeechError
from ...events import AudioChunk
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
from ..speech import pseudoword
from ..word_signal import hear
from .setup import Setup, run

PLANS: Mapping[str, tuple[Step, ...]] = {
    "nothing fails": (),
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


def check_synthesis(setup: Setup, runs: int) -> None:
    """Raises `AssertionError` where a word is lost or spoken twice, or a session does not end."""
    for case, plan in PLANS.items():
        for mode in _MODES:
            run(f"synthesis, resume={mode!r}, {case}", partial(_speak, setup, plan, _text(0), mode))
    for seed in range(runs):
        plan = (Speak(0.1 + 0.37 * (seed % 7)), _FAULTS[seed % len(_FAULTS)])
        run(f"synthesis, fault number {seed}", partial(_speak, setup, plan, _text(seed), _MODES[seed % 2]))
    run("synthesis, several at once", partial(_speak_at_once, setup))
    run("synthesis, a cleared text", partial(_clear, setup))


def _text(seed: int) -> str:
    """Returns three sentences of words that are all different. `seed` selects the words."""
    sentences = [[pseudoword(100 * seed + 10 * sentence + word) for word in range(5)] for sentence in range(3)]
    return " ".join(" ".join(words).capitalize() + "." for words in sentences)


async def _speak(setup: Setup, plan: tuple[Step, ...], text: str, mode: Literal["word", "segment"]) -> None:
    async with setup.client(plan) as (client, gateway):
        try:
            async with client.synthesize(
                text,
                audio_format=setup.speech_format,
                **setup.asked.synthesis,
                resume=mode,
            ) as speech:
                chunks = [chunk async for chunk in speech]
        except SpeechError as error:
            raise AssertionError(f"the session ended with an error: {error}") from error
        assert_spoken_once(chunks, text, setup.speech_format.sample_rate)
        if not plan:
            _assert_aligned(setup, chunks)
    for visit in gateway.visits:
        if visit.complaints:
            raise AssertionError(f"the service complains: {visit.complaints}")


def _assert_aligned(setup: Setup, chunks: list[AudioChunk]) -> None:
    aligned = setup.speaker is not None and setup.speaker.profile.aligned
    if any(chunk.words for chunk in chunks) is not aligned:
        raise AssertionError(f"the profile says aligned={aligned}, and the words of the speech say otherwise")


async def _speak_at_once(setup: Setup) -> None:
    async with setup.client(()) as (client, _), trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(_render, setup, client, _text(number))


async def _render(setup: Setup, client: object, text: str) -> None:
    clip = await client.render(  # type: ignore[attr-defined]
        text, audio_format=setup.speech_format, **setup.asked.synthesis
    )
    _assert_tokens(clip.audio, text)


async def _clear(setup: Setup) -> None:
    dropped, wanted = _text(1), _text(2)
    async with (
        setup.client(()) as (client, _),
        client.synthesize(audio_format=setup.speech_format, **setup.asked.synthesis) as speech,
    ):
        await speech.send(dropped)
        speech.flush()
        await speech.__anext__()
        speech.clear()
        await speech.send(wanted)
        speech.end_input()
        audio = b"".join([chunk.audio async for chunk in speech])
    _assert_tokens(audio, wanted)


def _assert_tokens(audio: bytes, text: str) -> None:
    spoken = " ".join(word.token for word in hear(audio))
    if spoken != text:
        raise AssertionError(f"asked for: {text}\nspoken:    {spoken}")
