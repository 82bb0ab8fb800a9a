"""What a transcript and the links below it share: the audio on its way in, and who is to be woken by what.

The session owns it, and hands it to the transcript that the user holds and to each link. So neither reaches into the
other: a link that made progress calls `progressed`, a user who captured audio calls `take_in`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import trio

from ..._core.recognition.session import RecognitionMachine
from ...errors import ReplayOverflow
from ..concurrency.wakeup import Wakeup
from .journal_file import JournalFile
from .wall_clock import WallClock

if TYPE_CHECKING:
    from typing_extensions import Buffer

_SHARE = 5
"""A part of the log that may wait for room: small enough that the log is at four fifths by then, and is finalized."""


class AudioSink(Protocol):
    """The link that takes the audio."""

    def captured(self) -> None:
        """As much audio as it waits for is there. Returns at once, and raises nothing."""
        ...

    @property
    def catch_up(self) -> float:
        """Seconds until its backlog is gone."""
        ...


class Intake:
    """One session's audio on its way into the log. `journal`: where what is captured is kept too."""

    def __init__(self, machine: RecognitionMachine) -> None:
        self.machine = machine
        self.clock = WallClock()
        self.journal: JournalFile | None = None
        self.link: AudioSink | None = None
        self.has_source = False
        self.holds_event = False
        """The user has taken an event, and not asked for the next: what it settles is not recorded as delivered."""
        self.left = False
        """The block was left: nothing can be sent or read any more."""
        self.complete = False
        """All input is accounted for: iteration ends once the queue is empty."""
        self.link_wakes = Wakeup()
        self.user_wakes = Wakeup()
        self.source_wakes = Wakeup()
        self._frame = machine.audio_format.frame_size
        self._waits = machine.policy.overflow == "wait"
        self._refuses = machine.policy.overflow == "error"
        self._most = max(1, machine.limit // _SHARE) * self._frame

    # ------------------------------------------------------------ audio

    def whole(self, audio: Buffer) -> bytes:
        """`audio` as it is to be kept: copied, unless it is immutable as it stands.

        Raises `ConfigurationError` where it is cut inside a sample, and `TypeError` where it is not bytes-like.
        """
        if type(audio) is bytes and not len(audio) % self._frame:
            return audio
        return bytes(self.machine.audio_format.whole_samples(audio))

    def take_in(self, audio: Buffer) -> bool:
        """Captures audio at once; says whether it has, or ``overflow="wait"`` asks to wait for room."""
        machine, log = self.machine, self.machine.log
        whole = audio if type(audio) is bytes and not len(audio) % self._frame else self.whole(audio)
        samples = len(whole) // self._frame
        free = log.captured + samples <= machine.room_until and not self.left
        if not free and not self._has_room(samples):
            return False
        if self.journal is not None:
            self._keep(self.journal, whole)
        clock, rate, now = self.clock, machine.rate, time.time()
        if not clock.earliest < now - (log.captured + samples) / rate < clock.latest:
            clock.captured(log.captured / rate, now - samples / rate)  # its last sample is of now
        if free:
            log.append(whole)
        else:
            machine.capture(whole)
        if log.captured >= machine.next_wakeup_at_sample and self.link is not None:
            self.link.captured()
        return True

    def _keep(self, journal: JournalFile, audio: bytes) -> None:
        log = self.machine.log
        try:
            journal.captured(audio, given_up=log.given_up)
        except OSError:
            if self.has_source:  # nobody else has this audio; who calls `send` still does
                log.append(audio)
            raise

    async def take_in_when_free(self, audio: Buffer) -> None:
        """Captures audio, in parts where it is long; a checkpoint only where it has to wait for room."""
        if self.take_in(audio):
            return
        whole = self.whole(audio)
        for start in range(0, len(whole), self._most):
            part = whole[start : start + self._most]
            while not self.take_in(part):
                await self.source_wakes.wait()

    def _has_room(self, samples: int) -> bool:
        """Whether so much may be taken in now; raises what stands against it for good."""
        self.check_sending()
        machine = self.machine
        if samples <= machine.room or not (self._waits or self._refuses):
            return True
        if self._refuses:
            raise ReplayOverflow(
                f"{machine.limit / machine.rate:g} s of audio wait to be recognized, the limit: "
                "send less, read the events, or choose another ReplayPolicy"
            )
        return False

    # ------------------------------------------------------------ what may still be done

    def check_open(self) -> None:
        """Raises `trio.ClosedResourceError` once the block was left."""
        if self.left:
            raise trio.ClosedResourceError("this transcript's block has been left")

    def check_sending(self) -> None:
        """As `check_open`, and once the input was ended."""
        self.check_open()
        if self.machine.input_ended:
            raise trio.ClosedResourceError("no audio may follow end_input()")

    # ------------------------------------------------------------ news

    def end_input(self) -> None:
        """No more audio will come."""
        self.machine.end_input()
        self.link_wakes.fire()

    def progressed(self) -> None:
        """The link made progress: whoever waits for events, room or settlement looks again."""
        if not self.holds_event:  # silence is settled without an event
            self.record_delivery()
        if self.machine.event_queue:
            self.user_wakes.fire()
        self.source_wakes.fire()

    def finish(self) -> None:
        """All input is accounted for."""
        self.machine.end()
        self.complete = True
        self._wake_all()

    def leave(self) -> None:
        """The block is being left."""
        self.left = True
        if self.journal is not None:
            self.journal.close()
            self.journal = None
        self._wake_all()

    def record_delivery(self) -> None:
        """Whoever asks for the next event has dealt with the last."""
        self.holds_event = False
        if self.journal is not None:
            self.journal.delivered(self.machine.event_queue.settled, self.machine.taken)

    def _wake_all(self) -> None:
        self.user_wakes.fire()
        self.source_wakes.fire()
