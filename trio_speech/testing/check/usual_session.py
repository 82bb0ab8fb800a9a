"""A short session of either side, for the checks of what happens when it is ended in its midst."""

from __future__ import annotations

from collections.abc import Mapping

from ..._shell.client import Client
from ..scripted.faults import Hear, Speak, Step
from ..speech import speech
from .setup import Setup, Side

IN_ITS_MIDST: Mapping[Side, Step] = {"recognizer": Hear(1.0), "voice": Speak(0.3)}
"""By side, the step of a plan after which the next one comes while the session is under way."""


async def use(setup: Setup, client: Client, side: Side) -> None:
    """Recognizes four seconds of words, or speaks two sentences. Raises what the client raises."""
    if side == "recognizer":
        said = speech(4.0, audio_format=setup.audio_format)
        await client.recognize(said, said.audio_format, **setup.asked.recognition)
    else:
        text = "One two three. Four five."
        await client.render(text, audio_format=setup.speech_format, **setup.asked.synthesis)
