"""About two hundred odd recordings through the command: its words, or one line that says why not, and the right code.

Needs ffmpeg and sox, and the extras ``cli``, ``local`` and ``media``: ``nox -s corpus`` has them.
"""

from __future__ import annotations

import subprocess
import sys
from difflib import SequenceMatcher

import msgspec
import pytest

from trio_speech.bulk import FileResult

from .odd_files import Expected, OddFile, make

TEXT = "The weather is very nice today. I would like to order a large pizza."
COMMAND = (sys.executable, "-m", "trio_speech.cli", "transcribe")


class Corpus(msgspec.Struct):
    """The recordings, what came of each, and how the command ended."""

    files: list[OddFile]
    results: dict[str, FileResult]
    process: subprocess.CompletedProcess[str]
    reference: list[str]
    """The words that are recognized in the original."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    original, lines = folder / "original.wav", folder / "results.jsonl"
    run("speak", TEXT, "-o", str(original))
    files = [*make(original, folder), OddFile(original, "whole")]
    process = run("transcribe", *(str(odd.path) for odd in files), "--jsonl", str(lines), "--jobs", "2")
    results = [msgspec.json.decode(line, type=FileResult) for line in lines.read_bytes().splitlines()]
    found = {result.file: result for result in results}
    return Corpus(files, found, process, found[str(original)].text.split())


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "trio_speech.cli", *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=1_500)


def shared(heard: str, reference: list[str]) -> float:
    """The part of the words of `reference` that are in `heard`, in order."""
    blocks = SequenceMatcher(a=reference, b=heard.split(), autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(reference)


def test_there_are_many_and_each_has_one_result(corpus: Corpus) -> None:
    assert len(corpus.files) >= 150
    assert corpus.results.keys() == {str(odd.path) for odd in corpus.files}
    assert corpus.process.returncode == 1
    assert "Traceback" not in corpus.process.stderr


@pytest.mark.parametrize("expected", ["whole", "part", "damaged", "unusable"])
def test_each_recording_gives_its_words_or_says_why_not(corpus: Corpus, expected: Expected) -> None:
    wrong: list[str] = []
    for odd in corpus.files:
        result = corpus.results[str(odd.path)]
        part, error = shared(result.text, corpus.reference), result.error or ""
        right = {
            "whole": part >= 0.6 and not error,
            "part": part >= 0.2 or error,
            "damaged": part >= 0.2 and "were read" in error,
            "unusable": bool(error),
        }[odd.expected]
        if odd.expected == expected and not right:
            wrong.append(f"{odd.path.name}: {part:.2f} of the words, error {error!r}, {result.seconds:.2f} s")
        if error and error not in corpus.process.stderr:
            wrong.append(f"{odd.path.name}: {error!r} was not printed")
    assert wrong == []


@pytest.mark.parametrize(
    ("writer", "name"),
    [
        ("ffmpeg -loglevel error -i {} -f wav -", "-"),
        ("ffmpeg -loglevel error -i {} -f flac -", "-"),
        ("ffmpeg -loglevel error -i {} -f webm -c:a libopus -", "/dev/stdin"),
        ("sox {} -t au -", "/dev/stdin"),
        ("sox {} -t mp3 -", "<(cat)"),
    ],
)
def test_a_pipe_of_ffmpeg_or_sox_is_transcribed(corpus: Corpus, writer: str, name: str) -> None:
    original = corpus.files[-1].path
    command = f"{writer.format(original)} | {' '.join(COMMAND)} {name}"
    process = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=300)
    assert process.returncode == 0, process.stderr
    assert shared(process.stdout, corpus.reference) >= 0.6
