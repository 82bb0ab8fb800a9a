"""Closes the source that a user gave a session to read from."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import Any


def closing(source: AsyncIterable[Any]) -> AbstractAsyncContextManager[object]:
    """Returns a context manager that closes `source` on leaving if it has an `aclose`, as async generators do."""
    return aclosing(source) if hasattr(source, "aclose") else nullcontext()  # type: ignore[type-var]
