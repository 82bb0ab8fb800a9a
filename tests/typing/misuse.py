"""Mistakes that type checkers must find: an ignore that finds nothing to ignore is an error itself."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncIterator

import trio_speech as ts


async def mistakes(source: AsyncIterator[bytes]) -> None:
    async with ts.open_client(ts.Local()) as client:
        async with client.transcribe() as transcript:
            await transcript.send("text")  # type: ignore[arg-type]
            _ = transcript.unacknowledged().text  # type: ignore[attr-defined]
        client.synthesize("Hello.", resume="sometimes")  # type: ignore[arg-type]
        await client.recognize(source, lanugage="en")  # type: ignore[call-arg]
        await client.render("Hello.", vioce="v")  # type: ignore[call-arg]
    ts.RetryPolicy(7)  # type: ignore[call-arg]
    ts.Word("a", 0, 1).text = "b"  # type: ignore[misc]
