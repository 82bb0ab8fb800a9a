"""A decorator for functions that are used with ``async with``, which makes `help` show what they return."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def block(function: Callable[_P, AsyncGenerator[_T, None]]) -> Callable[_P, AbstractAsyncContextManager[_T]]:
    """Does what `asynccontextmanager` does, and makes ``help()`` show that a context manager is returned.

    It would show ``AsyncGenerator``, and whoever reads that writes ``async for``, which fails.
    """
    made = asynccontextmanager(function)
    signature = inspect.signature(function)
    entered = str(signature.return_annotation).removeprefix("AsyncGenerator[").removesuffix(", None]")
    made.__signature__ = signature.replace(  # type: ignore[attr-defined]
        return_annotation=f"AbstractAsyncContextManager[{entered}]"
    )
    return made
