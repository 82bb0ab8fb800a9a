"""Tables of the models behind the gateway: their profiles, and how each takes keyterms and gives word times.

A name is ``provider``, ``provider/model``, or ``auto``. The tables are searched for the whole name, then for the
provider, then for ``""``. That last entry is for unknown models, and assumes little: only an answered finalize
request acknowledges audio.

Source: the official clients, livekit-agents 1.8.9 (PyPI) and @livekit/agents 1.9.0 (npm). That some voices end one
request with several ``done`` is in agents-js pull request 2146.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from ..._core.provider.profile import SttProfile, TtsProfile
from ...errors import ConfigurationError
from .._accept import asks_for
from .failures import INACTIVE

T = TypeVar("T")


def split_model(name: str | None) -> tuple[str | None, str | None]:
    """Splits ``model[:suffix]`` at the last colon; the suffix is a language or a voice. A missing part is ``None``.

    Raises `ConfigurationError` where there is a suffix and no model.
    """
    if not name:
        return None, None
    model, colon, suffix = name.rpartition(":")
    model = (model if colon else suffix).strip()
    if not model:
        raise ConfigurationError(
            f"model is {name!r}, which names no model: use provider/model, or provider/model:suffix"
        )
    return model, (suffix.strip() or None) if colon else None


def provider_of(model: str | None) -> str:
    """Returns the provider in a model's name: the part before the first slash."""
    return (model or "").split("/")[0]


def _lookup(table: Mapping[str, T], model: str | None) -> T:
    return table.get(model or "") or table.get(provider_of(model)) or table[""]


# ---------------------------------------------------------------- recognizers


class Keyterms(Struct, frozen=True):
    """How a provider takes keyterms: in the option `option`, as texts, or as objects with the text under `content`."""

    option: str
    content: str | None = None

    def merged(self, given: Any, terms: Iterable[str]) -> dict[str, list[Any]]:
        """Returns the option with the value that the user gave, extended by those of `terms` that it lacks."""
        merged: list[Any] = [given] if isinstance(given, str) else list(given or ())
        for term in terms:
            entry = {self.content: term} if self.content else term
            if term not in map(self._term, merged):
                merged.append(entry)
        return {self.option: merged}

    def _term(self, entry: Any) -> Any:
        if self.content and isinstance(entry, dict):
            return cast("dict[str, Any]", entry).get(self.content)
        return entry


KEYTERMS: Mapping[str, Keyterms] = {
    "deepgram": Keyterms("keyterm"),
    "assemblyai": Keyterms("keyterms_prompt"),
    "speechmatics": Keyterms("additional_vocab", content="content"),
    "openai": Keyterms("keywords"),
    "cartesia": Keyterms("keyterm"),
    "google": Keyterms("custom_vocabulary"),
}


_careful = SttProfile(
    acknowledges="finalize",
    exact_times=False,
    word_times=False,
    replay_speed=None,
    idle_codes=(INACTIVE,),
    close_fates={},
)
_spans = replace(_careful, acknowledges="span", ordered=True, drift=0.15)
_words = replace(_spans, word_times=True)

_models = {
    "": _careful,
    "deepgram": _words,
    "assemblyai": replace(_words, replay_speed=1.2),
    "cartesia/ink-whisper": _words,
    "xai/stt-1": _words,
    "speechmatics": replace(_spans, finalizes_itself=False),
    "speechmatics/enhanced": replace(_words, finalizes_itself=False),
    "speechmatics/standard": replace(_words, finalizes_itself=False),
    "speechmatics/linden-1": _spans,
    "openai": replace(_careful, finalizes_itself=False, sample_rates=(24_000,)),
}
STT_PROFILES: Mapping[str, SttProfile] = {
    model: replace(profile, live_keyterms=provider_of(model) in KEYTERMS) for model, profile in _models.items()
}

_DIARIZATION = ("diarization", "diarize", "speaker_labels")
"""Options of any provider that ask who is speaking. With them, the words of two speakers may overlap in time."""


