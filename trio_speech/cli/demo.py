"""The demo: the embedded voice speaks, the embedded recognizer listens, and half way their connection is cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from difflib import SequenceMatcher

import trio
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

import trio_speech as ts

from .cuttable import CuttableBackend

SENTENCES = (
    "On Monday, Tom and Lucy fly to Chicago.",
    "Mary sells fresh fruit, bread and cheese at the market.",
    "In 2024, more than 300 people came to Denver.",
    "The weather is very nice today, isn't it?",
)
FORMAT = ts.AudioFormat.pcm16(16_000)
_PAUSE_SECONDS = 0.7
_CHUNK_SECONDS = 0.05

Row = tuple[ts.Word | None, ts.Word | None]


async def demonstrate(console: Console) -> None:
    """Speaks, recognizes the speech, and cuts the connection once meanwhile. Takes about 15 s.

    Prints the spoken and the recognized words side by side, with their times.
    """
    backend = CuttableBackend(ts.Local())
    async with ts.open_client(backend) as client:
        clip = await _say(client)
        console.print(f"The embedded voice said {len(clip.words)} words in {clip.duration:.1f} s. Listening:\n")
        heard: list[ts.Word] = []
        async with client.transcribe(_played(clip, backend), FORMAT) as transcript:
            async for event in transcript:
                _report(event, console)
                if isinstance(event, ts.FinalTranscript):
                    heard += event.words
    console.print()
    console.print(_table(list(side_by_side(clip.words, heard))))


async def _say(client: ts.Client) -> ts.AudioClip:
    """Returns the sentences as speech, each with a pause after it."""
    audio, words = bytearray(), list[ts.Word]()
    for sentence in SENTENCES:
        clip = await client.render(sentence, audio_format=FORMAT)
        begins = FORMAT.seconds(len(audio) // FORMAT.frame_size)
        words += (replace(word, start=begins + word.start, end=begins + word.end) for word in clip.words)
        audio += clip.audio + bytes(FORMAT.samples(_PAUSE_SECONDS) * FORMAT.frame_size)
    return ts.AudioClip(bytes(audio), FORMAT, tuple(words))


async def _played(clip: ts.AudioClip, backend: CuttableBackend) -> AsyncIterator[bytes]:
    """Yields the clip in real time, as from a microphone. Half way, cuts the connection."""
    chunk = FORMAT.samples(_CHUNK_SECONDS) * FORMAT.frame_size
    half = len(clip.audio) // 2 // chunk * chunk
    due = trio.current_time()
    for at in range(0, len(clip.audio), chunk):
        if at == half:
            backend.cut()
        yield clip.audio[at : at + chunk]
        due += _CHUNK_SECONDS
        await trio.sleep_until(due)


def _report(event: ts.TranscriptEvent, console: Console) -> None:
    match event:
        case ts.FinalTranscript(text=text, start=start):
            console.print(f"{start:6.2f} s  {text}")
        case ts.LinkLost():
            console.print("[yellow]          the connection is cut …[/]")
        case ts.Resumed(replayed=replayed, downtime=downtime):
            console.print(
                f"[green]          … and restored {downtime * 1_000:.0f} ms later; "
                f"{replayed:.1f} s of audio are sent again[/]"
            )
        case _:
            pass


def side_by_side(said: tuple[ts.Word, ...], heard: list[ts.Word]) -> Iterator[Row]:
    """Yields rows of a word said and a word heard. Words that agree share a row; ``None`` stands for no word."""
    matcher = SequenceMatcher(a=[_plain(word) for word in said], b=[_plain(word) for word in heard], autojunk=False)
    for _, said_from, said_to, heard_from, heard_to in matcher.get_opcodes():
        for row in range(max(said_to - said_from, heard_to - heard_from)):
            yield (
                said[said_from + row] if said_from + row < said_to else None,
                heard[heard_from + row] if heard_from + row < heard_to else None,
            )


def _plain(word: ts.Word) -> str:
    return "".join(letter for letter in word.text.lower() if letter.isalnum() or letter == "'")


def _table(rows: list[Row]) -> Table:
    agree = sum(said is not None and heard is not None and _plain(said) == _plain(heard) for said, heard in rows)
    table = Table("said", "at, in s", "heard", "at, in s", caption=f"{agree} of {len(rows)} words agree")
    for said, heard in rows:
        table.add_row(*_cells(said), *_cells(heard))
    return table


def _cells(word: ts.Word | None) -> tuple[str, str]:
    return (word.text.strip(), f"{word.start:.2f} – {word.end:.2f}") if word else ("", "")
