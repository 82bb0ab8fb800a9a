"""What each provider is like, as rows of text: all that the profiles in the code say, and nothing else."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Iterator, Sequence
from typing import Any

import trio_speech
from trio_speech import providers
from trio_speech.provider import SttProfile, TtsProfile
from trio_speech.providers.livekit.models import ALIGNMENT
from trio_speech.providers.openai.profiles import DIALECT_PROFILES, companded

RESULTS = (
    "backend, model",
    "what settles audio",
    "word times",
    "speakers",
    "finalize",
    "turns of",
    "keyterms live",
)
AUDIO = ("backend, model", "encodings", "sample rates", "catch-up", "in pauses", "longest session")
VOICES = (
    "backend, model",
    "word times",
    '`"word"` becomes',
    "longest request",
    "encodings",
    "sample rates",
    "at once",
    "longest connection",
)


def results() -> Iterator[tuple[str, ...]]:
    """A row of `RESULTS` for each profile of a recognizer: what is known of what it says."""
    for backend, model, profile in recognizers():
        settles = {
            "span": "a final, up to its end",
            "finalize": "an answered `finalize()`",
            "watermark": "a watermark of the service",
        }[profile.acknowledges]
        times = _yes(profile.word_times) + (", exact" if profile.word_times and profile.exact_times else "")
        speakers = SPEAKERS.get((backend, model), "no")
        finalize = "no" if not profile.finalizes else "answered" if profile.answers_finalize else "by a final"
        ends = "the service" if profile.finalizes_itself else "the session"
        yield _named(backend, model), settles, times, speakers, finalize, ends, _yes(profile.live_keyterms)


def audio() -> Iterator[tuple[str, ...]]:
    """A row of `AUDIO` for each profile of a recognizer: what it takes."""
    for backend, model, profile in recognizers():
        speed = profile.replay_speed
        pace = "unlimited" if speed is None or speed == math.inf else f"{speed:g} × real time"
        pause = "silence" if profile.filler is not None else "nothing"
        if profile.keepalive is not None:
            pause = f"{pause if profile.filler else 'a message'} every {profile.keepalive:g} s"
        encodings, rates = ", ".join(profile.encodings), _rates(profile.sample_rates)
        yield _named(backend, model), encodings, rates, pace, pause, _seconds(profile.session_cap)


def voices() -> Iterator[tuple[str, ...]]:
    """A row of `VOICES` for each profile of a voice."""
    known = profiles(TtsProfile)
    [other] = [profile for backend, model, profile in known if (backend, model) == ("`LiveKit()`", "others")]
    named = {model for backend, model, _ in known if backend == "`LiveKit()`"}
    known += [("`LiveKit()`", model, other) for model in ALIGNMENT.keys() - named]
    for backend, model, profile in sorted(known, key=_order):
        aligned = profile.aligned or model in ALIGNMENT
        mode = "`word`" if aligned or profile.deterministic else "`segment`"
        longest = "1,000 characters" if profile.max_characters is None else f"{profile.max_characters:,} characters"
        minute = profile.generations_per_minute
        at_once = f"{profile.generations}" + (f"; {minute} a minute" if minute else "")
        encodings, rates, cap = (
            ", ".join(profile.encodings),
            _rates(profile.sample_rates),
            _seconds(profile.session_cap),
        )
        yield _named(backend, model), _yes(aligned), mode, longest, encodings, rates, at_once, cap


USUAL = ("STT", "TTS", "LISTEN", "SPEAK", "VOICE", "SCRIBE")
"""Profiles for most models of a provider: their rows need no name but the backend's."""

