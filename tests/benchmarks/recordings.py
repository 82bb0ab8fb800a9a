"""Fetches recordings of people, with what they say, from public repositories into a folder, for ``nox -s wer``.

    python tests/benchmarks/recordings.py FOLDER [--mirror OWNER/NAME=PATH ...]

Which recordings was fixed before anything was measured: every recording of the folders below that has a transcript
there, at the commits named. They are the English of eight people, four of them British, one of them in a meeting.
``--mirror`` names a local clone. Nothing of it belongs to this project, and nothing of it may be committed here: see
each repository, and the corpora that the recordings come from, for their terms.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

# VCTK's speakers all read these first sentences; the numbers are those in the file names.
VCTK = {
    "003": "Six spoons of fresh snow peas, five thick slabs of blue cheese, and maybe a snack for her brother Bob.",
    "005": "She can scoop these things into three red bags, and we will go meet her Wednesday at the train station.",
    "008": "These take the shape of a long round arch, with its path high above, and its two ends apparently beyond "
    "the horizon.",
    "011": "When a man looks for something beyond his reach, his friends say he is looking for the pot of gold at the "
    "end of the rainbow.",
    "016": "The Norsemen considered the rainbow as a bridge over which the gods passed from earth to their home in "
    "the sky.",
    "019": "Since then physicists have found that it is not reflection, but refraction by the raindrops which causes "
    "the rainbows.",
    "020": "Many complicated ideas about the rainbow have been formed.",
    "021": "The difference in the rainbow depends considerably upon the size of the drops, and the width of the "
    "colored band increases as the size of the drops increases.",
    "022": "The actual primary rainbow observed is said to be the effect of super-imposition of a number of bows.",
    "023": "If the red of the second bow falls upon the green of the first, the result is to give a bow with an "
    "abnormally wide yellow band, since red and green light when mixed form yellow.",
    "024": "This is a very common type of bow, one showing mainly red and yellow, with little or no green or blue.",
}


class Recording(NamedTuple):
    """A file of a repository, and what is said in it."""

    path: str
    text: str


class Repository:
    """A repository at one commit."""

    def __init__(self, clone: Path, commit: str) -> None:
        self._git = ["git", "-C", str(clone)]
        self._commit = commit

    def read(self, path: str) -> bytes:
        return subprocess.run([*self._git, "show", f"{self._commit}:{path}"], check=True, stdout=subprocess.PIPE).stdout

    def names(self, folder: str, suffix: str) -> list[str]:
        command = [*self._git, "ls-tree", "-r", "--name-only", self._commit, f"{folder}/"]
        paths = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        return [path for path in paths if path.endswith(suffix)]


def vctk(repository: Repository) -> Iterator[Recording]:
    """Four British speakers of VCTK, ten sentences each, of a passage with long words."""
    for path in repository.names("wavs", ".wav"):
        yield Recording(path, VCTK[Path(path).stem.partition("_")[2]])


def ljspeech(repository: Repository) -> Iterator[Recording]:
    """An American reader of books."""
    folder = "tests/data/ljspeech"
    there = set(repository.names(f"{folder}/wavs", ".wav"))
    for line in repository.read(f"{folder}/metadata.csv").decode().splitlines():
        name, _, text = line.split("|")
        if (path := f"{folder}/wavs/{name}.wav") in there:
            yield Recording(path, text)


def pocketsphinx(repository: Repository) -> Iterator[Recording]:
    """Another reader of books, and somebody who names playing cards."""
    for path in repository.names("test/data/librivox", ".wav"):
        yield Recording(path, repository.read(path.removesuffix("wav") + "txt").decode().strip())
    for line in repository.read("test/data/cards/cards.transcription").decode().splitlines():
        text, _, name = line.rpartition("(")
        yield Recording(f"test/data/cards/{name.strip(')')}.wav", text.replace("<s>", "").replace("</s>", "").strip())


def lhotse(repository: Repository) -> Iterator[Recording]:
    """A meeting, and the same reader of books as above."""
    for corpus in ("ami", "ljspeech"):
        for cut in json.loads(repository.read(f"test/fixtures/{corpus}/cuts.json")):
            text = " ".join(said["text"] for said in cut["supervisions"])
            yield Recording(cut["recording"]["sources"][0]["source"], text)


SOURCES: dict[str, tuple[str, Callable[[Repository], Iterator[Recording]]]] = {
    "auspicious3000/autovc": ("c1827a60e83e6d26030b8953843b2f7cf2bd36db", vctk),
    "coqui-ai/TTS": ("dbf1a08a0d4e47fdad6172e433eeb34bc6b13b4e", ljspeech),
    "cmusphinx/pocketsphinx": ("511126b492dcb267cf30d49d631946d7b61a9530", pocketsphinx),
    "lhotse-speech/lhotse": ("a79cc864e4275f6342bb94261313526a14d385fb", lhotse),
}


def main(folder: Path, mirrors: dict[str, Path]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        for name, (commit, recordings_of) in SOURCES.items():
            clone = mirrors.get(name) or Path(temporary, name.replace("/", "-"))
            if name not in mirrors:
                address = f"https://github.com/{name}.git"
                subprocess.run(
                    ["git", "clone", "-q", "--no-checkout", "--filter=blob:none", address, str(clone)], check=True
                )
            repository = Repository(clone, commit)
            count = 0
            for recording in recordings_of(repository):
                target = folder / f"{name.partition('/')[2]}-{Path(recording.path).stem}"
                target.with_suffix(".wav").write_bytes(repository.read(recording.path))
                target.with_suffix(".txt").write_text(recording.text + "\n", encoding="utf-8")
                count += 1
            print(f"{count:>3} recordings of {name} at {commit[:12]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mirror", action="append", default=[], metavar="OWNER/NAME=PATH")
    arguments = parser.parse_args()
    given = (mirror.partition("=") for mirror in arguments.mirror)
    main(arguments.folder, {name: Path(path) for name, _, path in given})
