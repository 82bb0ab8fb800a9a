"""What a user of livekit-agents would write: speaks two texts, listens to one, and prints what came of it as JSON.

python official_client.py URL KEY SECRET
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiohttp
from livekit import rtc
from livekit.agents import APIConnectOptions, APIStatusError, inference, stt

RATE = 16_000
TEXTS = ("The weather is very nice today. It will rain tomorrow afternoon.", "Turn off the lights in the kitchen.")
ONCE = APIConnectOptions(max_retry=0, timeout=30.0)


async def speak(tts: inference.TTS, text: str) -> tuple[bytes, list[str]]:
    audio, words = bytearray(), []
    async with tts.stream(conn_options=ONCE) as stream:
        stream.push_text(text)
        stream.end_input()
        async for event in stream:
            audio += event.frame.data
            words += [str(word).strip() for word in event.frame.userdata.get("lk.timed_transcripts", ())]
    return bytes(audio), words


async def listen(recognizer: inference.STT, audio: bytes) -> dict[str, Any]:
    finals, words, kinds = [], [], set()
    async with recognizer.stream(conn_options=ONCE) as stream:
        step = RATE // 20 * 2
        for start in range(0, len(audio), step):
            pcm = audio[start : start + step]
            stream.push_frame(rtc.AudioFrame(pcm, RATE, 1, len(pcm) // 2))
        stream.end_input()
        async for event in stream:
            kinds.add(event.type.value)
            if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT and event.alternatives[0].text:
                finals.append(event.alternatives[0].text)
                words += [[str(w), w.start_time, w.end_time] for w in event.alternatives[0].words or ()]
    return {"finals": finals, "words": words, "kinds": sorted(kinds)}


async def refused(url: str, key: str, session: aiohttp.ClientSession) -> int:
    recognizer = inference.STT(
        model="local/moonshine", base_url=url, api_key=key, api_secret="w" * 40, http_session=session
    )
    try:
        await listen(recognizer, bytes(3_200))
    except APIStatusError as error:
        return error.status_code
    return 0


async def main(url: str, key: str, secret: str) -> None:
    async with aiohttp.ClientSession() as session:
        shared: dict[str, Any] = {"base_url": url, "api_key": key, "api_secret": secret, "http_session": session}
        tts = inference.TTS(model="local/hibari", voice="hibari", language="en", sample_rate=RATE, **shared)
        recognizer = inference.STT(model="local/moonshine", language="en", sample_rate=RATE, **shared)
        spoken = [await speak(tts, text) for text in TEXTS]
        silence = bytes(RATE)
        heard = await listen(recognizer, silence + spoken[0][0] + silence + spoken[1][0] + silence)
        status = await refused(url, key, session)
        await tts.aclose()
    seconds = [len(audio) / 2 / RATE for audio, _ in spoken]
    print(json.dumps({"seconds": seconds, "spoken": [words for _, words in spoken], "refused": status, **heard}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
