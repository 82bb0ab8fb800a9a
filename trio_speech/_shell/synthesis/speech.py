"""What the user of `client.synthesize` holds: text in, audio out."""

from __future__ import annotations

import math
from numbers import Real

import trio

from ..._core.synthesis.resume import Resume
from ...errors import ConfigurationError
from ...events import AudioChunk
from ...statistics import SpeechStatistics
from ..concurrency.thread_check import ThreadCheck
from .channel import SpeechChannel


class Speech:
    """One synthesis session: iterate it for audio. Made by `Client.synthesize`.

    One task at a time may iterate. Iteration ends once the input has ended and all of its audio was handed over.

    After its block has been left, methods raise `trio.ClosedResourceError`; `end_input` is still allowed. `spoken`,
    `resume` and `statistics` may be asked for at any time, from any thread. Other methods raise `RuntimeError` outside
    of the session's own thread.
    """

    def __init__(self, channel: SpeechChannel) -> None:
        self._channel = channel
        self._machine = channel.machine
        self._reading = False
        self._thread = ThreadCheck()

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
        channel = self._channel
        try:
            if channel.has_answer:
                await trio.lowlevel.checkpoint()
            while not channel.has_answer:
                await channel.reader_wakeup.wait()
            self._check_open()
            chunk = self._machine.take()
            if chunk is None:
                raise StopAsyncIteration
            return chunk
        finally:
            self._reading = False
            channel.link_wakeup.fire()  # the next segment may be waiting until this audio was handed over

    # ------------------------------------------------------------ text in

    async def send(self, text: str) -> None:
        """Takes text, in pieces of any size. It is cut into sentences, each of which is spoken once it is complete.

        A checkpoint. It waits while 16,384 characters wait to be spoken. Cancelled then, it may have taken a part of
        `text`. Raises `ConfigurationError` where the session was given its text, `TypeError` where `text` is no string,
        and `trio.ClosedResourceError` after `end_input`.
        """
        if self._channel.has_source:
            raise ConfigurationError("this session has its text: leave `text` out of synthesize() to send it yourself")
        self._thread.check()
        await self._channel.take(text)

    def flush(self) -> None:
        """Speaks what was sent without waiting for the end of the sentence. Returns at once.

        Raises `trio.ClosedResourceError` once the input has ended.
        """
        self._thread.check()
        self._channel.flush()

    def end_input(self) -> None:
        """No more text will come. Returns at once. Iteration ends when all audio is handed over.

        Calling it again does nothing.
        """
        self._thread.check()
        self._channel.end_input()

    def clear(self) -> None:
        """Barge-in: drops all text and audio that was not handed over, and keeps the session. Returns at once.

        A `send` that is waiting returns, and the rest of its text is dropped. Text that is sent later is spoken as
        usual. Raises `trio.ClosedResourceError` once the block is left.
        """
        self._check_open()
        self._channel.clear()

    # ------------------------------------------------------------ what is known

    @property
    def resume(self) -> Resume:
        """What happens after a drop in mid-audio: the mode that was asked for, as far as the voice allows it."""
        return self._machine.mode

    def spoken(self, at: float | None = None) -> str:
        """The text whose audio has been handed over; with `at`, in the first `at` seconds of it. Valid after exit too.

        Where the voice aligns words, a word counts once all of its audio was handed over. Else a segment counts once
        all of its audio was. Raises `ConfigurationError` where `at` is no number of seconds.
        """
        if at is not None and not (isinstance(at, Real) and -math.inf < at < math.inf):
            raise ConfigurationError(f"at is {at!r}: give seconds of audio, or leave it out for all")
        return self._machine.spoken(at)

    def statistics(self) -> SpeechStatistics:
        """The figures of the session so far. Valid after exit too."""
        return self._machine.statistics()

    def _check_open(self) -> None:
        self._thread.check()
        self._channel.check_open()
