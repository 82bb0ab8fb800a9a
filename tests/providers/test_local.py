from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from trio_speech._core.provider.requests import Change, SynthesizeRequest, TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers._accept import RATES
from trio_speech.providers._codec import Backend, Connector, Dial, SttProvider, TtsProvider
from trio_speech.providers.local import Local

PCM = AudioFormat.pcm16(16_000)


def test_it_is_what_the_interfaces_ask_for() -> None:
    backend: Backend = Local()
    recognizer: SttProvider = backend.recognizer(TranscribeRequest(audio_format=PCM))
    voice: TtsProvider = backend.voice(SynthesizeRequest(audio_format=PCM))
    assert recognizer.endpoint == "ws://local/v1/stt"
    assert voice.endpoint == "ws://local/v1/tts"


async def test_a_dial_needs_no_credentials() -> None:
    dial = await Local().recognizer(TranscribeRequest(audio_format=PCM, model="local/sphinx")).dial()
    assert dial.url == "ws://local/v1/stt?model=local%2Fsphinx"
    assert [name for name, _ in dial.headers] == ["User-Agent"]


def test_keyterms_are_refused_as_its_own() -> None:
    with pytest.raises(ConfigurationError, match=r"the recognizers of Local\(\) take none"):
        Local().recognizer(TranscribeRequest(audio_format=PCM, keyterms=("Aachen",)))


def test_a_session_opens_as_with_the_real_gateway() -> None:
    [heard] = Local().recognizer(TranscribeRequest(audio_format=PCM, language="English")).codec().open()
    assert json.loads(heard)["settings"]["language"] == "en"
    [spoken] = Local().voice(SynthesizeRequest(audio_format=PCM, voice="v")).codec().open()
    assert json.loads(spoken)["voice"] == "v"


@pytest.mark.parametrize("change", [{"language": "fr"}, {"options": {"two_passes": True}}, {"keyterms": ()}])
def test_a_change_in_mid_stream_is_refused_by_name(change: dict[str, Any]) -> None:
    codec = Local().recognizer(TranscribeRequest(audio_format=PCM)).codec()
    with pytest.raises(ConfigurationError, match=f"cannot change the {next(iter(change))} of a running session"):
        codec.update(Change(**change))
    assert codec.update(Change()) is None


def test_what_it_is_like() -> None:
    hearing = Local().recognizer(TranscribeRequest(audio_format=PCM)).profile
    assert (hearing.acknowledges, hearing.exact_times, hearing.word_times, hearing.finalizes_itself) == (
        "span",
        True,
        True,
        True,
    )
    assert (hearing.max_lead_in, hearing.replay_speed, hearing.ordered) == (0.0, None, True)
    speaking = Local().voice(SynthesizeRequest(audio_format=PCM)).profile
    assert (speaking.aligned, speaking.deterministic) == (True, True)


@pytest.mark.parametrize(("model", "spaced"), [(None, True), ("rime/coda:luna", True), ("cartesia/sonic-3", False)])
def test_words_are_spaced_as_by_the_provider_that_is_named(model: str | None, spaced: bool) -> None:
    assert Local().voice(SynthesizeRequest(audio_format=PCM, model=model)).profile.spaced_words is spaced


def test_formats_that_it_does_not_take_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="takes 1 channel"):
        Local().voice(SynthesizeRequest(audio_format=AudioFormat.pcm16(16_000, 2)))


def test_it_takes_the_rates_that_its_engines_convert_between() -> None:
    assert Local().recognizer(TranscribeRequest(audio_format=PCM)).profile.sample_rates == RATES
    assert Local().voice(SynthesizeRequest(audio_format=PCM)).profile.sample_rates == RATES
    with pytest.raises(ConfigurationError, match="takes a sample rate of 8000 or"):
        Local().recognizer(TranscribeRequest(audio_format=AudioFormat.pcm16(16_001)))


async def test_its_transport_is_the_gateway_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(dial: Dial) -> Any:
        raise NotImplementedError

    @asynccontextmanager
    async def open_local_gateway(**engines: Any) -> AsyncGenerator[Connector, None]:
        assert engines == {"recognizer": "pocketsphinx", "voice": None}
        yield connect

    gateway = ModuleType("trio_speech.gateway")
    gateway.open_local_gateway = open_local_gateway  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "trio_speech.gateway", gateway)
    async with Local(recognizer="pocketsphinx").transport() as connector:
        assert connector is connect


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trio_speech.gateway", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'trio-speech\[local\]'"):
        Local().transport()


def test_it_is_a_value() -> None:
    engine = SimpleNamespace(open=print)
    assert len({Local(), Local(None), Local("moonshine"), Local(recognizer="moonshine"), Local(voice="espeak")}) == 3
    assert Local(engine) == Local(engine) != Local()  # type: ignore[arg-type]
    assert Local() != "Local()"
    assert repr(Local()) == "Local()"
    assert repr(Local("moonshine", voice="espeak")) == "Local(recognizer='moonshine', voice='espeak')"


def test_what_is_no_engine_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"recognizer must be .* with the method open\(\), not int"):
        Local(recognizer=3)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"voice must be .* with the method synthesize\(\), not list"):
        Local(voice=[])  # type: ignore[arg-type]


@pytest.mark.parametrize("audio_format", [AudioFormat.mulaw(), AudioFormat.alaw()])
def test_telephone_audio_is_passed_on_as_it_is(audio_format: AudioFormat) -> None:
    [recognition] = Local().recognizer(TranscribeRequest(audio_format=audio_format)).codec().open()
    [synthesis] = Local().voice(SynthesizeRequest(audio_format=audio_format)).codec().open()
    for opening in (json.loads(recognition)["settings"], json.loads(synthesis)):
        assert (opening["encoding"], opening["sample_rate"]) == (audio_format.encoding, "8000")
