"""What type checkers make of the face. Never run: mypy and pyright check it, both strict."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import assert_type

import trio_speech as ts


async def transcripts(source: AsyncIterator[bytes]) -> None:
    async with ts.open_client(ts.Local()) as client:
        async with client.transcribe(source, ts.AudioFormat.pcm16(16_000), language="en") as transcript:
            async for event in transcript:
                assert_type(event, ts.TranscriptEvent)
                match event:
                    case ts.FinalTranscript(words=words):
                        assert_type(words, tuple[ts.Word, ...])
                    case ts.Gap(reason=reason):
                        assert_type(reason, str)
                    case _:
                        pass
            start, audio = transcript.unacknowledged()
            assert_type(start, float)
            assert_type(audio, bytes)
        recognition = await client.recognize(
            source, ts.AudioFormat.mulaw(), language="en", options={"a": 1}, journal="j"
        )
        assert_type(recognition, ts.Recognition)
        assert_type(recognition.words, tuple[ts.Word, ...])


async def pushed(pcm: memoryview) -> None:
    async with ts.open_client([ts.LiveKit(), ts.Local()]) as client, client.transcribe() as transcript:
        await transcript.send(pcm)
        await transcript.send(bytearray(pcm))
        transcript.finalize()
        await transcript.settled()
        transcript.update(language="fr")
        transcript.end_input()


async def speech(tokens: AsyncIterator[str]) -> None:
    async with ts.open_client(ts.Local()) as client:
        async with client.synthesize(tokens) as session:
            async for chunk in session:
                assert_type(chunk, ts.AudioChunk)
            assert_type(session.spoken(at=1.5), str)
        async with client.synthesize() as session:
            await session.send("Hello.")
            session.flush()
            session.clear()
            session.end_input()
        clip = await client.render(["Hello, ", "world."])
        assert_type(clip, ts.AudioClip)
        assert_type(clip.duration, float)
