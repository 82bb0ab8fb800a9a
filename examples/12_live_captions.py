"""Live captions in place: the line being spoken is written over until it is final. The finals become a VTT file."""

from __future__ import annotations

import sys
from pathlib import Path

import trio

import trio_speech as ts
from trio_speech.audio.captions import vtt
from trio_speech.audio.files import open_audio

RECORDING = Path(__file__).with_name("recording.wav")
CLEAR_LINE = "\r\x1b[2K"
WIDTH = 76


async def main() -> None:
    finals: list[ts.FinalTranscript] = []
    async with (
        ts.open_client(ts.Local()) as client,
        open_audio(RECORDING, speed=1.0) as recording,  # a microphone would do as well
        client.transcribe(recording, recording.audio_format) as transcript,
    ):
        async for event in transcript:
            match event:
                case ts.InterimTranscript(text=text):
                    sys.stdout.write(f"{CLEAR_LINE}{text[-WIDTH:]}")
                case ts.FinalTranscript(text=text):
                    finals.append(event)
                    sys.stdout.write(f"{CLEAR_LINE}{text}\n")
                case ts.Gap(start=start, end=end):
                    sys.stdout.write(f"{CLEAR_LINE}[{end - start:.1f} s could not be recognized]\n")
                case _:
                    pass
            sys.stdout.flush()
    await trio.Path("captions.vtt").write_text(vtt(finals), encoding="utf-8")
    print("captions.vtt:", len(finals), "finals")


if __name__ == "__main__":
    trio.run(main)
