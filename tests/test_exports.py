"""The face is a contract: what it exports, how the exports are called, and what their calls take."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import resources

import pytest

import trio_speech as ts

VALUES = {"AudioFormat", "AudioChunk", "AudioClip", "Recognition", "Word"}
EVENTS = {
    "FinalTranscript",
    "Gap",
    "InterimTranscript",
    "LinkLost",
    "PreflightTranscript",
    "Resumed",
    "SpeechEnded",
    "SpeechStarted",
    "TurnEnded",
}
ERRORS = {
    "AuthenticationError",
    "ConfigurationError",
    "ConnectFailed",
    "InternalError",
    "LinkError",
    "ProtocolError",
    "ProviderError",
    "QuotaError",
    "ReplayOverflow",
    "RetriesExhausted",
    "SpeechError",
}
POLICIES = {"LivenessPolicy", "PoolPolicy", "ReplayPolicy", "RetryPolicy"}
BACKENDS = {"Cartesia", "Deepgram", "ElevenLabs", "LiveKit", "Local", "OpenAI"}
CONTRACT = VALUES | EVENTS | ERRORS | POLICIES | BACKENDS | {"open_client"}


def test_all_is_sorted_and_holds_the_contract() -> None:
    assert list(ts.__all__) == sorted(set(ts.__all__))
    assert set(ts.__all__) >= CONTRACT


def test_what_is_not_exported_is_private() -> None:
    for backend in BACKENDS:
        getattr(ts, backend)  # loads it
    public = {name for name, value in vars(ts).items() if not name.startswith("_") and not inspect.ismodule(value)}
    assert public - {"annotations", "TYPE_CHECKING"} == {name for name in ts.__all__ if not name.startswith("_")}


def test_dir_and_star_tell_of_backends_that_are_not_loaded_yet() -> None:
    program = """
import trio_speech
assert set(trio_speech.__all__) <= set(dir(trio_speech)), "dir"
assert "trio_speech.providers.livekit" not in __import__("sys").modules
from trio_speech import *
assert LiveKit is trio_speech.LiveKit is trio_speech.__dict__["LiveKit"]
try:
    trio_speech.Nobody
except AttributeError as error:
    assert str(error) == "module 'trio_speech' has no attribute 'Nobody'", error
else:
    raise AssertionError("an attribute that is not there")
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("name", sorted(ts.__all__))
def test_every_export_is_there_and_documented(name: str) -> None:
    value = getattr(ts, name)
    if inspect.isclass(value) or inspect.isroutine(value):
        assert inspect.getdoc(value)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_error_is_ours(name: str) -> None:
    assert issubclass(getattr(ts, name), ts.SpeechError)


@pytest.mark.parametrize("name", sorted(EVENTS | POLICIES | VALUES))
def test_values_are_frozen(name: str) -> None:
    assert getattr(ts, name).__struct_config__.frozen


CALLS = {
    "transcribe": ("source", "audio_format", "model", "language", "options", "keyterms", "gateway_fallback"),
    "synthesize": ("text", "model", "voice", "language", "audio_format", "options", "resume", "gateway_fallback"),
    "recognize": ("source", "audio_format"),
    "render": ("text",),
    "prewarm": ("n",),
    "statistics": (),
}


@pytest.mark.parametrize("method", sorted(CALLS))
def test_the_client_takes_what_the_contract_says(method: str) -> None:
    taken = tuple(inspect.signature(getattr(ts.Client, method)).parameters)
    assert taken[1 : 1 + len(CALLS[method])] == CALLS[method]


def test_open_client_takes_the_policies_by_name() -> None:
    parameters = inspect.signature(ts.open_client).parameters
    assert next(iter(parameters)) == "backend"
    for name in ("retry", "replay", "pool", "liveness", "ssl_context"):
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY


def test_the_package_says_that_it_is_typed() -> None:
    assert resources.files(ts).joinpath("py.typed").is_file()
