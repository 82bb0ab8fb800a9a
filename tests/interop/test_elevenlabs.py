"""The messages of ElevenLabs' voices, ours and the scripted service's, held against the official package's types.

The official client has the types of the websocket with contexts, and no client for it. It needs ``elevenlabs``
installed, and is skipped without.
"""

from __future__ import annotations

import warnings

import pytest

import trio_speech as ts
from trio_speech.provider import Audio, Done, Failure, SynthesizeRequest
from trio_speech.testing.scripted.wires.elevenlabs import ElevenLabsWire, multi_stream_input

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    official = pytest.importorskip("elevenlabs.types")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_what_we_ask_has_the_official_types() -> None:
    request = SynthesizeRequest(
        audio_format=ts.AudioFormat.pcm16(24_000), voice="ann", options={"voice_settings": {"speed": 1.1}}
    )
    frames = ts.ElevenLabs("key").voice(request).codec().speak("Hello.")
    kinds = (official.InitialiseContext, official.FlushContext, official.CloseContext)
    for kind, frame in zip(kinds, frames, strict=True):
        kind.model_validate_json(frame)


def test_what_the_scripted_service_says_has_the_official_types() -> None:
    made = multi_stream_input("output_format=pcm_24000", "x")
    assert isinstance(made, ElevenLabsWire)
    for frame in ('{"text":"Hi. ","context_id":"c"}', '{"text":"","context_id":"c","flush":true}'):
        made.decode(frame)
    said = [outgoing.frame for reply in (Audio(bytes(4)), Done()) for outgoing in made.encode(reply)]
    audio = official.AudioOutputMulti.model_validate_json(said[0])
    final = official.FinalOutputMulti.model_validate_json(said[1])
    assert (audio.audio, audio.context_id, final.context_id) == ("AAAAAA==", "c", "c")
    assert list(made.encode(Failure(message="no")))
