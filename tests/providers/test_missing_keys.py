"""Where a backend has no credentials, the error names what the user may give, and the environment variables."""

from __future__ import annotations

import os

import pytest

import trio_speech as ts
from trio_speech._core.provider.requests import SynthesizeRequest, TranscribeRequest
from trio_speech.provider import Backend, api_key

SPEECH = SynthesizeRequest(audio_format=ts.AudioFormat.pcm16(24_000), voice="ann")
SPOKEN = TranscribeRequest(audio_format=ts.AudioFormat.pcm16(24_000))


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.endswith(("_API_KEY", "_API_SECRET"))]:
        monkeypatch.delenv(name)


def refused(backend: Backend) -> str:
    """Returns the message with which the backend refuses each side that it has."""
    messages = set()
    for make, request in ((backend.recognizer, SPOKEN), (backend.voice, SPEECH)):
        with pytest.raises(ts.ConfigurationError) as caught:
            make(request)  # type: ignore[operator]  # pyright: ignore[reportArgumentType]
        if "no credentials" in str(caught.value):
            messages.add(caught.value.message)
    [message] = messages
    return message


@pytest.mark.parametrize("kind", [ts.Deepgram, ts.ElevenLabs, ts.Cartesia, ts.OpenAI])
def test_a_key_that_is_not_there_is_asked_for_by_its_names(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    name = kind.__name__
    variable = f"{name.upper()}_API_KEY"
    advice = f"give {name}(api_key=…), or set {variable}"
    assert refused(kind()) == (
        f"no credentials for {name}: api_key is not given, and the environment variable {variable} is not set; {advice}"
    )
    monkeypatch.setenv(variable, " ")
    assert refused(kind(api_key="")) == (
        f"no credentials for {name}: api_key is empty, and the environment variable {variable} is empty; {advice}"
    )


def test_a_pair_that_is_not_there_is_asked_for_by_its_names() -> None:
    message = refused(ts.LiveKit())
    assert message.startswith("no credentials for LiveKit: api_key and api_secret are not given")
    assert message.endswith(
        "give LiveKit(api_key=…, api_secret=…), or set LIVEKIT_INFERENCE_API_KEY and LIVEKIT_INFERENCE_API_SECRET, "
        "or LIVEKIT_API_KEY and LIVEKIT_API_SECRET"
    )


def test_a_key_that_no_header_can_hold_is_named_by_where_it_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ts.ConfigurationError, match=r"^api_key of Deepgram must be printable ASCII"):
        ts.Deepgram(api_key="two words")
    monkeypatch.setenv("DEEPGRAM_API_KEY", "two words")
    with pytest.raises(ts.ConfigurationError, match=r"^the environment variable DEEPGRAM_API_KEY must be printable"):
        ts.Deepgram().recognizer(SPOKEN)


def test_a_backend_of_ones_own_names_its_own_parameter() -> None:
    with pytest.raises(ts.ConfigurationError, match=r"key is not given.*give Parrot\(key=…\), or set PARROT_KEY"):
        api_key(None, "PARROT_KEY", "Parrot", "key")
