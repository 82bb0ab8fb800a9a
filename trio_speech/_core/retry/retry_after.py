"""The ``Retry-After`` header: how long a service asks to be left alone."""

from __future__ import annotations

from datetime import UTC, datetime


def retry_after_of(value: str | None, now: datetime) -> float | None:
    """Returns seconds from `now`, 0 for a date that has passed, ``None`` for what cannot be read.

    The header has seconds or a date (RFC 9110, section 10.2.3), and a date has three forms (section 5.6.7): that of
    mail, that of RFC 850, and that of C's `asctime`, which names no zone. HTTP dates are in UTC, whatever they name.
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