def stt_profile(models: Sequence[str | None], options: Mapping[str, Any] | None = None) -> SttProfile:
    """Returns the profile that holds for each of `models`, with `options`: the gateway may fall back to any of them."""
    profiles = [_lookup(STT_PROFILES, model) for model in models]
    return replace(
        profiles[0],
        acknowledges="span" if all(profile.acknowledges == "span" for profile in profiles) else "finalize",
        word_times=all(profile.word_times for profile in profiles),
        ordered=all(profile.ordered for profile in profiles),
        live_keyterms=all(provider_of(model) in KEYTERMS for model in models),
        overlapping=asks_for(options or {}, _DIARIZATION),
        drift=max(profile.drift for profile in profiles),
        replay_speed=min((profile.replay_speed for profile in profiles if profile.replay_speed), default=None),
        finalizes_itself=all(profile.finalizes_itself for profile in profiles),
        sample_rates=_common(profile.sample_rates for profile in profiles),
    )


def _common(rates: Iterable[tuple[int, ...] | None]) -> tuple[int, ...] | None:
    common: set[int] | None = None
    for some in rates:
        if some is not None:
            common = set(some) if common is None else common & set(some)
    return None if common is None else tuple(sorted(common))


def with_keyterms(model: str | None, options: Mapping[str, Any], terms: Iterable[str]) -> dict[str, Any]:
    """Returns the option that gives `terms` to `model`, merged with the keyterms that `options` already hold.

    Raises `ConfigurationError` if the provider takes no keyterms.
    """
    keyterms = KEYTERMS.get(provider_of(model))
    if keyterms is None:
        raise ConfigurationError(
            f"keyterms must be empty for this model: only models of {', '.join(sorted(KEYTERMS))} take them",
            model=model,
        )
    return keyterms.merged(options.get(keyterms.option), terms)


# ---------------------------------------------------------------- voices

_voice = TtsProfile(spaced_words=True, close_fates={})

TTS_PROFILES: Mapping[str, TtsProfile] = {
    "": _voice,
    "cartesia": replace(_voice, max_characters=400, spaced_words=False),
    "inworld": replace(_voice, max_characters=900, quiet_after_done=1.0),
    "xai": replace(_voice, max_characters=1_000),
}


class Alignment(Struct, frozen=True):
    """The option by which a provider gives word times, the value that we send, and all values that give them."""

    option: str
    ask: Any
    granted: tuple[Any, ...]


ALIGNMENT: Mapping[str, Alignment] = {
    "cartesia": Alignment("add_timestamps", True, (True,)),
    "inworld": Alignment("timestamp_type", "WORD", ("WORD", "CHARACTER")),
    "assemblyai": Alignment("word_timestamps", True, (True,)),
}


def aligned_options(model: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `options`, with the option for word times added if the provider has one and the user did not set it."""
    alignment = ALIGNMENT.get(provider_of(model))
    return dict(options) if alignment is None else {alignment.option: alignment.ask, **options}


def _aligns(model: str | None, options: Mapping[str, Any]) -> bool:
    alignment = ALIGNMENT.get(provider_of(model))
    return alignment is not None and options.get(alignment.option) in alignment.granted


def tts_profile(models: Iterable[tuple[str | None, Mapping[str, Any]]]) -> TtsProfile:
    """Returns the profile that holds for each of `models` with its options: the gateway may use any of them."""
    return reduce(
        _either, [replace(_lookup(TTS_PROFILES, model), aligned=_aligns(model, options)) for model, options in models]
    )


def has_spaced_words(model: str | None) -> bool:
    """Whether the aligned words of this voice contain the blanks between them."""
    return _lookup(TTS_PROFILES, model).spaced_words


def _either(one: TtsProfile, other: TtsProfile) -> TtsProfile:
    limits = [limit for limit in (one.max_characters, other.max_characters) if limit is not None]
    return replace(
        one,
        aligned=one.aligned and other.aligned and one.spaced_words == other.spaced_words,
        max_characters=min(limits, default=None),
        quiet_after_done=max(one.quiet_after_done, other.quiet_after_done),
    )
