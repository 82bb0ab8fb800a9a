"""How many words are lost on the way from text to text: the built-in voice, heard by the built-in recognizer.

    python tests/benchmarks/roundtrip_wer.py [--rate 16000] [--voice hibari] [--two-passes] [--list FILE]

Every sentence is spoken, framed by half a second of silence, fed to a recognizer's session in chunks of 50 ms, and
compared with what was written: in lower case, without punctuation. The list of record is ``sentences.txt``, which was
fixed before anything was measured on it; settings are tried on ``sentences_development.txt``.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import trio

from trio_speech.gateway import (
    Final,
    Finalized,
    RecognitionOptions,
    Recognizer,
    RecognizerSession,
    SynthesisOptions,
    Voice,
    open_recognizer,
    open_voice,
)

HERE = Path(__file__).parent
BAR = 12.0  # percent


class Trial(NamedTuple):
    sentence: str
    heard: str
    mistakes: int
    words: int
    seconds: float
    latency: float
    finals: int


def words_of(text: str) -> list[str]:
    return re.sub(r"[^a-z' ]", " ", text.lower()).split()


def mistakes(said: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest insertions, deletions and substitutions that make one of the other."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != got))
    return row[-1]


async def spoken(voice: Voice, sentence: str, rate: int) -> bytes:
    silence = bytes(rate)  # half a second
    async with voice.synthesize(f"{sentence}.", SynthesisOptions(sample_rate=rate)) as speech:
        return silence + b"".join([piece.pcm async for piece in speech]) + silence


async def feed(session: RecognizerSession, pcm: bytes, rate: int) -> None:
    step = 2 * (rate // 20)
    for start in range(0, len(pcm), step):
        await session.feed(pcm[start : start + step])
    await session.finalize()


async def heard(recognizer: Recognizer, pcm: bytes, options: RecognitionOptions) -> tuple[list[Final], float]:
    """The finals, and the seconds from the last sample to the last of them."""
    finals: list[Final] = []
    async with recognizer.open(options) as session, trio.open_nursery() as nursery:
        nursery.start_soon(feed, session, pcm, options.sample_rate)
        while not isinstance(result := await session.receive(), Finalized):
            if isinstance(result, Final):
                finals.append(result)
    return finals, perf_counter()


async def trial(voice: Voice, recognizer: Recognizer, sentence: str, options: RecognitionOptions) -> Trial:
    pcm = await spoken(voice, sentence, options.sample_rate)
    began = perf_counter()
    finals, ended = await heard(recognizer, pcm, options)
    text = " ".join(final.text for final in finals)
    said = words_of(sentence)
    seconds = len(pcm) / 2 / options.sample_rate
    return Trial(sentence, text, mistakes(said, words_of(text)), len(said), seconds, ended - began, len(finals))


def report(trials: Sequence[Trial], *, verbose: bool) -> float:
    words, wrong = sum(t.words for t in trials), sum(t.mistakes for t in trials)
    rate = 100 * wrong / words
    spread = 100 * math.sqrt(rate / 100 * (1 - rate / 100) / words)
    if verbose:
        for t in trials:
            if t.mistakes:
                print(f"{t.mistakes:>2} of {t.words:>2}  {t.sentence}\n          {t.heard}")
    audio, took = sum(t.seconds for t in trials), sum(t.latency for t in trials)
    print(f"sentences            {len(trials)}, {words} words")
    print(f"word error rate      {rate:.1f} % (standard error {spread:.1f}), bar {BAR:g} %")
    print(f"without a mistake    {sum(not t.mistakes for t in trials)} of {len(trials)}")
    print(f"in one final         {sum(t.finals == 1 for t in trials)} of {len(trials)}")
    print(f"time to hear         {took / audio:.2f} of the audio's length")
    return rate


def sentences_of(path: str) -> list[str]:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


async def main(arguments: argparse.Namespace, sentences: Sequence[str]) -> None:
    options = RecognitionOptions(sample_rate=arguments.rate, options={"two_passes": arguments.two_passes})
    async with open_voice(arguments.voice) as voice, open_recognizer(sessions=1) as recognizer:
        trials = [await trial(voice, recognizer, sentence, options) for sentence in sentences]
    rate = report(trials, verbose=arguments.verbose)
    raise SystemExit(rate > BAR)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=16_000)
    parser.add_argument("--voice", default=None)
    parser.add_argument("--two-passes", action="store_true")
    parser.add_argument("--list", default=str(HERE / "sentences.txt"))
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    trio.run(main, options, sentences_of(options.list))
