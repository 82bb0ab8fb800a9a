"""Converts a recognition request into the URL and the first message of each dialect.

dialect     URL                                      session.update
─────────   ──────────────────────────────────────   ────────────────────────────────────────────────────
openai      ``?intent=transcription``, no model      nested: ``session.audio.input.transcription``
speaches    ``?model=…&intent=transcription``        flat: ``session.input_audio_transcription``
vllm        nothing                                  the model alone

Source: as in `wire`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from ..._core.provider.requests import Change, TranscribeRequest
from ...audio import AudioFormat
from ...errors import ConfigurationError
from .._accept import accept_options, refuse_options
from .._direct import split_named
from .._language import normalize_language

Dialect: TypeAlias = Literal["openai", "speaches", "vllm"]
DIALECTS: tuple[Dialect, ...] = ("openai", "speaches", "vllm")

_MODEL = "gpt-live-transcribe"
_LIVE = ("gpt-live-transcribe", "gpt-realtime-whisper")
"""Models that send text before a commit, so that the session can detect when an utterance is over."""
_NO_VAD = ("gpt-realtime-whisper",)
_SEVERAL_LANGUAGES = _KEYWORDS = ("gpt-live-transcribe", "gpt-transcribe")
_INPUT = ("turn_detection", "noise_reduction")
_SESSION = ("include",)
_OURS = ("type", "model", "language", "languages", "keywords", "format", "audio", "transcription")
_INSTEAD = "use the arguments model, language, keyterms and audio_format"


class Settings(Struct, frozen=True):
    """The settings of one session: `input` are those beside `transcription` in the message, `session` those above."""

    dialect: Dialect
    transcription: dict[str, Any]
    input: dict[str, Any]
    session: dict[str, Any]

    @property
    def kind(self) -> str:
        """The key of the profile in `DIALECT_PROFILES`."""
        return self.dialect if self.input.get("turn_detection") is None else f"{self.dialect}, turn_detection"

    @property
    def query(self) -> str:
        """The query of the URL, with its question mark; empty without a query."""
        if self.dialect == "vllm":
            return ""
        asked = {"intent": "transcription"}
        if self.dialect == "speaches":
            asked |= {name: self.transcription[name] for name in ("model", "language") if name in self.transcription}
        return f"?{urlencode(asked)}"

    def opening(self, audio_format: AudioFormat) -> dict[str, Any]:
        """Returns the first message, which makes all settings."""
        if self.dialect == "vllm":
            return {"type": "session.update", "model": self.transcription["model"]}
        if self.dialect == "speaches":  # it answers any other field with an error
            return _update({"input_audio_transcription": self.transcription, **self.input})
        heard = {"format": _format(audio_format), "transcription": self.transcription, **self.input}
        return _update({"type": "transcription", "audio": {"input": heard}, **self.session})

    def changed(self, change: Change) -> tuple[Settings, dict[str, Any] | None]:
        """Returns the settings after `change`, and the message that makes it; ``None`` if that needs a new connection.

        Raises `ConfigurationError` if the service cannot make the change at all.
        """
        model = self.transcription["model"]
        if self.dialect == "vllm":
            raise ConfigurationError("there is nothing to change: vLLM takes a model alone", model=model)
        options = accept_options(change.options or {})
        _check(options, model)
        if not options.keys().isdisjoint((*_INPUT, *_SESSION)):
            return self, None
        asked = {**_languages(change.language, model), **_keywords(change.keyterms, model, self.dialect), **options}
        settings = replace(self, transcription={**self.transcription, **asked})
        if self.dialect == "speaches":
            return settings, _update({"input_audio_transcription": settings.transcription})
        heard = {"transcription": settings.transcription}
        return settings, _update({"type": "transcription", "audio": {"input": heard}})


def settings(request: TranscribeRequest, dialect: Dialect) -> Settings:
    """Returns the settings for a request. Raises `ConfigurationError` if the dialect cannot express it."""
    model, language = _split(request.model, dialect)
    options = accept_options(request.options)
    _check(options, model)
    if dialect == "vllm" and (options or request.keyterms or request.language):
        raise ConfigurationError("language, keyterms and options must not be given: vLLM takes a model alone")
    return Settings(
        dialect,
        {
            "model": model,
            **_languages(request.language or language, model),
            **_keywords(request.keyterms or None, model, dialect),
            **{name: value for name, value in options.items() if name not in (*_INPUT, *_SESSION)},
        },
        {**_turns(model, dialect), **{name: options[name] for name in _INPUT if name in options}},
        {name: options[name] for name in _SESSION if name in options},
    )


def _split(name: str | None, dialect: Dialect) -> tuple[str, str | None]:
    if dialect == "openai":
        return split_named(name, "OpenAI", _MODEL)
    if not name:
        raise ConfigurationError(f"model must be given with dialect={dialect!r}: name one that the server has loaded")
    return name, None  # such names hold slashes, and may hold colons


def _check(options: dict[str, Any], model: str) -> None:
    refuse_options(options, _OURS, "OpenAI", _INSTEAD)
    if model in _NO_VAD and options.get("turn_detection") is not None:
        raise ConfigurationError(f"options must not hold 'turn_detection' for {model}, which has none", model=model)


def _turns(model: str, dialect: Dialect) -> dict[str, Any]:
    # speaches loses an item that is committed in the middle of what its VAD calls speech.
    manual = model in _LIVE or dialect != "openai"
    return {"turn_detection": None if manual else {"type": "server_vad"}}


def _languages(language: str | None, model: str) -> dict[str, Any]:
    code = (normalize_language(language or "") or "").partition("-")[0]
    if not code:
        return {}
    return {"languages": [code]} if model in _SEVERAL_LANGUAGES else {"language": code}


def _keywords(keyterms: tuple[str, ...] | None, model: str, dialect: Dialect) -> dict[str, Any]:
    if keyterms is None:
        return {}
    if model not in _KEYWORDS or dialect != "openai":
        raise ConfigurationError(
            f"keyterms are not taken by {model}: use OpenAI's gpt-live-transcribe, or leave them out", model=model
        )
    return {"keywords": list(keyterms)}


def _format(audio_format: AudioFormat) -> dict[str, Any]:
    if audio_format.encoding == "pcm_s16le":
        return {"type": "audio/pcm", "rate": audio_format.sample_rate}
    return {"type": "audio/pcmu" if audio_format.encoding == "mulaw" else "audio/pcma"}


def _update(session: dict[str, Any]) -> dict[str, Any]:
    return {"type": "session.update", "session": session}
