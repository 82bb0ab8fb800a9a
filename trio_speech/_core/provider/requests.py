"""What a session asks of a provider, in terms that are the same for all providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from ...audio import AudioFormat


class FallbackModel(Struct, frozen=True):
    """A model that the gateway itself tries where the first one fails. Only gateways such as `LiveKit` take these.

    Fields:
        model: The model, as ``provider/model``.
        options: Options for this model alone; ``None``: none.
        voice: The voice for this model, in synthesis; ``None``: the gateway's default.
    """

    model: str
    options: Mapping[str, Any] | None = None
    voice: str | None = None


class TranscribeRequest(Struct, frozen=True, kw_only=True):
    """What a recognition session asks for.

    Fields:
        audio_format: The format of the audio that will be sent.
        model: The model, with or without a ``:language`` suffix; ``None``: the provider's default.
        language: The language of the speech; it wins over the suffix of `model`.
        options: The provider's own settings, by their names on its wire.
        keyterms: Words that the recognizer should listen for.
        fallback: Models that a gateway tries where `model` fails.
    """

    audio_format: AudioFormat
    model: str | None = None
    language: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    keyterms: tuple[str, ...] = ()
    fallback: tuple[FallbackModel, ...] = ()


class SynthesizeRequest(Struct, frozen=True, kw_only=True):
    """What a synthesis session asks for.

    Fields:
        audio_format: The format of the audio that is wanted.
        model: The model, with or without a ``:voice`` suffix; ``None``: the provider's default.
        voice: The voice; it wins over the suffix of `model`.
        language: The language of the text.
        options: The provider's own settings, by their names on its wire.
        fallback: Models that a gateway tries where `model` fails.
    """

    audio_format: AudioFormat
    model: str | None = None
    voice: str | None = None
    language: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    fallback: tuple[FallbackModel, ...] = ()


class Change(Struct, frozen=True, kw_only=True):
    """A change of a running recognition session. ``None`` leaves a setting as it is.

    Fields:
        language: The new language.
        options: Settings to change; those not named stay as they are.
        keyterms: The new words to listen for, all of them.
    """

    language: str | None = None
    options: Mapping[str, Any] | None = None
    keyterms: tuple[str, ...] | None = None
