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

from msgspec import Struct
from msgspec.structs import replace

from ..._core.provider.requests import Change, TranscribeRequest
from ...audio import AudioFormat
from ...errors import ConfigurationError
from .._accept import accept_options, refuse_options
from .._direct import split_named
from .._json import encode
from .._language import primary_language
from .._query import written

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
    def shows_interims(self) -> bool:
        """Whether the service sends text before an item is committed."""
        return self.dialect == "vllm" or (self.dialect == "openai" and self.transcription["model"] in _LIVE)

    @property
    def query(self) -> str:
        """The query of the URL; empty without one."""
        if self.dialect == "vllm":
            return ""
        named = ("model", "language") if self.dialect == "speaches" else ()
        return written({"intent": "transcription", **{name: self.transcription.get(name) for name in named}}, None)

    @property
    def opening(self) -> str:
        """The first message, which makes all settings."""
        if self.dialect == "vllm":
            return encode({"type": "session.update", "model": self.transcription["model"]})
        return _update(self, self.input, self.session)

    def changed(self, change: Change) -> tuple[Settings, str | None]:
        """Returns the settings after `change`, and the message that makes it; ``None`` if that needs a new connection.

        Raises `ConfigurationError` if the service cannot make the change at all.
        """
        model = self.transcription["model"]
        if self.dialect == "vllm":
            raise ConfigurationError("there is nothing to change: vLLM takes a model alone", model=model)
        options = _options(change.options or {}, model)
        if not options.keys().isdisjoint((*_INPUT, *_SESSION)):
            return self, None
        asked = _transcription(model, self.dialect, change.language, change.keyterms, options)
        settings = replace(self, transcription=self.transcription | asked)
        return settings, _update(settings, {}, {})


def settings(request: TranscribeRequest, dialect: Dialect) -> Settings:
    """Returns the settings for a request. Raises `ConfigurationError` if the dialect cannot express it."""
    model, language = _split(request.model, dialect)
    options = _options(request.options, model)
    if dialect == "vllm" and (options or request.keyterms or request.language):
        raise ConfigurationError("language, keyterms and options must not be given: vLLM takes a model alone")
    # speaches loses an item that is committed in the middle of what its VAD calls speech.
    detects = dialect == "openai" and model not in _LIVE
    return Settings(
        dialect,
        {
            "model": model,
            **_transcription(model, dialect, request.language or language, request.keyterms or None, options),
        },
        {
            **({"format": _format(request.audio_format)} if dialect == "openai" else {}),
            "turn_detection": {"type": "server_vad"} if detects else None,
            **{name: options[name] for name in _INPUT if name in options},
        },
        {name: options[name] for name in _SESSION if name in options},
    )


def _update(made: Settings, beside: dict[str, Any], above: dict[str, Any]) -> str:
    """Returns the message with `made.transcription`, and with the settings that stand beside and above it."""
    asked: dict[str, Any]
    if made.dialect == "speaches":  # it answers any other field with an error
        asked = {"input_audio_transcription": made.transcription, **beside}
    else:
        heard = {"transcription": made.transcription, **beside}
        asked = {"type": "transcription", "audio": {"input": heard}, **above}
    return encode({"type": "session.update", "session": asked})


def _split(name: str | None, dialect: Dialect) -> tuple[str, str | None]:
    if dialect == "openai":
        return split_named(name, "OpenAI", _MODEL)
    if not name:
        raise ConfigurationError(f"model must be given with dialect={dialect!r}: name one that the server has loaded")
    return name, None  # such names hold slashes, and may hold colons


def _options(given: Any, model: str) -> dict[str, Any]:
    options = accept_options(given)
    refuse_options(options, _OURS, "OpenAI", _INSTEAD)
    if model in _NO_VAD and options.get("turn_detection") is not None:
        raise ConfigurationError(f"options must not hold 'turn_detection' for {model}, which has none", model=model)
    return options


def _transcription(
    model: str, dialect: Dialect, language: str | None, keyterms: tuple[str, ...] | None, options: dict[str, Any]
) -> dict[str, Any]:
    """Returns the fields of `transcription` for these arguments, without those that are ``None``."""
    asked: dict[str, Any] = {}
    if code := primary_language(language):
        asked |= {"languages": [code]} if model in _SEVERAL_LANGUAGES else {"language": code}
    if keyterms is not None:
        if model not in _KEYWORDS or dialect != "openai":
            raise ConfigurationError(
                f"keyterms are not taken by {model}: use OpenAI's gpt-live-transcribe, or leave them out", model=model
            )
        asked["keywords"] = keyterms
    return asked | {name: value for name, value in options.items() if name not in (*_INPUT, *_SESSION)}


def _format(audio_format: AudioFormat) -> dict[str, Any]:
    if audio_format.encoding == "pcm_s16le":
        return {"type": "audio/pcm", "rate": audio_format.sample_rate}
    return {"type": "audio/pcmu" if audio_format.encoding == "mulaw" else "audio/pcma"}
