"""The tables of providers in the documentation have every profile in use, and say what backends and codecs do."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

import trio_speech as ts
from trio_speech.provider import Change, SynthesizeRequest, TranscribeRequest, TtsProfile

ROOT = Path(__file__).parents[1]
PCM, MULAW = ts.AudioFormat.pcm16(16_000), ts.AudioFormat.mulaw()
LIVEKIT = ts.LiveKit("http://x/v1", "key", "secret")
WIDE = ts.AudioFormat.pcm16(24_000)
LISTENING: dict[str, tuple[Any, str | None, ts.AudioFormat]] = {
    "`Deepgram()`": (ts.Deepgram("key"), None, PCM),
    "`Deepgram()`, models other than `nova-3…`": (ts.Deepgram("key"), "nova-2", PCM),
    "`Deepgram()`, `flux-…`": (ts.Deepgram("key"), "flux-general-en", PCM),
    "`LiveKit()`, `deepgram`": (LIVEKIT, "deepgram/nova-3", PCM),
    "`LiveKit()`, `xai/stt-1`": (LIVEKIT, "xai/stt-1", PCM),
    "`LiveKit()`, any other model": (LIVEKIT, "auto", PCM),
    "`Local()`": (ts.Local(), None, PCM),
    "`ElevenLabs()`": (ts.ElevenLabs("key"), None, PCM),
    "`ElevenLabs()`, where the format is μ-law": (ts.ElevenLabs("key"), None, MULAW),
    '`OpenAI(dialect="vllm")`': (ts.OpenAI(url="http://x/v1", dialect="vllm"), "mistralai/Voxtral", PCM),
    '`OpenAI(dialect="speaches")`': (ts.OpenAI(url="http://x/v1", dialect="speaches"), "whisper", WIDE),
    "`OpenAI()`": (ts.OpenAI("key"), None, WIDE),
    "`OpenAI()`, where the format is μ-law or A-law": (ts.OpenAI("key"), None, MULAW),
}
SPEAKING: dict[str, tuple[Any, str | None, ts.AudioFormat]] = {
    "`Deepgram()`": (ts.Deepgram("key"), None, PCM),
    "`Cartesia()`": (ts.Cartesia("key"), None, PCM),
    "`ElevenLabs()`": (ts.ElevenLabs("key"), None, PCM),
    "`ElevenLabs()`, where the format is μ-law or A-law": (ts.ElevenLabs("key"), None, MULAW),
    "`LiveKit()`, `inworld`": (LIVEKIT, "inworld/tts-1", PCM),
    "`Local()`": (ts.Local(), None, PCM),
}


@pytest.fixture(scope="module")
def tables() -> Any:
    spec = importlib.util.spec_from_file_location("provider_table", ROOT / "docs/_ext/provider_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(rows: Any, head: tuple[str, ...], name: str) -> dict[str, str]:
    [found] = [each for each in rows if each[0] == name]
    assert len(found) == len(head)
    return dict(zip(head, found, strict=True))


def test_each_backend_has_a_row_for_each_of_its_sides(tables: Any) -> None:
    backends = {name for name in ts.__all__ if hasattr(getattr(ts, name), "recognizer")} - {"Backend"}
    rows = [*tables.results(), *tables.voices()]
    assert {re.findall(r"`(\w+)\(.*?\)`", each[0])[0] for each in rows} == backends


def test_each_row_stands_once_and_in_both_tables_of_recognizers(tables: Any) -> None:
    for rows in (tables.results(), tables.voices()):
        names = [each[0] for each in rows]
        assert len(set(names)) == len(names)
    assert [each[0] for each in tables.results()] == [each[0] for each in tables.audio()]


@pytest.mark.parametrize("name", LISTENING)
def test_a_row_says_what_the_recognizer_does(tables: Any, name: str) -> None:
    backend, model, audio_format = LISTENING[name]
    provider = backend.recognizer(TranscribeRequest(audio_format=audio_format, model=model))
    assert provider.profile in [profile for _, _, profile in tables.recognizers()]
    results, audio = row(tables.results(), tables.RESULTS, name), row(tables.audio(), tables.AUDIO, name)
    codec, profile = provider.codec(), provider.profile
    assert (results["finalize"] == "no") == (codec.finalize() is None) == (not profile.finalizes)
    try:
        changed = codec.update(Change(keyterms=("word",)))
    except ts.ConfigurationError:
        changed = None
    assert (results["keyterms live"] == "yes") == isinstance(changed, str)
    assert ("a message" in audio["in pauses"]) == (codec.keepalive() is not None)
    assert ("silence" in audio["in pauses"]) == (profile.filler is not None)
    assert audio["encodings"] == ", ".join(profile.encodings)
    assert results["word times"].startswith("yes") == profile.word_times


def test_rows_are_named_by_what_a_user_asks_for(tables: Any) -> None:
    shown = {(backend, model) for backend, model, _ in [*tables.recognizers(), *tables.profiles(TtsProfile)]}
    assert tables.ASKED_BY.keys() - shown == set(), "no profile has these names any more"
    assert tables.SPEAKERS.keys() - shown == set(), "no profile has these names any more"
    models = {model for backend, model in shown - tables.ASKED_BY.keys() if backend != "`LiveKit()`"}
    assert models == {""}, "only LiveKit's profiles are called as its models are: say what a user asks for"


@pytest.mark.parametrize("name", SPEAKING)
def test_a_row_says_what_the_voice_does(tables: Any, name: str) -> None:
    backend, model, audio_format = SPEAKING[name]
    provider = backend.voice(SynthesizeRequest(audio_format=audio_format, model=model, voice="ann"))
    told, profile = row(tables.voices(), tables.VOICES, name), provider.profile
    assert told["word times"] == ("yes" if profile.aligned else "no")
    assert told["at once"].partition(";")[0] == str(profile.generations)
    assert told["encodings"] == ", ".join(profile.encodings)


def test_the_page_shows_all_three(tables: Any) -> None:
    page = (ROOT / "docs/reference/profiles.rst").read_text(encoding="utf-8")
    assert re.findall(r"^\.\. (recogni[a-z-]+|voices)::$", page, re.MULTILINE) == [
        "recognizers",
        "recognized-audio",
        "voices",
    ]
