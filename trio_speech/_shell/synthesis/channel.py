"""Passes text from a `Speech` to its `SynthesisSession`, and wakes each when the other has made progress.

    Speech  ──  push, flush, end_input, clear  ──▶  machine  ──  asked by `SynthesisSession`  ──▶  a lease
    Speech  ◀──  take a chunk                  ──   machine  ◀──  audio, words, done          ──   a lease

The machine (`SynthesisMachine`) takes *segments*: pieces of text that are spoken as one, mostly sentences.

Three kinds of tasks wait here, each for its own `Wakeup`: the reader waits for audio, senders wait for room,
and the session's link loop waits for text.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from ..._core.synthesis.segmenter import Segmenter
from ..._core.synthesis.session import SynthesisMachine
from ..concurrency.wakeup import Wakeup

BACKLOG = 16_384
"""Characters that may wait to be spoken; beyond it, senders wait."""

PIECE = 2_048
"""Characters that are cut into segments without a checkpoint."""

PAUSE = 0.25
"""Seconds without new text after which a sentence that looks complete is spoken."""


class SpeechChannel:
    """Owned by the session, and handed to its `Speech`.

    `on_text` is called when a segment was queued, `on_taken` when the reader has taken a chunk or waits for one, and
    `on_clear` when `clear` has dropped a segment that the service is speaking.
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
        """True if the session was given a source of text, so that the user may not send any."""
        self.ended = False
        """True once no more text is taken."""
        self.endpoint = ""
        """The address of the service that speaks, or spoke last."""
        self.left = False
        """True once the session's block has been left: nothing may be sent or read."""
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
        """Queues text of any length, and waits while `BACKLOG` characters wait to be spoken. Checkpoints.

        If `clear` is called meanwhile, the rest of `text` is dropped. Raises `TypeError` for anything but a string, and
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
        """Queues a complete sentence when no text has come for `PAUSE` seconds, as while a language model uses a tool.

        Otherwise that sentence would wait for the first word of the next. Returns at the end of the input.
        """
        while not self.ended:
            await self._pause_wakeup.wait_until(self._pauses_at)
            if self._pauses_at is not None and trio.current_time() >= self._pauses_at:
                self._pauses_at = None
                self._queue(self._segmenter.complete())

    def _expect_pause(self) -> None:
        expected = self._pauses_at is not None
        self._pauses_at = trio.current_time() + PAUSE if self._segmenter.may_be_complete else None
        # If the watcher waits for an earlier time, it wakes then and sees that it must wait longer.
        if self._pauses_at is not None and not expected:
            self._pause_wakeup.fire()

    def take_all(self, text: str) -> None:
        """Queues the session's whole text, of no more than `PIECE` characters, and ends the input. Returns at once."""
        self.ended = True
        self._queue(self._segmenter.finish(text))
        self.machine.end()

    def flush(self) -> None:
        """Queues the text taken so far as a segment, complete or not."""
        self.check_sending()
        self._queue(self._segmenter.flush())
        self.machine.separate()

    def end_input(self) -> None:
        """Queues the text taken so far as the last segment, and takes no more text. A second call does nothing."""
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
        """Whether a reader need not wait: there is a chunk, none will come, or the block has been left."""
        return self.left or self.machine.has_answer

    def progress(self) -> None:
        """Call when the machine has changed: wakes the tasks that wait for audio or for room."""
        self.reader_wakeup.fire()
        self._sender_wakeup.fire()

    def leave(self) -> None:
        """Call when the block is being left: nothing may be sent or read any more."""
        self.left = self.ended = True
        self.progress()

    def check_open(self) -> None:
        """Raises `trio.ClosedResourceError` once the block has been left."""
        if self.left:
            raise trio.ClosedResourceError("this speech's block has been left")

    def check_sending(self) -> None:
        """Raises `trio.ClosedResourceError` once the block has been left or the input has ended."""
        self.check_open()
        if self.ended:
            raise trio.ClosedResourceError("no text may follow end_input()")
