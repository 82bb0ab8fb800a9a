"""What the user of `client.transcribe` holds: audio in, events out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn

import trio

from ..._core.provider.requests import Change
from ..._core.provider.validation import checked, listed
from ..._core.recognition.session import RecognitionMachine
from ...errors import ConfigurationError, ReplayOverflow
from ...events import FinalTranscript, TranscriptEvent
from ...statistics import TranscriptStatistics
from ..concurrency.thread_check import ThreadCheck
from ..concurrency.wakeup import Wakeup
from .journal_file import JournalFile
from .wall_clock import WallClock

if TYPE_CHECKING:
    from typing_extensions import Buffer


_SHARE = 5
"""A part of the log that may wait for room: small enough that the log is at four fifths by then, and is finalized."""


class Transcript:
    """A recognition session as its user sees it. Made by `Client.transcribe`.

    Iterate it for events; one task at a time may. Iteration ends once the input has ended and all of it is settled.

    What is asked of it once the block is left raises `trio.ClosedResourceError`, in another thread than trio's
    `RuntimeError`; `end_input` alone may come late. Where a journal is kept, whatever captures, takes or changes raises
    `OSError` if that cannot be written there.
    """

    def __init__(
        self, machine: RecognitionMachine, *, change: Callable[[Change], None], measure_final: Callable[[float], None]
    ) -> None:
        self._machine = machine
        self._change = change
        self._measure_final = measure_final
        self._clock = WallClock()
        self._reading = False
        self._holds_event = False
        self._home = ThreadCheck()
        self._left = False
        self._complete = False
        self._has_source = False
        self._frame = machine.audio_format.frame_size
        self._waits = machine.policy.overflow == "wait"
        self._refuses = machine.policy.overflow == "error"
        self._most = max(1, machine.limit // _SHARE) * self._frame
        self._journal: JournalFile | None = None
        self._catch_up: Callable[[], float] = lambda: 0.0
        self._on_audio: Callable[[], None] = lambda: None
        self._wake_link = Wakeup()
        self._wake_user = Wakeup()
        self._wake_source = Wakeup()

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
        try:
            self._record_delivery()
            if self._machine.event_queue or self._complete or self._left:
                await trio.lowlevel.checkpoint()
            while not self._machine.event_queue:
                self._check_open()
                if self._complete:
                    self._record_delivery()
                    raise StopAsyncIteration
                await self._wake_user.wait()
            self._check_open()
            event = self._machine.take()
            self._holds_event = True
            if isinstance(event, FinalTranscript) and (captured := self._clock.at(event.end)) is not None:
                self._measure_final(max(0.0, time.time() - captured))  # a file is ahead of its own clock
            return event
        finally:
            self._reading = False
            self._wake_source.fire()

    # ------------------------------------------------------------ audio in

    async def send(self, audio: Buffer) -> None:
        """Captures audio: any bytes-like object of whole samples.

        A checkpoint. Under ``overflow="wait"`` it waits while the log is full; cancelled, it has taken nothing, unless
        the audio is longer than a fifth of the log, which is taken in parts. Raises `ConfigurationError` for audio cut
        inside a sample, `TypeError` for what is not bytes-like, `ReplayOverflow` under ``overflow="error"``,
        `trio.ClosedResourceError` after `end_input`.
        """
        if self._has_source:
            self._refuse()
        whole = self._whole(audio)
        await trio.lowlevel.checkpoint()
        if not self._takes(whole):
            await self._capture(whole)

    def send_nowait(self, audio: Buffer) -> None:
        """As `send`, at once: for a callback, or for one clock that serves many sessions.

        No checkpoint. Raises `trio.WouldBlock` where `send` would wait for room, and has taken nothing then. What is
        longer than a fifth of the log may never find room at once: `send` takes it in parts. Raises `RuntimeError` in
        another thread than trio's: from there, go by `trio.from_thread.run_sync`.
        """
        if get_ident() != self._home.ident:  # as `check` asks, and a call less for each push
            self._home.check()
        if self._has_source:
            self._refuse()
        if not self._takes(audio):
            raise trio.WouldBlock

    async def _capture(self, audio: Buffer) -> None:
        """As `send`, for the session's own source; a checkpoint only where it has to wait for room."""
        if self._takes(audio):
            return
        whole = self._whole(audio)
        for start in range(0, len(whole), self._most):
            part = whole[start : start + self._most]
            while not self._takes(part):
                await self._wake_source.wait()

    def _takes(self, audio: Buffer) -> bool:
        """Captures audio at once; says whether it has, or ``overflow="wait"`` asks to wait for room."""
        machine, log = self._machine, self._machine.log
        whole = audio if type(audio) is bytes and not len(audio) % self._frame else self._whole(audio)
        samples = len(whole) // self._frame
        free = log.captured + samples <= machine.room_until and not self._left
        if not free and not self._has_room(samples):
            return False
        if self._journal is not None:
            try:
                self._journal.captured(whole, given_up=log.given_up)
            except OSError:
                if self._has_source:  # nobody else has this audio; who calls `send` still does
                    log.append(whole)
                raise
        rate = machine.rate
        self._clock.captured(log.captured / rate, time.time() - samples / rate)  # its last sample is of now
        if free:
            log.append(whole)
        else:
            machine.capture(whole)
        if log.captured >= machine.next_wakeup_at_sample:
            self._on_audio()
        return True

    def finalize(self) -> None:
        """Asks for the final of everything captured so far; the session goes on. Returns at once.

        Raises `trio.ClosedResourceError` after `end_input`, which asks for as much.
        """
        self._check_sending()
        self._machine.finalize()
        self._wake_link.fire()

    def end_input(self) -> None:
        """No more audio will come. Returns at once; iteration ends when all is settled. Twice does no harm."""
        self._home.check()
        self._machine.end_input()
        self._wake_link.fire()

    async def settled(self) -> None:
        """Until all that is captured now is settled: recognized; and read too, while a task waits for events.

        Where none does, be it that it still deals with the last one, nobody may ever read: then it is enough that all
        is recognized. A checkpoint; cancelling it has no effect on the session. It asks for nothing: call `finalize`
        before it.
        """
        target = self._machine.log.captured
        await trio.lowlevel.checkpoint()
        while not self._is_settled(target):
            self._check_open()
            await self._wake_source.wait()

    def update(
        self,
        *,
        language: str | None = None,
        options: Mapping[str, Any] | None = None,
        keyterms: Iterable[str] | None = None,
    ) -> None:
        """Changes a running session, for this and every later connection. Returns at once.

        `keyterms` replaces the whole list. Raises `ConfigurationError` for what the service cannot change in flight.
        """
        self._check_open()
        terms = None if keyterms is None else listed("keyterms", keyterms)
        self._change(checked(Change(language=language, options=options, keyterms=terms)))
        self._wake_link.fire()

    # ------------------------------------------------------------ what is known

    def unacknowledged(self) -> tuple[float, bytes]:
        """Seconds at which the audio begins that was captured, and neither settled nor evicted; and that audio."""
        start, audio = self._machine.log.unacknowledged()
        return start / self._machine.rate, audio

    def statistics(self) -> TranscriptStatistics:
        """The session so far; valid after its end too."""
        machine, log, rate = self._machine, self._machine.log, self._machine.rate
        tally = machine.tally
        lost = machine.gaps.total
        unsettled = log.owed + machine.gaps.endangered
        return TranscriptStatistics(
            captured=log.captured / rate,
            settled=(log.captured - unsettled - lost) / rate,
            replayed=log.replayed / rate,
            billed=log.taken / rate,
            in_gaps=lost / rate,
            unsettled=unsettled / rate,
            backlog=log.unsent / rate,
            catch_up=self._catch_up(),
            links=tally.links,
            finals=tally.finals,
            repeated_words=tally.repeated_words,
            repeated_finals=tally.repeated_finals,
            unknown_messages=tally.unknown_messages,
            anchors=self._clock.anchors(),
        )

    # ------------------------------------------------------------ for the session, and nobody else

    def _heard(self) -> None:
        """The link made progress: whoever waits for events, room or settlement looks again."""
        if not self._holds_event:  # silence is settled without an event
            self._record_delivery()
        if self._machine.event_queue:
            self._wake_user.fire()
        self._wake_source.fire()

    def _finish(self) -> None:
        """All input is accounted for: iteration ends once the queue is empty."""
        self._machine.end()
        self._complete = True
        self._wake_user.fire()
        self._wake_source.fire()

    def _leave(self) -> None:
        """The block is being left: nothing can be sent or read any more."""
        self._left = True
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self._wake_user.fire()
        self._wake_source.fire()

    # ------------------------------------------------------------ details

    def _record_delivery(self) -> None:
        """Whoever asks for the next event has dealt with the last."""
        self._holds_event = False
        if self._journal is not None:
            self._journal.delivered(self._machine.event_queue.settled, self._machine.taken)

    def _whole(self, audio: Buffer) -> bytes:
        """`audio` as it is to be kept: copied, unless it is immutable as it stands. Raises `ConfigurationError`."""
        if type(audio) is bytes and not len(audio) % self._frame:
            return audio
        return bytes(self._machine.audio_format.whole_samples(audio))

    def _refuse(self) -> NoReturn:
        raise ConfigurationError("this session has a source: leave `source` out to send audio yourself")

    def _has_room(self, samples: int) -> bool:
        """Whether so much may be taken in now; raises what stands against it for good."""
        self._check_sending()
        machine = self._machine
        if samples <= machine.room or not (self._waits or self._refuses):
            return True
        if self._refuses:
            raise ReplayOverflow(
                f"{machine.limit / machine.rate:g} s of audio wait to be recognized, the limit: "
                "send less, read the events, or choose another ReplayPolicy"
            )
        return False

    def _is_settled(self, target: int) -> bool:
        read = self._machine.log.settled >= target
        return read or (self._machine.log.committed >= target and not (self._reading and self._machine.event_queue))

    def _check_open(self) -> None:
        self._home.check()
        if self._left:
            raise trio.ClosedResourceError("this transcript's block has been left")

    def _check_sending(self) -> None:
        self._check_open()
        if self._machine.input_ended:
            raise trio.ClosedResourceError("no audio may follow end_input()")
