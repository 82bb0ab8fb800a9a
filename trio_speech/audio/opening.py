"""Opens files in a thread, in such a way that cancelling leaves none open."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import TypeVar

import trio

_Opened = TypeVar("_Opened")


@asynccontextmanager
async def opened_in_thread(work: Callable[[ExitStack], _Opened]) -> AsyncGenerator[_Opened, None]:
    """Runs `work` in a thread, and yields what it returns. What `work` puts on its stack is closed after the block.

    Cancelling does not wait for `work`, which may block for long: its stack is closed when it returns.
    """
    lock, abandoned, ready = threading.Lock(), threading.Event(), list[ExitStack]()

    def run() -> _Opened:
        with ExitStack() as stack:
            opened = work(stack)
            with lock:
                if not abandoned.is_set():  # otherwise nobody would close the stack
                    ready.append(stack.pop_all())
            return opened

    try:
        yield await trio.to_thread.run_sync(run, abandon_on_cancel=True)
    finally:
        with lock:
            abandoned.set()
        for stack in ready:
            stack.close()
