"""Say a sentence into a file: one call, and every word has its time in the audio."""

from __future__ import annotations

import wave

import trio

import trio_speech as ts


async def main() -> None:
    async with ts.open_client(ts.Local()) as client:
        clip = await client.render("The children are playing in the garden.")

    with wave.open("sentence.wav", "wb") as file:
        file.setnchannels(clip.audio_format.channels)
        file.setsampwidth(2)
        file.setframerate(clip.audio_format.sample_rate)
        file.writeframes(clip.audio)

    print(f"sentence.wav: {clip.duration:.2f} s")
    for word in clip.words:
        print(f"{word.start:6.2f} to {word.end:5.2f} s  {word.text}")


trio.run(main)
