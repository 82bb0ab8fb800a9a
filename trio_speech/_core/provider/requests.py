"""What a session asks of a provider, whatever the provider's wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from ...audio import AudioFormat


class FallbackModel(Struct, frozen=True):
    """A model that the service itself is to try where the first one fails."""

    model: str
    options: Mapping[str, Any] | None = None
    voice: str | None = None


class TranscribeRequest(Struct, frozen=True, kw_only=True):
    """What a recognition session asks for. `model` may carry a ``:language`` suffix; `language` wins over it."""

    audio_format: AudioFormat
    model: str | None = None
    language: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    keyterms: tuple[str, ...] = ()
    fallback: tuple[FallbackModel, ...] = ()


class SynthesizeRequest(Struct, frozen=True, kw_only=True):
    """What a synthesis session asks for. `model` may carry a ``:voice`` suffix; `voice` wins over it."""

    audio_format: AudioFormat
    model: str | None = None
    voice: str | None = None
    language: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    fallback: tuple[FallbackModel, ...] = ()


class Change(Struct, frozen=True, kw_only=True):
    """A live change of a recognition session; what is ``None`` stays as it is."""

    language: str | None = None
    options: Mapping[str, Any] | None = None
    keyterms: tuple[str, ...] | None = None
