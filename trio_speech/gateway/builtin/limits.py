"""Checks that the built-in engines share: sample rates and languages."""

from __future__ import annotations

from ...providers._accept import RATES
from ...providers._language import normalize_language
from ..engines import Declined


def accept_rate(sample_rate: int) -> None:
    """Raises `Declined` for a sample rate that cannot be converted."""
    if sample_rate not in RATES:
        raise Declined(f"sample rate {sample_rate} is not one of {', '.join(map(str, RATES))}")


def accept_language(language: str | None, who: str, *others: str) -> None:
    """Accepts no language, English under any of its names, and `others`. Raises `Declined` in the name of `who`."""
    asked = normalize_language(language or "") or "en"
    if asked.partition("-")[0] not in ("en", *others):
        raise Declined(f"the local {who} knows English only, not {language!r}")
