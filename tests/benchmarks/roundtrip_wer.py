"""How many words a built-in recognizer gets wrong: of the built-in voice, or of people.

    python tests/benchmarks/roundtrip_wer.py [--recognizer NAME] [--voice NAME] [--rate 16000] [--list FILE]
    python tests/benchmarks/roundtrip_wer.py --recordings FOLDER [--telephone] [--noise DECIBELS] [--level FACTOR]

Without a folder, the sentences of ``sentences.txt``, which was fixed before anything was measured, are spoken by the
voice; settings are tried on ``sentences_development.txt``. A folder holds recordings (WAV; FLAC and others with the
extra ``audio``), each with its text beside it in a file of the same name: ``recordings.py`` fetches one.

Every recording is framed by half a second of silence, fed to a session in chunks of 50 ms, and compared by words.
``--telephone`` turns it into 8 kHz and mu-law and back, ``--noise`` adds white noise at a distance in decibels,
``--level`` scales it. Exits with 1 where more than ``--bar`` percent of the words are wrong.
"""

from __future__ import annotations

import argparse
import math
import time
from array import array
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy
import trio
from words import mistakes, words_of

from trio_speech.audio import g711
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
from trio_speech.gateway.builtin.resample import Resampler

HERE = Path(__file__).parent
BAR = 2.0  # percent
TELEPHONE = 8_000


class Sample(NamedTuple):
    name: str
    text: str
    pcm: bytes
    rate: int


class Trial(NamedTuple):
    sample: Sample
    heard: str
    mistakes: int
    words: int
    latency: float
    finals: int


def sentences_of(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


async def spoken(voice_name: str | None, sentences: Sequence[str], rate: int) -> AsyncIterator[Sample]:
    async with open_voice(voice_name) as voice:
        for number, sentence in enumerate(sentences, 1):
            yield Sample(str(number), sentence, await said(voice, f"{sentence}.", rate), rate)


async def said(voice: Voice, text: str, rate: int) -> bytes:
    async with voice.synthesize(text, SynthesisOptions(sample_rate=rate)) as speech:
        return b"".join([piece.pcm async for piece in speech])


def recorded(folder: Path) -> list[Sample]:
    import soundfile

    samples = []
    paths = [path for path in folder.iterdir() if path.suffix != ".txt" and path.with_suffix(".txt").exists()]
    for path in sorted(paths):
        audio, rate = soundfile.read(path, dtype="int16", always_2d=True)
        text = path.with_suffix(".txt").read_text(encoding="utf-8").strip()
        samples.append(Sample(path.stem, text, audio[:, 0].tobytes(), rate))
    return samples


def converted(pcm: bytes, source: int, target: int) -> bytes:
    resampler = Resampler(source, target)
    made = resampler.push(array("h", pcm))
    made.extend(resampler.finish())
    return made.tobytes()


def prepared(sample: Sample, arguments: argparse.Namespace, number: int) -> Sample:
    """As the options ask for, between two silences."""
    audio = numpy.frombuffer(sample.pcm, numpy.int16).astype(float) * arguments.level
    if arguments.noise is not None:
        level = math.sqrt(float(numpy.mean(audio**2))) / 10 ** (arguments.noise / 20)
        audio += numpy.random.default_rng(number).normal(0.0, level, len(audio))
    pcm = numpy.clip(numpy.rint(audio), -32_768, 32_767).astype(numpy.int16).tobytes()
    rate = sample.rate
    if arguments.telephone:
        pcm, rate = converted(pcm, rate, TELEPHONE), TELEPHONE
        pcm = g711.mulaw_to_pcm16(g711.pcm16_to_mulaw(pcm))
    silence = bytes(2 * (rate // 2))
    return sample._replace(pcm=silence + pcm + silence, rate=rate)


async def feed(session: RecognizerSession, sample: Sample) -> None:
    step = 2 * (sample.rate // 20)
    for start in range(0, len(sample.pcm), step):
        await session.feed(sample.pcm[start : start + step])
    await session.finalize()


async def trial(recognizer: Recognizer, sample: Sample) -> Trial:
    finals: list[str] = []
    began = time.perf_counter()
    options = RecognitionOptions(sample_rate=sample.rate)
    async with recognizer.open(options) as session, trio.open_nursery() as nursery:
        nursery.start_soon(feed, session, sample)
        while not isinstance(result := await session.receive(), Finalized):
            if isinstance(result, Final):
                finals.append(result.text)
    heard, wanted = " ".join(finals), words_of(sample.text)
    wrong = mistakes(wanted, words_of(heard))
    return Trial(sample, heard, wrong, len(wanted), time.perf_counter() - began, len(finals))


def report(trials: Sequence[Trial], processor: float, *, bar: float, verbose: bool) -> float:
    words, wrong = sum(t.words for t in trials), sum(t.mistakes for t in trials)
    rate = 100 * wrong / words
    spread = 100 * math.sqrt(rate / 100 * (1 - rate / 100) / words)
    if verbose:
        for t in trials:
            if t.mistakes:
                print(f"{t.mistakes:>2} of {t.words:>2}  {t.sample.name}: {t.sample.text}\n          {t.heard}")
    audio = sum(len(t.sample.pcm) / 2 / t.sample.rate for t in trials)
    print(f"recordings           {len(trials)}, {words} words, {audio:.0f} s")
    print(f"word error rate      {rate:.1f} % (standard error {spread:.1f}), bar {bar:g} %")
    print(f"without a mistake    {sum(not t.mistakes for t in trials)} of {len(trials)}")
    print(f"in one final         {sum(t.finals == 1 for t in trials)} of {len(trials)}")
    print(f"time to hear         {sum(t.latency for t in trials) / audio:.2f} of the audio's length")
    print(f"processor            {processor / audio:.3f} s a second of audio, interims included (this process)")
    return rate


async def main(arguments: argparse.Namespace) -> None:
    if arguments.recordings is not None:
        samples = recorded(arguments.recordings)
    else:
        samples = [sample async for sample in spoken(arguments.voice, sentences_of(arguments.list), arguments.rate)]
    samples = [prepared(sample, arguments, number) for number, sample in enumerate(samples)]
    async with open_recognizer(arguments.recognizer, sessions=1) as recognizer:
        await trial(recognizer, samples[0]._replace(pcm=b""))  # loads the models
        before = time.process_time()
        trials = [await trial(recognizer, sample) for sample in samples]
        processor = time.process_time() - before
    rate = report(trials, processor, bar=arguments.bar, verbose=arguments.verbose)
    raise SystemExit(rate > arguments.bar)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recognizer", default=None)
    parser.add_argument("--voice", default=None)
    parser.add_argument("--rate", type=int, default=16_000)
    parser.add_argument("--list", type=Path, default=HERE / "sentences.txt")
    parser.add_argument("--recordings", type=Path, default=None)
    parser.add_argument("--telephone", action="store_true")
    parser.add_argument("--noise", type=float, default=None)
    parser.add_argument("--level", type=float, default=1.0)
    parser.add_argument("--bar", type=float, default=BAR)
    parser.add_argument("--verbose", action="store_true")
    trio.run(main, parser.parse_args())
