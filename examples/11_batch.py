"""A folder of recordings, four at a time: one line of JSON for each, and whatever is interrupted goes on where it was.

``trio-speech transcribe FOLDER --jsonl results.jsonl --resume`` does the same from the command line. It needs the extra
``audio``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import trio

import trio_speech as ts
from trio_speech.audio.files import open_audio
from trio_speech.bulk import FileResult, ResultsFile, open_results

RECORDING = Path(__file__).with_name("recording.wav")
AT_ONCE = 4


async def transcribe(client: ts.Client, path: Path, results: ResultsFile) -> None:
    try:
        async with open_audio(path) as recording:
            recognition = await client.recognize(recording, recording.audio_format)
    except (OSError, ts.ProviderError, ts.LinkError, ts.ConfigurationError) as error:
        print(f"{path.name}: failed: {error}")  # it is tried again when the program is run again
        results.write(FileResult(file=path.name, error=str(error)))
        return
    print(f"{path.name}: {recognition.text}")
    results.write(FileResult(file=path.name, text=recognition.text, finals=recognition.finals, gaps=recognition.gaps))


async def transcribe_all(paths: list[Path], lines: Path) -> None:
    limit = trio.CapacityLimiter(AT_ONCE)

    async def one(client: ts.Client, path: Path) -> None:
        async with limit:
            await transcribe(client, path, results)

    with open_results(lines, resume=True) as results:
        async with ts.open_client(ts.Local()) as client, trio.open_nursery() as nursery:
            for path in paths:
                if path.name in results.done:
                    print(f"{path.name}: done before")
                else:
                    nursery.start_soon(one, client, path)


def main() -> None:
    folder = Path("recordings")
    folder.mkdir(exist_ok=True)
    shutil.copy(RECORDING, folder / "one.wav")
    (folder / "two.wav").write_bytes(b"not a recording")
    trio.run(transcribe_all, sorted(folder.glob("*.wav")), Path("results.jsonl"))
    print("once more:")
    shutil.copy(RECORDING, folder / "two.wav")  # mended
    trio.run(transcribe_all, sorted(folder.glob("*.wav")), Path("results.jsonl"))


if __name__ == "__main__":
    main()
