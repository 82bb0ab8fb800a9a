"""The object that `client.transcribe` gives to its user: takes audio, and yields events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from threading import get_ident
from typing import TYPE_CHECKING, Any

import trio

from ..._core.provider.requests import Change
from ..._core.provider.validation import checked, listed
from ..._core.recognition.settlement_request import SettlementRequest
from ...errors import ConfigurationError
from ...events import FinalTranscript, TranscriptEvent
from ...statistics import TranscriptStatistics
from ..concurrency.thread_check import ThreadCheck
from ..concurrency.turn import checkpoint_once_in_a_while
from .intake import Intake

if TYPE_CHECKING:
    from typing_extensions import Buffer


_LOOK_AGAIN = 0.25
"""Seconds after which `settled` checks again whether to ask the service to finalize."""


class Transcript:
    """A recognition session as its user sees it. Made by `Client.transcribe`.

    Iterate it for events; one task at a time may. Iteration ends once the input has ended and all of it is settled.

    After the block has been left, methods raise `trio.ClosedResourceError`, except `end_input`, `unacknowledged` and
    `statistics`. In another thread than trio's they raise `RuntimeError`, except the last two. If a journal is kept,
    capturing audio, taking events and changing the session raise `OSError` if that cannot be written to it.
    """

    def __init__(
        self, intake: Intake, *, change: Callable[[Change], None], measure_final: Callable[[float], None]
    ) -> None:
        self._intake = intake
        self._machine = intake.machine
        self._change = change
        self._measure_final = measure_final
        self._reading = False
        self._thread = ThreadCheck()

    # ------------------------------------------------------------ events out

    def __aiter__(self) -> Transcript:
        return self

    async def __anext__(self) -> TranscriptEvent:
        """The next event. A checkpoint, but never after an event has been taken: cancelling loses nothing.

        Raises `trio.BusyResourceError` where another task iterates, `trio.ClosedResourceError` once the block is left.
        """
        if self._reading:
            raise trio.BusyResourceError("another task is iterating this transcript")
        self._reading = True
        intake, machine = self._intake, self._machine
        try:
            intake.record_delivery()
            if machine.event_queue or intake.complete or intake.left:
                await trio.lowlevel.checkpoint()
            while not machine.event_queue:
                self._check_open()
                if intake.complete:
                    intake.record_delivery()
                    raise StopAsyncIteration
                await intake.user_wakes.wait()
            self._check_open()
            event = machine.take()
            intake.holds_event = True
            if isinstance(event, FinalTranscript) and (captured := intake.clock.at(event.end)) is not None:
                self._measure_final(max(0.0, time.time() - captured))  # a file is read faster than real time
            return event
        finally:
            self._reading = False
            intake.source_wakes.fire()

    # ------------------------------------------------------------ audio in

    async def send(self, audio: Buffer) -> None:
        """Captures audio: any bytes-like object of whole samples.

        It can be cancelled in each call, and has taken nothing then, unless the audio is longer than a fifth of the
        log, which is taken in parts. Under ``overflow="wait"`` it waits while the log is full. Else it lets other tasks
        run only once a task has sent for a millisecond without waiting for anything, so that none of them waits longer
        for it: where audio comes in real time, a switch of tasks would cost as much as sending it.

        Raises `ConfigurationError` for audio cut inside a sample, `TypeError` for what is not bytes-like,
        `ReplayOverflow` under ``overflow="error"``, `trio.ClosedResourceError` after `end_input`.
        """
        self._check_no_source()
        whole = self._intake.whole(audio)
        await checkpoint_once_in_a_while()
        if not self._intake.take_in(whole):
            await self._intake.take_in_when_free(whole)

    def send_nowait(self, audio: Buffer) -> None:
        """Like `send`, without waiting: for a callback, or for one clock that serves many sessions.

        No checkpoint. Raises `trio.WouldBlock` where `send` would wait for room, and then takes nothing. Audio that is
        longer than a fifth of the log may never fit at once: use `send`, which takes it in parts. Raises `RuntimeError`
        in a thread other than trio's: from there, call it by `trio.from_thread.run_sync`.
        """
        if get_ident() != self._thread.ident:  # the same test as in `check`, inlined to save a call per push
            self._thread.check()
        if self._intake.has_source:
            self._check_no_source()
        if not self._intake.take_in(audio):
            raise trio.WouldBlock

    def finalize(self) -> None:
        """Asks for the final of everything captured so far; the session goes on. Returns at once.

        Some services, such as Deepgram's Flux, take no such request: then the final comes when the service ends the
        turn.

        Raises `trio.ClosedResourceError` after `end_input`, which asks for it too.
        """
        self._check_sending()
        self._machine.finalize()
        self._intake.link_wakes.fire()

    def end_input(self) -> None:
        """Ends the input: no more audio will come. Returns at once; iteration ends when all is settled.

        Calling it again does nothing.
        """
        self._thread.check()
        self._intake.end_input()

    async def settled(self) -> None:
        """Waits until all audio captured so far is recognized and, if a task iterates the transcript, read by it.

        If no task waits for events, it is enough that all is recognized. The service is asked for what is missing in
        the next long pause, or 1.5 s after the last audio. To ask at once, call `finalize` first. A checkpoint.
        Cancelling it has no effect on the session.
        """
        request = SettlementRequest(self._machine, trio.current_time())
        await trio.lowlevel.checkpoint()
        while not self._is_settled(request.target):
            self._check_open()
            if request.is_made:
                await self._intake.source_wakes.wait()
                continue
            await self._intake.source_wakes.wait_until(trio.current_time() + _LOOK_AGAIN)
            if not self._intake.left and request.is_due(trio.current_time()):
                self.finalize()

    def update(
        self,
        *,
        language: str | None = None,
        options: Mapping[str, Any] | None = None,
        keyterms: Iterable[str] | None = None,
    ) -> None:
        """Changes a running session, for this and every later connection. Returns at once::

            transcript.update(language="de", keyterms=["Quattro Stagioni"])

        `keyterms` replaces the whole list. What the service cannot change on a running connection comes with a new one:
        the session moves to it in the next pause of the audio, within half a minute, and loses nothing by that.

        Raises `ConfigurationError` for what the service cannot do at all.
        """
        self._check_open()
        terms = None if keyterms is None else listed("keyterms", keyterms)
        self._change(checked(Change(language=language, options=options, keyterms=terms)))
        self._intake.link_wakes.fire()

    # ------------------------------------------------------------ what is known

    def unacknowledged(self) -> tuple[float, bytes]:
        """Returns where the audio begins that is captured and not settled, in seconds, and that audio.

        Audio that the `ReplayPolicy` has dropped is not part of it.
        """
        start, audio = self._machine.log.unacknowledged()
        return start / self._machine.rate, audio

    def statistics(self) -> TranscriptStatistics:
        """Returns the figures of the session so far. Valid after its end too."""
        machine, log, rate = self._machine, self._machine.log, self._machine.rate
        tally = machine.tally
        lost = machine.gaps.total
        unsettled = log.owed + machine.gaps.endangered
        return TranscriptStatistics(
            captured=log.captured / rate,
            settled=(log.captured - unsettled - lost) / rate,
            replayed=log.replayed / rate,
            billed=(log.taken + tally.filler) / rate,
            in_gaps=lost / rate,
            unsettled=unsettled / rate,
            backlog=log.unsent / rate,
            catch_up=link.catch_up if (link := self._intake.link) is not None else 0.0,
            links=tally.links,
            finals=tally.finals,
            repeated_words=tally.repeated_words,
            repeated_finals=tally.repeated_finals,
            unknown_messages=tally.unknown_messages,
            suspected=tally.suspected,
            cleared=tally.cleared,
            endpoint=self._intake.endpoint,
            anchors=self._intake.clock.anchors(),
        )

    # ------------------------------------------------------------ details

    def _check_no_source(self) -> None:
        if self._intake.has_source:
            raise ConfigurationError("this session has a source: leave `source` out to send audio yourself")

    def _is_settled(self, target: int) -> bool:
        read = self._machine.log.settled >= target
        return read or (self._machine.log.committed >= target and not (self._reading and self._machine.event_queue))

    def _check_open(self) -> None:
        self._thread.check()
        self._intake.check_open()

    def _check_sending(self) -> None:
        self._thread.check()
        self._intake.check_sending()
