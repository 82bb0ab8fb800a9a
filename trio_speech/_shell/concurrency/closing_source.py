"""Closes what a user gives a session to read from."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import Any


def closing(source: AsyncIterable[Any]) -> AbstractAsyncContextManager[object]:
    """A block that closes `source` on its way out if it has an `aclose`, as async generators do."""
    return aclosing(source) if hasattr(source, "aclose") else nullcontext()  # type: ignore[type-var]
