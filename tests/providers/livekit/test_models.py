from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech.errors import ConfigurationError
from trio_speech.providers.livekit.models import (
    ALIGNMENT,
    STT_PROFILES,
    TTS_PROFILES,
    aligned_options,
    split_model,
    stt_profile,
    tts_profile,
    with_keyterms,
)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("deepgram/nova-3", ("deepgram/nova-3", None)),
        ("deepgram/nova-3:en", ("deepgram/nova-3", "en")),
        ("some:model:part:fr", ("some:model:part", "fr")),
        ("deepgram", ("deepgram", None)),
        ("auto", ("auto", None)),
        ("auto:pt", ("auto", "pt")),
        ("rime/coda:", ("rime/coda", None)),
        (" deepgram/nova-3 : en ", ("deepgram/nova-3", "en")),
        (None, (None, None)),
        ("", (None, None)),
    ],
)
def test_the_suffix_follows_the_last_colon(name: str | None, split: tuple[str | None, str | None]) -> None:
    assert split_model(name) == split


@pytest.mark.parametrize("name", [":en", ":", " ", " :x"])
def test_a_suffix_alone_is_no_model(name: str) -> None:
    with pytest.raises(ConfigurationError, match="names no model"):
        split_model(name)


# ---------------------------------------------------------------- recognizers


@pytest.mark.parametrize(
    ("model", "acknowledges", "word_times", "finalizes_itself"),
    [
        ("deepgram", "span", True, True),
        ("deepgram/nova-3", "span", True, True),
        ("deepgram/flux-general", "span", True, True),
        ("deepgram/not-yet-known", "span", True, True),
        ("assemblyai/universal-streaming", "span", True, True),
        ("cartesia/ink-whisper", "span", True, True),
        ("cartesia/ink-2", "finalize", False, True),
        ("cartesia", "finalize", False, True),
        ("xai/stt-1", "span", True, True),
        ("speechmatics/enhanced", "span", True, False),
        ("speechmatics/standard", "span", True, False),
        ("speechmatics/linden-1", "span", False, True),
        ("speechmatics", "span", False, False),
        ("inworld/inworld-stt-1", "finalize", False, True),
        ("google/gemini-3.5-transcribe-live", "finalize", False, True),
        ("openai/gpt-live-transcribe", "finalize", False, False),
        ("openai", "finalize", False, False),
        ("auto", "finalize", False, True),
        (None, "finalize", False, True),
        ("new/model", "finalize", False, True),
    ],
)
def test_what_each_recognizer_can_be_relied_on_for(
    model: str | None, acknowledges: str, word_times: bool, finalizes_itself: bool
) -> None:
    profile = stt_profile([model])
    assert (profile.acknowledges, profile.word_times, profile.finalizes_itself) == (
        acknowledges,
        word_times,
        finalizes_itself,
    )


@pytest.mark.parametrize("model", [*STT_PROFILES, None])
def test_what_the_gateway_itself_is_like_holds_for_every_recognizer(model: str | None) -> None:
    profile = stt_profile([model])
    assert profile.idle_codes == (2007,)
    assert profile.close_fates == {}
    assert not profile.exact_times
    assert profile.replay_speed == (1.2 if model == "assemblyai" else None)
    assert profile.sample_rates == ((24_000,) if model == "openai" else None)


@pytest.mark.parametrize(
    ("models", "acknowledges", "word_times", "finalizes_itself", "sample_rates"),
    [
        (["deepgram/nova-3", "assemblyai"], "span", True, True, None),
        (["deepgram/nova-3", "speechmatics/linden-1"], "span", False, True, None),
        (["deepgram/nova-3", "speechmatics/enhanced"], "span", True, False, None),
        (["deepgram/nova-3", "cartesia/ink-2"], "finalize", False, True, None),
        (["openai", "deepgram/nova-3"], "finalize", False, False, (24_000,)),
        (["deepgram/nova-3", "openai", "openai/gpt-live-transcribe"], "finalize", False, False, (24_000,)),
    ],
)
def test_with_fallbacks_only_what_all_of_them_do_is_relied_on(
    models: list[str], acknowledges: str, word_times: bool, finalizes_itself: bool, sample_rates: tuple[int, ...] | None
) -> None:
    for order in (models, models[::-1]):
        profile = stt_profile(order)
        assert profile.acknowledges == acknowledges
        assert profile.word_times is word_times
        assert profile.finalizes_itself is finalizes_itself
        assert profile.sample_rates == sample_rates


