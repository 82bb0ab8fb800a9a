"""What the user of `client.synthesize` holds: text in, audio out."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real

import trio

from ..._core.synthesis.resume import Resume
from ..._core.synthesis.segmenter import Segmenter
from ..._core.synthesis.session import SynthesisMachine
from ...errors import ConfigurationError
from ...events import AudioChunk
from ...statistics import SpeechStatistics
from ..concurrency.thread_check import ThreadCheck
from ..concurrency.wakeup import Wakeup

BACKLOG = 16_384
"""Characters that wait to be spoken before `Speech.send` waits too."""

PIECE = 2_048
"""Characters that are looked at in one go."""


class Speech:
    """A synthesis as its user sees it. Made by `Client.synthesize`.

    Iterate it for audio; one task at a time may. Iteration ends once the input has ended and all of it was handed over.

    What is asked of it once the block is left raises `trio.ClosedResourceError`, in another thread than trio's
    `RuntimeError`; `end_input` may come late, and what is known may be asked for whenever and from wherever.
    """

    def __init__(
        self, machine: SynthesisMachine, segmenter: Segmenter, *, ask: Callable[[], None], abandon: Callable[[], None]
    ) -> None:
        self._machine = machine
        self._segmenter = segmenter
        self._ask = ask
        self._abandon = abandon
        self._reading = False
        self._home = ThreadCheck()
        self._left = False
        self._clears = 0
        self._ended = False
        self._has_source = False
        self._wake_link = Wakeup()
        self._wake_user = Wakeup()
        self._wake_source = Wakeup()

    # ------------------------------------------------------------ audio out

    def __aiter__(self) -> Speech:
        return self

    async def __anext__(self) -> AudioChunk:
        """The next chunk of audio. A checkpoint, but never after a chunk was taken: cancelling loses nothing.

        Raises `trio.BusyResourceError` where another task iterates, `trio.ClosedResourceError` once the block is left.
        """
        if self._reading:
            raise trio.BusyResourceError("another task is iterating this speech")
        self._reading = True
        try:
            if self._has_answer:
                await trio.lowlevel.checkpoint()
            while not self._has_answer:
                await self._wake_user.wait()
            self._check_open()
            chunk = self._machine.take()
            if chunk is None:
                raise StopAsyncIteration
            return chunk
        finally:
            self._reading = False
            self._wake_link.fire()

    # ------------------------------------------------------------ text in

    async def send(self, text: str) -> None:
        """Takes text, in pieces of any size: sentences are put together here, and spoken as they become complete.

        A checkpoint. It waits while much text is waiting to be spoken; cancelled then, it may have taken a part. Raises
        `ConfigurationError` where the session has its own text, `TypeError` for what is no string,
        `trio.ClosedResourceError` after `end_input`.
        """
        if self._has_source:
            raise ConfigurationError("this session has its text: leave `text` out to send some yourself")
        await self._take_in(text)

    async def _take_in(self, text: str) -> None:
        """As `send`, for the session's own source."""
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"text comes as str, not as {type(text).__name__}")
        await trio.lowlevel.checkpoint()
        self._check_sending()
        clears = self._clears
        for at in range(0, len(text), PIECE):
            while self._machine.queued_characters >= BACKLOG:
                await self._wake_source.wait()
                self._check_sending()
            if clears != self._clears:
                return
            self._queue(self._segmenter.push(text[at : at + PIECE]))

    def _take_all(self, text: str) -> None:
        """Takes the session's whole text, of no more than `PIECE` characters. Returns at once."""
        self._ended = True
        self._queue(self._segmenter.flush(text))
        self._machine.end()

    def flush(self) -> None:
        """Closes the segment: what was sent is spoken without waiting for the rest of a sentence. Returns at once.

        Raises `trio.ClosedResourceError` once the input has ended.
        """
        self._check_sending()
        self._queue(self._segmenter.flush())

    def end_input(self) -> None:
        """No more text will come. Returns at once; iteration ends when all is handed over. Twice does no harm."""
        self._home.check()
        if not self._ended:
            self._ended = True
            self._queue(self._segmenter.flush())
            self._machine.end()
            self._wake_link.fire()
            self._heard()

    def clear(self) -> None:
        """Barge-in: drops all text and audio that was not handed over, and keeps the session. Returns at once.

        A `send` that is waiting returns, its rest dropped. Text that is sent later is spoken as usual.
        """
        self._check_open()
        self._clears += 1
        self._segmenter.clear()
        if self._machine.clear():
            self._abandon()
        self._wake_link.fire()
        self._heard()

    # ------------------------------------------------------------ what is known

    @property
    def resume(self) -> Resume:
        """What happens after a drop in mid-audio: what was asked for, as far as this voice allows it."""
        return self._machine.mode

    def spoken(self, at: float | None = None) -> str:
        """The text whose audio has been handed over; `at`: in the first so many seconds of it. Valid after exit too.

        It goes by word where the voice aligns words, else by whole segment, and never claims what was not heard. Raises
        `ConfigurationError` where `at` is no number of seconds.
        """
        if at is not None and not (isinstance(at, Real) and -math.inf < at < math.inf):
            raise ConfigurationError(f"at is {at!r}: give seconds of audio, or leave it out for all")
        return self._machine.spoken(at)

    def statistics(self) -> SpeechStatistics:
        """The session so far; valid after its end too."""
        return self._machine.statistics()

    # ------------------------------------------------------------ for the session, and nobody else

    def _heard(self) -> None:
        """The link made progress: whoever waits for audio or for room looks again."""
        self._wake_user.fire()
        self._wake_source.fire()

    def _leave(self) -> None:
        """The block is being left: nothing can be sent or read any more."""
        self._left = self._ended = True
        self._heard()

    # ------------------------------------------------------------ details

    def _queue(self, segments: list[str]) -> None:
        for segment in segments:
            self._machine.add(segment)
        if segments:
            self._ask()

    @property
    def _has_answer(self) -> bool:
        return self._left or self._machine.has_answer

    def _check_open(self) -> None:
        self._home.check()
        if self._left:
            raise trio.ClosedResourceError("this speech's block has been left")

    def _check_sending(self) -> None:
        self._check_open()
        if self._ended:
            raise trio.ClosedResourceError("no text may follow end_input()")
