from __future__ import annotations

from collections.abc import AsyncGenerator
from inspect import signature

import trio_speech as ts
from trio_speech._shell.concurrency.block import block


async def test_help_says_that_it_is_to_be_entered() -> None:
    @block
    async def opened(number: int) -> AsyncGenerator[int, None]:
        """Opens."""
        yield number

    assert str(signature(opened)) == "(number: 'int') -> 'AbstractAsyncContextManager[int]'"
    assert (opened.__name__, opened.__doc__) == ("opened", "Opens.")
    async with opened(7) as entered:
        assert entered == 7
    assert signature(ts.Client.transcribe).return_annotation == "AbstractAsyncContextManager[Transcript]"
