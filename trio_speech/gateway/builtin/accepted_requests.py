"""Checks that a built-in engine has what a client asks for. If not, it is declined; the message says what there is."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from ...providers._accept import RATES
from ...providers._language import normalize_language
from ..engines import Declined, RecognitionOptions, SynthesisOptions

_SLOWEST, _FASTEST = 0.5, 2.0  # times the pace of the voice
_INTERIMS = "interim_results"  # an option that the gateway itself obeys


def accept_recognition(name: str, request: RecognitionOptions, *options: str) -> None:
    """Raises `Declined` for a rate, a language, a model or an option that the recognizer `name` does not have."""
    _accept_rate(request.sample_rate)
    _accept_language(request.language, f"recognizer {name}", "multi")
    _accept_model(request.model, name, f"recognizer {name}")
    _accept_options(request.options, f"recognizer {name}", _INTERIMS, *options)


def accept_voice(name: str, text: str, request: SynthesisOptions) -> None:
    """Raises `Declined` for what the voice `name` does not have, and for a text in a script that it cannot read."""
    _accept_rate(request.sample_rate)
    _accept_language(request.language, f"voice {name}")
    _accept_model(request.model, name, f"voice {name}")
    if request.voice not in (None, name):
        raise Declined(f"there is no voice {request.voice!r} here: there is {name!r}")
    _accept_options(request.options, f"voice {name}", "speed")
    speed = request.options.get("speed", 1.0)
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not _SLOWEST <= speed <= _FASTEST:
        raise Declined(f"the option speed must be a number from {_SLOWEST:g} to {_FASTEST:g}, not {speed!r}")
    _accept_script(text, name)


def _accept_rate(sample_rate: int) -> None:
    if sample_rate not in RATES:
        raise Declined(f"sample rate {sample_rate} is not one of {', '.join(map(str, RATES))}")


def _accept_language(language: str | None, who: str, *others: str) -> None:
    """Accepts no language, English under any of its names, and `others`."""
    asked = normalize_language(language or "") or "en"
    if asked.partition("-")[0] not in ("en", *others):
        raise Declined(f"the {who} knows English only, not {language!r}")


def _accept_model(model: str | None, name: str, who: str) -> None:
    """Accepts no model, and the engine's own name, with or without ``local/``."""
    if model not in (None, "", "auto", name, f"local/{name}"):
        raise Declined(f"there is no model {model!r} here: the {who} is 'local/{name}'")


def _accept_options(options: Mapping[str, Any], who: str, *known: str) -> None:
    for option in options:
        if option not in known:
            raise Declined(f"the {who} has no option {option!r}: it has {' and '.join(known)}")


def _accept_script(text: str, name: str) -> None:
    """Accepts letters of the Latin script. Others would be skipped, and the text would count as spoken all the same."""
    for character in text:
        if character.isalpha():
            script = unicodedata.name(character, "").partition(" ")[0]
            if script != "LATIN" and unicodedata.normalize("NFKC", character).isascii() is False:
                raise Declined(f"the voice {name} reads Latin letters only, not {character!r} ({script or 'unknown'})")
