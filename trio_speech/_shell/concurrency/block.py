"""What `help` shows of the functions that are to be used with ``async with``."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def block(function: Callable[_P, AsyncGenerator[_T, None]]) -> Callable[_P, AbstractAsyncContextManager[_T]]:
    """As `asynccontextmanager`, but ``help()`` says what is returned: a context manager, and not the generator in it.

    Who reads ``AsyncGenerator`` there writes ``async for``, which fails.
    """
    made = asynccontextmanager(function)
    signature = inspect.signature(function)
    entered = str(signature.return_annotation).removeprefix("AsyncGenerator[").removesuffix(", None]")
    made.__signature__ = signature.replace(  # type: ignore[attr-defined]
        return_annotation=f"AbstractAsyncContextManager[{entered}]"
    )
    return made
