"""Makes odd recordings of one sentence, with ffmpeg and sox: formats, headers, truncations, names.

Each comes with what is expected of it: its words, a part of them, or a line that says why not.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

Expected = Literal["whole", "part", "damaged", "unusable"]
"""`whole`: all words. `part`: some words, perhaps with an error (not every format knows that it was cut short).
`damaged`: some words, and an error. `unusable`: an error."""

# (name, ending, options of ffmpeg): each is encoded at several rates, into a file and into a pipe.
CODECS = (
    ("u8", "wav", "-c:a pcm_u8"),
    ("s16", "wav", "-c:a pcm_s16le"),
    ("s24", "wav", "-c:a pcm_s24le"),
    ("s32", "wav", "-c:a pcm_s32le"),
    ("f32", "wav", "-c:a pcm_f32le"),
    ("f64", "wav", "-c:a pcm_f64le"),
    ("alaw", "wav", "-c:a pcm_alaw"),
    ("mulaw", "wav", "-c:a pcm_mulaw"),
    ("adpcm-ms", "wav", "-c:a adpcm_ms"),
    ("adpcm-ima", "wav", "-c:a adpcm_ima_wav"),
    ("rf64", "wav", "-rf64 always"),
    ("s16", "w64", ""),
    ("s16", "au", ""),
    ("mulaw", "au", "-c:a pcm_mulaw"),
    ("f32", "au", "-c:a pcm_f32be"),
    ("s16", "aiff", ""),
    ("s16", "caf", ""),
    ("16", "flac", "-sample_fmt s16"),
    ("24", "flac", "-sample_fmt s32"),
    ("vorbis", "ogg", "-c:a libvorbis"),
    ("opus", "ogg", "-c:a libopus"),
    ("opus", "opus", ""),
    ("cbr", "mp3", "-b:a 64k"),
    ("vbr", "mp3", "-q:a 4"),
    ("aac", "m4a", ""),
    ("alac", "m4a", "-c:a alac"),
    ("aac", "mp4", ""),
    ("aac", "mov", ""),
    ("aac", "3gp", "-c:a aac"),
    ("opus", "webm", "-c:a libopus"),
    ("vorbis", "webm", "-c:a libvorbis"),
    ("flac", "mkv", "-c:a flac"),
    ("pcm", "mkv", "-c:a pcm_s16le"),
    ("adts", "aac", ""),
    ("wma", "wma", "-c:a wmav2"),
)
STREAMED = {"wav": "wav", "au": "au", "flac": "flac", "ogg": "ogg", "mp3": "mp3", "webm": "webm", "aac": "adts"}
"""Endings whose format ffmpeg can write into a pipe, and its name for the format."""
TELLS = ("wav", "au", "flac")
"""Formats by which a truncation can always be seen."""


class OddFile(Struct, frozen=True):
    """A recording, and what is expected of it."""

    path: Path
    expected: Expected


def make(original: Path, folder: Path) -> Iterator[OddFile]:
    """The odd recordings of `original`, a WAV, in `folder`."""
    yield from _encoded(original, folder)
    yield from _by_sox(original, folder)
    yield from _headers(original, folder)
    yield from _no_recordings(folder)


def _encoded(original: Path, folder: Path) -> Iterator[OddFile]:
    for name, ending, options in CODECS:
        for rate, channels in ((16_000, 1), (48_000, 2)):
            path = folder / f"{name}-{rate}-{channels}.{ending}"
            _ffmpeg(original, f"{options} -ar {rate} -ac {channels}", path)
            yield OddFile(path, "whole")
        if ending in STREAMED and name != "rf64":
            streamed = folder / f"{name}-streamed.{ending}"
            streamed.write_bytes(_ffmpeg(original, f"{options} -f {STREAMED[ending]}"))
            yield OddFile(streamed, "whole")
        cut = folder / f"{name}-cut.{ending}"
        cut.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
        fixed = ending in TELLS and "adpcm" not in name and name != "rf64"
        # The table of contents of MP4 comes last: without it, nothing can be found.
        yield OddFile(cut, "unusable" if ending in ("m4a", "mp4", "mov", "3gp") else "damaged" if fixed else "part")


def _by_sox(original: Path, folder: Path) -> Iterator[OddFile]:
    for ending in (
        "wav",
        "au",
        "aiff",
        "flac",
        "ogg",
        "mp3",
        "voc",
        "sph",
        "nist",
        "w64",
        "caf",
        "paf",
        "gsm",
        "amr-nb",
    ):
        path = folder / f"sox.{ending}"
        rate = "8000" if ending in ("gsm", "amr-nb") else "16000"
        if subprocess.run(["sox", original, "-r", rate, path], capture_output=True, check=False).returncode == 0:
            usable = ending not in ("gsm", "sph", "nist", "amr-nb")  # of these it depends on the libraries
            yield OddFile(path, "whole" if usable else "part")
    for ending in ("wav", "au"):
        path = folder / f"sox-piped.{ending}"
        path.write_bytes(_run("sox", str(original), "-t", ending, "-"))
        yield OddFile(path, "whole")


def _headers(original: Path, folder: Path) -> Iterator[OddFile]:
    content = original.read_bytes()
    at = content.index(b"data") + 4
    for name, riff, data in (
        ("zero", 0, 0),
        ("unclosed", 36, 0),
        ("ones", 0xFFFF_FFFF, 0xFFFF_FFFF),
        ("sox", 0, 0x7FFF_F000),
    ):
        patched = bytearray(content)
        patched[4:8], patched[at : at + 4] = riff.to_bytes(4, "little"), data.to_bytes(4, "little")
        for ending in ("wav", "raw", "txt", "mp3"):
            path = folder / f"header-{name}.{ending}"
            path.write_bytes(patched)
            yield OddFile(path, "whole")
    flac = bytearray(_ffmpeg(original, "-f flac"))
    middle = len(flac) * 6 // 10
    flac[middle : middle + 300] = bytes(300)
    path = folder / "scratched.flac"
    path.write_bytes(flac)
    yield OddFile(path, "damaged")
    spaced = folder / "a name with blanks, ümlauts and 日本.wav"
    spaced.write_bytes(content)
    yield OddFile(spaced, "whole")


def _no_recordings(folder: Path) -> Iterator[OddFile]:
    contents = {
        "empty": b"",
        "text": b"not a recording\n" * 100,
        "zeros": bytes(10_000),
        "riff": b"RIFF",
        "header": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0",
        "no-rate": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + bytes(12) + b"data\0\0\0\0",
        "flac": b"fLaC" + bytes(100),
        "ogg": b"OggS" + bytes(100),
        "mp4": b"\0\0\0\x18ftypM4A " + bytes(100),
        "webm": b"\x1a\x45\xdf\xa3" + bytes(100),
        "au": b".snd" + bytes(100),
    }
    for name, content in contents.items():
        for ending in ("wav", "flac", "mp3"):
            path = folder / f"none-{name}.{ending}"
            path.write_bytes(content)
            yield OddFile(path, "unusable")


def _ffmpeg(original: Path, options: str, path: Path | None = None) -> bytes:
    return _run("ffmpeg", "-loglevel", "error", "-y", "-i", str(original), *options.split(), str(path or "-"))


def _run(*command: str) -> bytes:
    return subprocess.run(command, capture_output=True, check=True).stdout
