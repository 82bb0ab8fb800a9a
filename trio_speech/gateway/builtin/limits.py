"""What the built-in engines decline: sample rates that nothing converts between, and languages other than English."""

from __future__ import annotations

from ...providers._accept import RATES
from ...providers._language import normalize_language
from ..engines import Declined


def accept_rate(sample_rate: int) -> None:
    """Raises `Declined`."""
    if sample_rate not in RATES:
        raise Declined(f"sample rate {sample_rate} is not one of {', '.join(map(str, RATES))}")


def accept_language(language: str | None, who: str, *others: str) -> None:
    """English by whatever name, and by none; and `others`. Raises `Declined`, which says `who` knows no more."""
    asked = normalize_language(language or "") or "en"
    if asked.partition("-")[0] not in ("en", *others):
        raise Declined(f"the local {who} knows English only, not {language!r}")
