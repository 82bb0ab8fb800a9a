"""A nursery for tasks behind a block, out of which the block's own exception comes bare, in no group."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio


@asynccontextmanager
async def open_background() -> AsyncGenerator[trio.Nursery, None]:
    """Tasks started in the nursery are cancelled when the block is left, and must raise nothing of their own."""
    raised: BaseException | None = None
    async with trio.open_nursery() as nursery:
        try:
            yield nursery
        except trio.Cancelled:
            raise
        except BaseException as error:  # noqa: BLE001  # leaves below, outside the nursery
            raised = error
        finally:
            nursery.cancel_scope.cancel(reason="the block was left")
    if raised is not None:
        raise raised
