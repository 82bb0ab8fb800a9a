"""What a user gives a session to read from."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import Any


def closing(source: AsyncIterable[Any]) -> AbstractAsyncContextManager[object]:
    """Closes `source` where the block is left, if it can be closed: generators can, other iterables need not."""
    return aclosing(source) if hasattr(source, "aclose") else nullcontext()  # type: ignore[type-var]
