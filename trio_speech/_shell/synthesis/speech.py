"""The object that `client.synthesize` gives to its user: takes text, and yields audio."""

from __future__ import annotations

import math
from numbers import Real

import trio
from msgspec.structs import replace

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
    `resume_mode` and `statistics` may be asked for at any time, from any thread. Other methods raise `RuntimeError`
    outside of the session's own thread.
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
            chunk = self._machine.take(trio.current_time())
            if chunk is None:
                raise StopAsyncIteration
            return chunk
        finally:
            self._reading = False
            channel.on_taken()  # the next segment may be waiting until this audio was handed over

    # ------------------------------------------------------------ text in

    async def send(self, text: str) -> None:
        """Takes text, in pieces of any size. It is cut into sentences. Each is spoken once it is complete: after the
        next word, after a blank line, or when no text has come for a quarter of a second.

        A checkpoint. It waits while 16,384 characters wait to be spoken. Cancelled then, it may have taken a part of
        `text`. Raises `ConfigurationError` where the session was given its text, `TypeError` where `text` is not a
        string, and `trio.ClosedResourceError` after `end_input`.
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

    def clear(self, heard: float | None = None) -> str:
        """Barge-in: drops all text and audio that was not handed over, and returns the text that was heard.

        `heard` is the position of the player, in seconds of the session's audio: the `AudioChunk.start` of the chunk
        that it was playing, and how far it was in it. What was handed over after that counts as never spoken. Leave it
        out where all that was handed over was heard.

        The session goes on. Text that is sent later is spoken as usual, and follows in `spoken` what this call
        returned. `AudioChunk.start` goes on from what was handed over, not from `heard`. A `send` that is waiting
        returns, and the rest of its text is dropped. Returns at once. Raises `ConfigurationError` where `heard` is not
        a number of seconds, `trio.ClosedResourceError` once the block is left.
        """
        self._check_open()
        return self._channel.clear(_seconds("heard", heard))

    # ------------------------------------------------------------ what is known

    @property
    def resume_mode(self) -> Resume:
        """What happens if the connection is lost in the segment that is being spoken (or else in the next one): the
        `resume` that was asked for, as far as the voice allows it. It is fixed before the segment's first sample.
        """
        return self._machine.mode

    @property
    def resume(self) -> Resume:
        """The same as `resume_mode`."""
        return self.resume_mode

    def spoken(self, at: float | None = None) -> str:
        """The text whose audio has been handed over; with `at`, in the first `at` seconds of it. Valid after exit too.

        Where the voice aligns words, a word counts once all of its audio was handed over. Else a segment counts once
        all of its audio was. Raises `ConfigurationError` where `at` is not a number of seconds.
        """
        return self._machine.spoken(_seconds("at", at))

    def statistics(self) -> SpeechStatistics:
        """Returns the figures of the session so far. Valid after its end too."""
        return replace(self._machine.statistics(), endpoint=self._channel.endpoint)

    def _check_open(self) -> None:
        self._thread.check()
        self._channel.check_open()


def _seconds(name: str, given: float | None) -> float | None:
    if given is not None and not (isinstance(given, Real) and -math.inf < given < math.inf):
        raise ConfigurationError(f"{name} must be a number of seconds of audio, or None for all of it, not {given!r}")
    return given
