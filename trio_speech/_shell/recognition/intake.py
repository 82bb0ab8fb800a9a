"""Takes the user's audio into a recognition session, and wakes the tasks that wait for one another there.

The `RecognitionSession` owns an `Intake` and hands it to the `Transcript` that the user holds. So the user's side and
the link (the connection that serves at the moment) know nothing of each other: `take_in` stores audio in the replay log
and tells the link; `progressed` wakes the user's tasks when the link has made progress.

    captured     taken from the user into the replay log (see `replay_log`, also for *settled*)
    room         the samples that the log takes before its limit, ``ReplayPolicy.limit``
    delivered    read by the user, who has then asked for the next event
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
"""Long audio that must wait for room is taken in parts of this fraction of the log's limit. The log is then
four fifths full before a part has to wait, and at four fifths the service is asked to finalize, which makes room."""


class AudioSink(Protocol):
    """What the intake needs of the current link."""

    def captured(self) -> None:
        """Call when the log has reached the sample at which the link wants to be woken.

        Returns at once, never raises.
        """
        ...

    @property
    def catch_up(self) -> float:
        """Seconds until the link has sent its backlog and is live again."""
        ...


class Intake:
    """Takes one session's audio into its replay log, and into `journal` if there is one."""

    def __init__(self, machine: RecognitionMachine) -> None:
        self.machine = machine
        self.clock = WallClock()
        self.journal: JournalFile | None = None
        self.link: AudioSink | None = None
        self.endpoint = ""
        """The address of the service that `link` is connected to, or was last."""
        self.has_source = False
        self.holds_event = False
        """True while the user has an event and has not asked for the next. That event is not delivered yet."""
        self.left = False
        """True once the session's block was left: nothing can be sent or read any more."""
        self.complete = False
        """True once all input is settled or named by a `Gap`: iteration ends when the event queue is empty."""
        self.link_wakes = Wakeup()
        self.user_wakes = Wakeup()
        self.source_wakes = Wakeup()
        self._log = machine.log
        self._rate = machine.rate
        self._frame = machine.audio_format.frame_size
        self._waits = machine.policy.overflow == "wait"
        self._refuses = machine.policy.overflow == "error"
        self._most = max(1, machine.limit // _SHARE) * self._frame

    # ------------------------------------------------------------ audio

    def whole(self, audio: Buffer) -> bytes:
        """Returns `audio` as bytes, copied unless it is bytes already.

        Raises `ConfigurationError` if it ends inside a sample, and `TypeError` if it is not bytes-like.
        """
        if type(audio) is bytes and not len(audio) % self._frame:
            return audio
        return bytes(self.machine.audio_format.whole_samples(audio))

    def take_in(self, audio: Buffer) -> bool:
        """Captures `audio` at once. Returns False, capturing nothing, if it must wait for room (``overflow="wait"``).

        Raises as `whole` and `check_sending` do, `ReplayOverflow` if there is no room (``overflow="error"``), and
        `OSError` if the journal cannot be written.
        """
        log, machine, clock = self._log, self.machine, self.clock
        whole = audio if type(audio) is bytes and not len(audio) % self._frame else self.whole(audio)
        captured = log.captured + len(whole) // self._frame
        if captured > machine.room_until and not self._has_room(captured - log.captured):
            return False
        if self.journal is not None:
            self._keep(self.journal, whole)
        now = time.time()
        if not clock.earliest < now - captured / self._rate < clock.latest:  # its last sample was captured just now
            clock.captured(log.captured / self._rate, now - (captured - log.captured) / self._rate)
        if captured > machine.room_until:
            machine.capture(whole)
        else:
            log.append(whole)
        if captured >= machine.next_wakeup_at_sample and self.link is not None:
            self.link.captured()
        return True

    def _keep(self, journal: JournalFile, audio: bytes) -> None:
        log = self.machine.log
        try:
            journal.captured(audio, given_up=log.given_up)
        except OSError:
            if self.has_source:  # a source's audio would be lost; a caller of `send` still has it
                log.append(audio)
            raise

    async def take_in_when_free(self, audio: Buffer) -> None:
        """Captures `audio`, in parts if it is long, and waits for room as needed. Checkpoints only if it must wait."""
        if self.take_in(audio):
            return
        whole = self.whole(audio)
        for start in range(0, len(whole), self._most):
            part = whole[start : start + self._most]
            while not self.take_in(part):
                await self.source_wakes.wait()

    def _has_room(self, samples: int) -> bool:
        """Whether `samples` may be captured now, or else must wait.

        Raises `trio.ClosedResourceError`, `ReplayOverflow`.
        """
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
        """Raises `trio.ClosedResourceError` once the block was left or the input was ended."""
        self.check_open()
        if self.machine.input_ended:
            raise trio.ClosedResourceError("no audio may follow end_input()")

    # ------------------------------------------------------------ news

    def end_input(self) -> None:
        """Ends the input: no more audio will come. Wakes the link."""
        self.machine.end_input()
        self.link_wakes.fire()

    def progressed(self) -> None:
        """Call when the link made progress. Wakes those that wait for events, for room, or in `Transcript.settled`."""
        if not self.holds_event:  # silence is settled without an event, so no event need be read first
            self.record_delivery()
        if self.machine.event_queue:
            self.user_wakes.fire()
        self.source_wakes.fire()

    def finish(self) -> None:
        """Call when all input is accounted for: ends the session's machine, and wakes everybody."""
        self.machine.end()
        self.complete = True
        self._wake_all()

    def leave(self) -> None:
        """Call when the block is being left: closes the journal, and wakes everybody."""
        self.left = True
        self.machine.take_no_more()
        if self.journal is not None:
            self.journal.close()
            self.journal = None
        self._wake_all()

    def record_delivery(self) -> None:
        """Call when the user asks for the next event: records in the journal that the last one was delivered."""
        self.holds_event = False
        if self.journal is not None:
            self.journal.delivered(self.machine.event_queue.settled, self.machine.taken)

    def _wake_all(self) -> None:
        self.user_wakes.fire()
        self.source_wakes.fire()
