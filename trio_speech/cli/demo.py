"""The demo: the embedded voice speaks, the embedded recogniser listens, and half way the cable between them is cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from difflib import SequenceMatcher

import trio
from rich.console import Console
from rich.table import Table

import trio_speech as ts

from .cable import Cable

SENTENCES = (
    "The weather is very nice today.",
    "I would like to order a large pizza.",
    "What time does the next train leave?",
    "Most people have never seen this film.",
)
_CHUNK_SECONDS = 0.05

Pair = tuple[ts.Word | None, ts.Word | None]


async def demo(console: Console) -> None:
    """Speaks, listens, breaks the connection once, and shows both with the times of the words. Takes some 12 s."""
    cable = Cable(ts.Local())
    async with ts.open_client(cable) as client:
        clip = await client.render(" ".join(SENTENCES))
        console.print(f"The embedded voice said {len(clip.words)} words in {clip.duration:.1f} s. Listening:\n")
        heard: list[ts.Word] = []
        async with client.transcribe(_played(clip, cable), clip.audio_format) as transcript:
            async for event in transcript:
                match event:
                    case ts.FinalTranscript(text=text, start=start, words=words):
                        console.print(f"{start:6.2f} s  {text}")
                        heard += words
                    case ts.LinkLost():
                        console.print("[yellow]          the cable is cut …[/]")
                    case ts.Resumed(replayed=replayed, downtime=downtime):
                        console.print(
                            f"[green]          … and whole again: {downtime * 1_000:.0f} ms later, "
                            f"{replayed:.1f} s of audio sent once more[/]"
                        )
                    case _:
                        pass
    console.print()
    console.print(_table(list(side_by_side(clip.words, heard))))


async def _played(clip: ts.AudioClip, cable: Cable) -> AsyncIterator[bytes]:
    """The clip as a microphone would hear it, in real time; half way, the cable is cut."""
    chunk = clip.audio_format.samples(_CHUNK_SECONDS) * clip.audio_format.frame_size
    half = len(clip.audio) // 2 // chunk * chunk
    due = trio.current_time()
    for at in range(0, len(clip.audio), chunk):
        if at == half:
            cable.cut()
        yield clip.audio[at : at + chunk]
        due += _CHUNK_SECONDS
        await trio.sleep_until(due)


def side_by_side(said: tuple[ts.Word, ...], heard: list[ts.Word]) -> Iterator[Pair]:
    """The words of both, those that agree in one row."""
    matcher = SequenceMatcher(a=[_plain(word) for word in said], b=[_plain(word) for word in heard], autojunk=False)
    for _, said_from, said_to, heard_from, heard_to in matcher.get_opcodes():
        for row in range(max(said_to - said_from, heard_to - heard_from)):
            yield (
                said[said_from + row] if said_from + row < said_to else None,
                heard[heard_from + row] if heard_from + row < heard_to else None,
            )


def _plain(word: ts.Word) -> str:
    return "".join(letter for letter in word.text.lower() if letter.isalnum() or letter == "'")


def _table(pairs: list[Pair]) -> Table:
    same = sum(said is not None and heard is not None and _plain(said) == _plain(heard) for said, heard in pairs)
    table = Table("said", "s", "heard", "s", caption=f"{same} of {len(pairs)} words agree")
    for said, heard in pairs:
        table.add_row(*_cells(said), *_cells(heard))
    return table


def _cells(word: ts.Word | None) -> tuple[str, str]:
    return (word.text.strip(), f"{word.start:.2f} – {word.end:.2f}") if word else ("", "")
