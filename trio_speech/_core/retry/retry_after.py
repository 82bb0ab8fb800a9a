"""The ``Retry-After`` header: how long a service asks to be left alone."""

from __future__ import annotations

from datetime import datetime


def retry_after_of(value: str | None, now: datetime) -> float | None:
    """Seconds or an HTTP date: RFC 9110, section 10.2.3."""
    if value is None:
        return None
    if value.strip().replace(".", "", 1).isdecimal():
        return float(value)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  # slow to import, and hardly ever needed

    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