@pytest.mark.parametrize(
    ("model", "options", "entry"),
    [
        ("deepgram/nova-3", {}, {"keyterm": ["a", "b"]}),
        ("deepgram/nova-3", {"keyterm": "b"}, {"keyterm": ["b", "a"]}),
        ("deepgram/nova-3", {"keyterm": ["c", "a"]}, {"keyterm": ["c", "a", "b"]}),
        ("deepgram/nova-3", {"keyterm": None}, {"keyterm": ["a", "b"]}),
        ("assemblyai", {"prompt": "x"}, {"keyterms_prompt": ["a", "b"]}),
        ("openai", {}, {"keywords": ["a", "b"]}),
        ("cartesia/ink-2", {}, {"keyterm": ["a", "b"]}),
        ("google/gemini-3.5-transcribe-live", {}, {"custom_vocabulary": ["a", "b"]}),
        ("speechmatics/enhanced", {}, {"additional_vocab": [{"content": "a"}, {"content": "b"}]}),
        (
            "speechmatics/enhanced",
            {"additional_vocab": [{"content": "b", "sounds_like": ["bee"]}, "odd"]},
            {"additional_vocab": [{"content": "b", "sounds_like": ["bee"]}, "odd", {"content": "a"}]},
        ),
    ],
)
def test_keyterms_go_under_the_providers_own_key(model: str, options: dict[str, Any], entry: dict[str, Any]) -> None:
    assert with_keyterms(model, options, ("a", "b", "a")) == entry


@pytest.mark.parametrize("model", ["xai/stt-1", "inworld/inworld-stt-1", "auto", None])
def test_keyterms_that_a_model_does_not_take_are_refused_not_lost(model: str | None) -> None:
    with pytest.raises(ConfigurationError, match="keyterms must be empty for this model: only models of assemblyai"):
        with_keyterms(model, {}, ("a",))


# ---------------------------------------------------------------- voices


@pytest.mark.parametrize(
    ("model", "limit", "spaced", "quiet"),
    [
        ("cartesia/sonic-3", 400, False, 0.0),
        ("inworld/inworld-tts-2", 900, True, 1.0),
        ("xai/tts-1", 1_000, True, 0.0),
        ("rime/coda", None, True, 0.0),
        (None, None, True, 0.0),
    ],
)
def test_what_each_voice_is_like(model: str | None, limit: int | None, spaced: bool, quiet: float) -> None:
    profile = tts_profile([(model, {})])
    assert (profile.max_characters, profile.spaced_words, profile.quiet_after_done) == (limit, spaced, quiet)
    assert profile.close_fates == {}


@pytest.mark.parametrize(
    ("model", "options", "asked", "aligned"),
    [
        ("cartesia/sonic-3", {}, {"add_timestamps": True}, True),
        ("cartesia", {"speed": "fast"}, {"add_timestamps": True, "speed": "fast"}, True),
        ("cartesia/sonic-3", {"add_timestamps": False}, {"add_timestamps": False}, False),
        ("inworld/inworld-tts-2", {}, {"timestamp_type": "WORD"}, True),
        ("inworld", {"timestamp_type": "CHARACTER"}, {"timestamp_type": "CHARACTER"}, True),
        ("inworld", {"timestamp_type": []}, {"timestamp_type": []}, False),
        ("assemblyai/voice", {}, {"word_timestamps": True}, True),
        ("assemblyai/voice", {"word_timestamps": False}, {"word_timestamps": False}, False),
        ("rime/coda", {"add_timestamps": True}, {"add_timestamps": True}, False),
        (None, {}, {}, False),
    ],
)
def test_word_times_are_asked_for_where_they_can_be_had(
    model: str | None, options: dict[str, Any], asked: dict[str, Any], aligned: bool
) -> None:
    assert aligned_options(model, options) == asked
    assert tts_profile([(model, asked)]).aligned is aligned


@given(st.lists(st.sampled_from([*TTS_PROFILES, *ALIGNMENT]), min_size=1, max_size=4))
def test_with_fallbacks_only_what_all_voices_do_is_relied_on(models: list[str]) -> None:
    each = [tts_profile([(model, aligned_options(model, {}))]) for model in models]
    both = tts_profile([(model, aligned_options(model, {})) for model in models])
    assert both.max_characters == min((one.max_characters for one in each if one.max_characters), default=None)
    assert both.quiet_after_done == max(one.quiet_after_done for one in each)
    one_spacing = len({one.spaced_words for one in each}) == 1
    assert both.aligned == (one_spacing and all(one.aligned for one in each))