ASKED_BY = {
    ("`Deepgram()`", "flux"): "`Deepgram()`, `flux-…`",
    ("`Deepgram()`", "older"): "`Deepgram()`, models other than `nova-3…`",
    ("`ElevenLabs()`", "scribe_companded"): "`ElevenLabs()`, where the format is μ-law",
    ("`ElevenLabs()`", "companded"): "`ElevenLabs()`, where the format is μ-law or A-law",
    ("`LiveKit()`", "others"): "`LiveKit()`, any other model",
    ("`OpenAI()`", "openai"): "`OpenAI()`",
    ("`OpenAI()`", "openai, companded"): "`OpenAI()`, where the format is μ-law or A-law",
    ("`OpenAI()`", "openai, turn_detection"): "`OpenAI()`, with the option `turn_detection`",
    ("`OpenAI()`", "speaches"): '`OpenAI(dialect="speaches")`',
    ("`OpenAI()`", "speaches, turn_detection"): '`OpenAI(dialect="speaches")`, with the option `turn_detection`',
    ("`OpenAI()`", "vllm"): '`OpenAI(dialect="vllm")`',
}
"""How a row is named whose profile is not that of a model: by what a user asks for to get it."""

SPEAKERS = {
    ("`Deepgram()`", ""): "`diarize_model`, or `diarize`",
    ("`Deepgram()`", "older"): "`diarize_model`, or `diarize`",
    ("`LiveKit()`", "assemblyai"): "`speaker_labels`",
    ("`LiveKit()`", "deepgram"): "`diarize`; not Flux",
    ("`LiveKit()`", "others"): "not known",
    ("`LiveKit()`", "speechmatics"): "`diarization`",
    ("`LiveKit()`", "speechmatics/enhanced"): "`diarization`",
    ("`LiveKit()`", "speechmatics/linden-1"): "`diarization`",
    ("`LiveKit()`", "speechmatics/standard"): "`diarization`",
    ("`LiveKit()`", "xai/stt-1"): "`diarize`",
}
"""By which option a service is asked who is speaking. The profiles do not say it: the services' own references do."""


def recognizers() -> list[tuple[str, str, Any]]:
    """The profiles of recognizers, and those that a backend makes only when it is asked for a certain format."""
    made = [("`OpenAI()`", "openai, companded", companded(DIALECT_PROFILES["openai"]))]
    return sorted(profiles(SttProfile) + made, key=_order)


def profiles(kind: type) -> list[tuple[str, str, Any]]:
    """All profiles of a kind that providers have: the backend, the model or part of the service, and the profile.

    A profile is a constant of a module, or in a dict whose name ends with ``_PROFILES``. Unless it is the one for most
    models, its name tells the part of the service.
    """
    found: list[tuple[str, str, Any]] = []
    seen: set[int] = set()
    for each in pkgutil.walk_packages(providers.__path__, f"{providers.__name__}."):
        module = importlib.import_module(each.name)
        package = ".".join(each.name.split(".")[:3])
        for name, value in vars(module).items():
            table = value if isinstance(value, dict) and name.endswith("_PROFILES") else {}
            models = [(model or "others", profile) for model, profile in table.items() if isinstance(profile, kind)]
            if isinstance(value, kind) and name.isupper():
                models.append(("" if name in USUAL else name.lower(), value))
            found += [(backend_of(package), model, profile) for model, profile in models if id(profile) not in seen]
            seen |= {id(profile) for _, profile in models}
    return sorted(found, key=_order)


def backend_of(package: str) -> str:
    """How the backend of a provider's package is called, such as ``Deepgram()``."""
    for name in trio_speech.__all__:
        value = getattr(trio_speech, name)
        module = getattr(value, "__module__", "")
        if isinstance(value, type) and hasattr(value, "recognizer") and module.startswith(package):
            return f"`{name}()`"
    raise LookupError(f"no backend is made in {package}")


def _order(named: tuple[str, str, Any]) -> tuple[str, bool, str]:
    backend, model, _ = named
    return backend, model == "others", model


def _named(backend: str, model: str) -> str:
    return ASKED_BY.get((backend, model), backend + (f", `{model}`" if model else ""))


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _seconds(value: float | None) -> str:
    return "any" if value is None else f"{value:g} s"


def _rates(rates: Sequence[int] | None) -> str:
    if rates is None:
        return "any"
    if len(rates) > 3:
        return f"{len(rates)} from {min(rates):,} to {max(rates):,}"
    return ", ".join(f"{each:,}" for each in rates)
