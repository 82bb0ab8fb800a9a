"""One text to audio."""

from __future__ import annotations

import trio_speech as ts


async def render(
    backend: ts.Backend, text: str, model: str | None, voice: str | None, language: str | None
) -> ts.AudioClip:
    """All of the text, spoken. Raises `SpeechError`."""
    async with ts.open_client(backend) as client:
        return await client.render(text, model=model, voice=voice, language=language)
