"""An engine of your own: a voice that speaks Morse code, and a recognizer that hears it, served by `Local()`.

An engine sits behind one of two small interfaces, `Voice` and `Recognizer` of `trio_speech.gateway`. All else (the
connection, reconnecting, replay, resuming, several sessions at once) stays as it is. This one speaks two sentences, and
then recognizes what it said.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager

import trio

import trio_speech as ts
from trio_speech.gateway import (
    Final,
    Finalized,
    HeardWord,
    Hypothesis,
    Onset,
    RecognitionOptions,
    Result,
    SpeechAudio,
    SpokenWord,
    SynthesisOptions,
)

UNIT = 0.04  # seconds of a dot; a dash has three, and so has the pause between letters; between words there are seven
SENTENCE_PAUSE = 14  # units
MORSE = """
A .-   B -... C -.-. D -..  E .    F ..-. G --.  H .... I ..   J .--- K -.-  L .-.. M --
N -.   O ---  P .--. Q --.- R .-.  S ...  T -    U ..-  V ...- W .--  X -..- Y -.-- Z --..
"""
CODES: dict[str, str] = dict(zip(MORSE.split()[::2], MORSE.split()[1::2], strict=True))
LETTERS = {code: letter for letter, code in CODES.items()}


# ---------------------------------------------------------------- the voice


class MorseVoice:
    """Speaks letters from A to Z, and nothing of the rest."""

    capacity = 10  # connections at once; beyond it, clients are refused with 429

    @asynccontextmanager
    async def synthesize(
        self, text: str, options: SynthesisOptions
    ) -> AsyncGenerator[AsyncIterator[SpeechAudio], None]:
        yield self._spoken(text, options.sample_rate)

    async def _spoken(self, text: str, rate: int) -> AsyncIterator[SpeechAudio]:
        at = 0
        for word in text.split():
            units = list(keyed(word))
            pcm = tones([*units, *[False] * 7], rate)
            yield SpeechAudio(pcm, (SpokenWord(word, at, at + samples(len(units), rate)),))
            at += len(pcm) // 2
            await trio.lowlevel.checkpoint()  # a long text must not keep others waiting
        yield SpeechAudio(tones([False] * (SENTENCE_PAUSE - 7), rate))


def keyed(word: str) -> Iterator[bool]:
    """Whether the key is down, unit by unit."""
    for number, letter in enumerate(letter for letter in word.upper() if letter in CODES):
        yield from [False] * 3 if number else []
        for place, sign in enumerate(CODES[letter]):
            yield from [False] if place else []
            yield from [True] * (1 if sign == "." else 3)


def samples(units: int, rate: int) -> int:
    return round(UNIT * rate) * units


def tones(units: list[bool], rate: int) -> bytes:
    step = samples(1, rate)
    tone = array("h", (round(8_000 * math.sin(2 * math.pi * 600 * at / rate)) for at in range(step)))
    return b"".join(tone.tobytes() if down else bytes(2 * step) for down in units)


# ---------------------------------------------------------------- the recognizer


class MorseRecognizer:
    """Hears Morse code of just that speed."""

    capacity = 10

    @asynccontextmanager
    async def open(self, options: RecognitionOptions) -> AsyncGenerator[MorseSession, None]:
        yield MorseSession(options.sample_rate)


class MorseSession:
    """One stream of audio. It looks at a quarter of a unit at a time."""

    def __init__(self, rate: int) -> None:
        self._step = samples(1, rate) // 4
        self._audio = b""
        self._at = 0  # samples looked at
        self._down = self._up = 0  # how many quarters of a unit the key has been down, and up
        self._code = self._word = ""
        self._word_from = self._word_to = 0
        self._words: list[HeardWord] = []
        self._send, self._results = trio.open_memory_channel[Result](100)

    async def receive(self) -> Result:
        return await self._results.receive()

    async def feed(self, pcm: bytes) -> None:
        """Waits while nobody takes the results: that is what slows a client down which sends too fast."""
        self._audio += pcm
        size = 2 * self._step
        while len(self._audio) >= size:
            block, self._audio = array("h", self._audio[:size]), self._audio[size:]
            self._at += self._step
            await self._hear(max(map(abs, block)) > 1_000)

    async def finalize(self) -> None:
        await self._end_utterance()
        await self._send.send(Finalized(self._at))

    async def _hear(self, is_down: bool) -> None:
        if is_down:
            if not (self._words or self._word or self._code or self._down):
                await self._send.send(Onset(self._at - self._step))
            if not (self._word or self._code or self._down):
                self._word_from = self._at - self._step
            self._down, self._up, self._word_to = self._down + 1, 0, self._at
            return
        self._let_go()
        self._up += 1
        if self._up == 8:
            self._end_letter()
        elif self._up == 20 and self._word:
            self._end_word()
            await self._send.send(Hypothesis(self._text, self._words[0].start, self._words[-1].end, tuple(self._words)))
        elif self._up == 40 and self._words:
            await self._end_utterance()

    def _let_go(self) -> None:
        if self._down:
            self._code += "." if self._down < 8 else "-"
        self._down = 0

    def _end_letter(self) -> None:
        self._word += LETTERS.get(self._code, "?") if self._code else ""
        self._code = ""

    def _end_word(self) -> None:
        self._words.append(HeardWord(self._word, self._word_from, self._word_to))
        self._word = ""

    async def _end_utterance(self) -> None:
        """What comes later depends on nothing before here: a new session may go on from the end of this final."""
        self._let_go()
        self._end_letter()
        if self._word:
            self._end_word()
        if self._words:
            await self._send.send(Final(self._text, self._words[0].start, self._at, tuple(self._words)))
        self._words, self._up = [], 0

    @property
    def _text(self) -> str:
        return " ".join(word.text for word in self._words)


async def main() -> None:
    async with ts.open_client(ts.Local(recognizer=MorseRecognizer(), voice=MorseVoice())) as client:
        clip = await client.render("Paris calling. All is well.")
        print(f"spoken in {clip.duration:.1f} s: {' '.join(word.text.strip() for word in clip.words)}")
        async with client.transcribe(clip.audio, clip.audio_format) as transcript:
            async for event in transcript:
                if isinstance(event, ts.FinalTranscript):
                    print(f"{event.start:5.2f} to {event.end:5.2f} s  {event.text}")


if __name__ == "__main__":
    trio.run(main)
