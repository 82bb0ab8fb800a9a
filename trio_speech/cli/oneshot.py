"""Turns one text into speech."""

from __future__ import annotations

import trio_speech as ts


async def render(
    backend: ts.Backend, text: str, model: str | None, voice: str | None, language: str | None
) -> ts.AudioClip:
    """Speaks the whole text, and returns its audio. Raises `SpeechError`."""
    async with ts.open_client(backend) as client:
        return await client.render(text, model=model, voice=voice, language=language)
