"""``Retry-After``: seconds, a date in any of HTTP's forms, or nothing that can be read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trio_speech._core.retry.retry_after import retry_after_of

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("1.2.3", None),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 12:00:30", 30.0),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30.0),
        ("Thu, 01 Jan 2026 13:00:30 +0100", 30.0),
        ("Thursday, 01-Jan-26 12:00:30 GMT", 30.0),
        ("Thu Jan  1 12:00:30 2026", 30.0),
        ("Sun Nov  6 08:49:37 1994", 0.0),
        ("Thu Jan 32 12:00:30 2026", None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("Thu, 01 Jan 2026 12:00:30 +99999999999999", None),
    ],
)
def test_retry_after_in_seconds(value: str | None, seconds: float | None) -> None:
    assert retry_after_of(value, NOW) == seconds
