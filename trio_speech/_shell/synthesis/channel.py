"""What a `Speech` and its `SynthesisSession` share: the machine, the text on its way to it, and their wake-ups.

    Speech  ──  push, flush, end_input, clear  ──▶  machine  ──  asked by `SynthesisSession`  ──▶  a lease
    Speech  ◀──  take a chunk                  ──   machine  ◀──  audio, words, done          ──   a lease

Three kinds of tasks wait here, each for its own `Wakeup`: the reader for audio, whoever sends for room, and the
session's link loop for text.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from ..._core.synthesis.segmenter import Segmenter
from ..._core.synthesis.session import SynthesisMachine
from ..concurrency.wakeup import Wakeup

BACKLOG = 16_384
"""Characters that wait to be spoken before a sender waits too."""

PIECE = 2_048
"""Characters that are segmented without a checkpoint in between."""

PAUSE = 0.25
"""Seconds without text after which a sentence that looks complete is spoken."""


class SpeechChannel:
    """Owned by the session, and handed to its `Speech`.

    `on_text` is called when a segment was queued, `on_taken` when the reader has taken a chunk or waits for one, and
    `on_clear` when a generation is under way that nobody wants.
    """

    def __init__(
        self,
        machine: SynthesisMachine,
        segmenter: Segmenter,
        *,
        on_text: Callable[[], None],
        on_taken: Callable[[], None],
        on_clear: Callable[[], None],
    ) -> None:
        self.machine = machine
        self.has_source = False
        """The session has text of its own, so none may be sent."""
        self.ended = False
        """No more text is taken."""
        self.left = False
        """The session's block has been left: nothing may be sent or read."""
        self.link_wakeup = Wakeup()
        self.reader_wakeup = Wakeup()
        self._sender_wakeup = Wakeup()
        self._segmenter = segmenter
        self._on_text = on_text
        self.on_taken = on_taken
        self._on_clear = on_clear
        self._clears = 0
        self._pauses_at: float | None = None
        self._pause_wakeup = Wakeup()

    # ------------------------------------------------------------ text

    async def take(self, text: str) -> None:
        """Takes text of any length, and waits while `BACKLOG` characters wait to be spoken. A checkpoint.

        A `clear` meanwhile drops the rest of `text`. Raises `TypeError` for anything but a string, and
        `trio.ClosedResourceError` after the end of the input.
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"text must be str, not {type(text).__name__}")
        await trio.lowlevel.checkpoint()
        self.check_sending()
        clears = self._clears
        for at in range(0, len(text), PIECE):
            while self.machine.queued_characters >= BACKLOG:
                await self._sender_wakeup.wait()
                self.check_sending()
            if clears != self._clears:
                return
            self._queue(self._segmenter.push(text[at : at + PIECE]))
        self._expect_pause()

    async def watch_pauses(self) -> None:
        """Speaks a complete sentence when no text has come for `PAUSE` seconds, as while a language model uses a tool.

        Else it would wait for the first word of the next sentence. Returns at the end of the input.
        """
        while not self.ended:
            await self._pause_wakeup.wait_until(self._pauses_at)
            if self._pauses_at is not None and trio.current_time() >= self._pauses_at:
                self._pauses_at = None
                self._queue(self._segmenter.complete())

    def _expect_pause(self) -> None:
        expected = self._pauses_at is not None
        self._pauses_at = trio.current_time() + PAUSE if self._segmenter.may_be_complete else None
        # The watcher that waits for an earlier moment finds out by itself that it has been put off.
        if self._pauses_at is not None and not expected:
            self._pause_wakeup.fire()

    def take_all(self, text: str) -> None:
        """Takes the session's whole text, of no more than `PIECE` characters. Returns at once."""
        self.ended = True
        self._queue(self._segmenter.finish(text))
        self.machine.end()

    def flush(self) -> None:
        """Closes the segment."""
        self.check_sending()
        self._queue(self._segmenter.flush())
        self.machine.separate()

    def end_input(self) -> None:
        """Closes the segment, and takes no more text. The second call does nothing."""
        if not self.ended:
            self.ended = True
            self._queue(self._segmenter.finish())
            self.machine.end()
            self.link_wakeup.fire()
            self._pause_wakeup.fire()
            self.progress()

    def clear(self, heard: float | None) -> str:
        """Drops all text and audio that was not handed over; see `Speech.clear`."""
        self._clears += 1
        self._segmenter.clear()
        text, unwanted = self.machine.clear(heard)
        if unwanted:
            self._on_clear()
        self.link_wakeup.fire()
        self.progress()
        return text

    def _queue(self, segments: list[str]) -> None:
        for segment in segments:
            self.machine.add(segment)
        if segments:
            self._on_text()

    # ------------------------------------------------------------ the state of both sides

    @property
    def has_answer(self) -> bool:
        """Whether a reader need not wait: there is a chunk, or none will come, or the block has been left."""
        return self.left or self.machine.has_answer

    def progress(self) -> None:
        """The link made progress: whoever waits for audio or for room looks again."""
        self.reader_wakeup.fire()
        self._sender_wakeup.fire()

    def leave(self) -> None:
        """The block is being left: nothing may be sent or read any more."""
        self.left = self.ended = True
        self.progress()

    def check_open(self) -> None:
        """Raises `trio.ClosedResourceError` once the block has been left."""
        if self.left:
            raise trio.ClosedResourceError("this speech's block has been left")

    def check_sending(self) -> None:
        """Raises `trio.ClosedResourceError` once no text is taken any more."""
        self.check_open()
        if self.ended:
            raise trio.ClosedResourceError("no text may follow end_input()")
