"""Reads the ``Retry-After`` header, by which a service says how long to wait before the next attempt."""

from __future__ import annotations

from datetime import UTC, datetime


def retry_after_of(value: str | None, now: datetime) -> float | None:
    """Returns the seconds to wait from `now`; 0 for a date that has passed, ``None`` for a missing or unreadable value.

    The header has seconds or a date (RFC 9110, section 10.2.3). A date has one of three forms (section 5.6.7): that of
    mail, that of RFC 850, or that of C's `asctime`, which names no zone. HTTP dates are in UTC.
    """
    if value is None:
        return None
    if value.strip().replace(".", "", 1).isdecimal():
        return float(value)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  # slow to import, and hardly ever needed

    try:
        date = parsedate_to_datetime(value)
        if date.tzinfo is None:  # asctime, or a zone of "-0000"
            date = date.replace(tzinfo=UTC)
        return max(0.0, (date - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
