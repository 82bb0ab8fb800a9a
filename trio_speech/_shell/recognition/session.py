"""Runs a recognition session as two or three tasks in the nursery of one `Client.transcribe` block.

    task            what it repeats                    what it knows of lost connections
    ───────────     ────────────────────────────────   ─────────────────────────────────────────────────────────────
    replay task     source → replay log                nothing
    link loop       dial → run link → verdict → wait   a verdict says whether, when and where to dial again
    standby         stand by → hand over               nothing: it runs beside a suspect link, see `suspicion`

A link is one connection at work for the session (see `link`); the replay log holds the audio that may have to be sent
again (see `replay_log`). All other decisions are made by the `RecognitionMachine`.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import trio

from ..._core.liveness.health import FalseAlarms, Health
from ..._core.provider.requests import Change, TranscribeRequest
from ..._core.recognition.input_watch import InputWatch
from ..._core.recognition.link import LinkMachine
from ..._core.recognition.session import RecognitionMachine
from ..._core.retry.causes import Cause, Rollover, Unread
from ...errors import SpeechError
from ...events import LinkLost, Resumed, TranscriptEvent
from ...policy import LivenessPolicy
from ..concurrency.closing_source import closing
from ..concurrency.one_exception import Guard
from ..concurrency.turn import checkpoint_once_in_a_while
from ..connection import Connection, HealthWatch, LinkDown
from ..network.reconnect import delay_after
from ..observability import log
from ..observability.telemetry import Counted, Telemetry
from .backends import RecognizerBackends
from .goodbyes import Goodbyes
from .intake import Intake
from .journal_file import JournalFile
from .link import Link
from .source import AudioSource, WholeSamples, chunks_of
from .stalls import Stalls
from .standby_link import StandbyLink
from .suspicion import Suspicion
from .transcript import Transcript

if TYPE_CHECKING:
    from typing_extensions import Buffer


class RecognitionSession:
    """Runs one session over as many links, and as many backends, as it takes."""

    def __init__(
        self,
        machine: RecognitionMachine,
        backends: RecognizerBackends,
        request: TranscribeRequest,
        liveness: LivenessPolicy,
        telemetry: Telemetry,
    ) -> None:
        self._machine = machine
        self._backends = backends
        self._request = request
        self._liveness = liveness
        self._telemetry = telemetry
        self._loop = trio.CancelScope()
        self._feeding = trio.CancelScope()
        self._ended = trio.Event()
        self._guard: Guard | None = None
        self._input_watch = InputWatch(trio.current_time())
        self._link: LinkMachine | None = None
        self._alarms = FalseAlarms()
        self._lost_at: float | None = None
        self._is_out = False
        self._goodbyes = Goodbyes()
        self._told: Mapping[Counted, float] = {}
        self._intake = Intake(machine)
        self._suspicion = Suspicion(machine, backends, liveness, self._goodbyes, self._intake.link_wakes.fire)
        self.transcript = Transcript(self._intake, change=self._change, measure_final=self._measure_final)

    @property
    def failure(self) -> BaseException | None:
        """The exception that ended the session, or ``None``."""
        return self._guard.failure if self._guard is not None else None

    @property
    def unread(self) -> list[TranscriptEvent]:
        """The events that are still in the queue, oldest first."""
        return self._machine.event_queue.unread

    def keep_journal(self, journal: JournalFile) -> None:
        """Records in `journal` what is captured and delivered. Call it before `start`."""
        self._intake.journal = journal

    def start(self, guard: Guard, source: AudioSource | None) -> None:
        """Starts the session's tasks in the nursery of `guard`."""
        self._guard = guard
        for each in (self._backends, self._goodbyes, self._suspicion):
            each.open(guard)
        guard.start_soon(self._run)
        if self._backends.has_others:
            guard.start_soon(partial(self._backends.watch_for_better, self._better_found))
        if source is not None:
            self._intake.has_source = True
            guard.start_soon(partial(self._feed, source))

    async def leave(self) -> None:
        """Cancels the session's tasks, and waits until its links have said goodbye. The caller bounds the time."""
        self._feeding.cancel(reason="the block was left")
        self._intake.leave()
        self._loop.cancel(reason="the block was left")
        await self._ended.wait()
        await self._goodbyes.wait()

    # ------------------------------------------------------------ the replay task

    async def _feed(self, source: AudioSource) -> None:
        pieces = WholeSamples(self._machine.audio_format)
        with self._feeding:
            try:
                await self._capture_all(source, pieces)
            except trio.ClosedResourceError:
                if not (self._intake.left or self._machine.input_ended):
                    raise  # the source raised it about itself
                return  # the user has ended the input, or is leaving
            pieces.end()
            self._intake.end_input()

    async def _capture_all(self, source: AudioSource, pieces: WholeSamples) -> None:
        if isinstance(source, AsyncIterable):
            async with closing(source):
                async for chunk in source:
                    await self._capture(pieces.of(chunk))
            return
        for chunk in chunks_of(source):
            await self._capture(pieces.of(chunk))

    async def _capture(self, audio: Buffer) -> None:
        if not self._intake.take_in(audio):
            await self._intake.take_in_when_free(audio)
        await checkpoint_once_in_a_while()  # the source itself may never checkpoint

    # ------------------------------------------------------------ the link loop

    async def _run(self) -> None:
        try:
            with self._loop:
                cause = await self._one_link()
                while cause is not None:
                    await trio.sleep(self._delay(cause))
                    while not self._machine.may_open_link:
                        await self._intake.source_wakes.wait()
                    cause = await self._one_link()
                self._intake.finish()
        finally:
            self._suspicion.dismiss()
            self._tell_figures()  # for what changed since the last link
            self._ended.set()

    async def _one_link(self) -> Cause | None:
        """Dials and runs one link; returns why it ended, or ``None`` if all input is accounted for."""
        if self._machine.finished:
            return None
        standby = await self._suspicion.take_standby()
        try:
            connection = await self._backends.connection() if standby is None else standby.connection
        except LinkDown as down:
            return down.cause
        self._intake.endpoint = self._endpoint
        machine = self._link = self._open_machine(connection, standby)
        link = self._intake.link = self._open_link(connection, machine, standby)
        try:
            with self._telemetry.span("link", self._endpoint) as failed:
                cause = await link.run()
                if cause is not None and not isinstance(cause, Rollover):
                    failed(cause)
            return cause
        finally:
            self._link = self._intake.link = None
            self._suspicion.link_ended()
            machine.lost()
            self._tell_figures()
            if link.done:
                self._intake.finish()
            self._goodbyes.start(link.farewell)

    def _open_machine(self, connection: Connection, standby: StandbyLink | None) -> LinkMachine:
        now = trio.current_time()
        self._backends.budget.opened(now)
        machine = LinkMachine(
            self._machine,
            self._backends.provider.profile,
            now,
            patience=self._liveness.send_timeout,
            progress_timeout=self._liveness.progress_timeout,
            opened_at=connection.opened_at,
            standby=None if standby is None else standby.machine,
        )
        if self._lost_at is not None:
            attempt = self._backends.attempt if self._is_out else 0
            resumed = Resumed(machine.replayed, now - self._lost_at, attempt)
            self._machine.event_queue.put(resumed)
            log.resumed(self._endpoint, resumed.downtime, resumed.replayed)
            if self._is_out:  # else the link was replaced on purpose
                self._telemetry.count("reconnects", 1, self._endpoint)
            self._lost_at, self._is_out = None, False
            self._intake.progressed()
        if standby is not None:
            machine.take_over(standby.machine, now)
        return machine

    def _open_link(self, connection: Connection, machine: LinkMachine, standby: StandbyLink | None) -> Link:
        def progressed() -> None:
            self._backends.budget.committed(self._machine.log.committed, trio.current_time())
            self._intake.progressed()
            if machine.retiring:
                self._backends.prepare()

        def end(cause: Cause) -> None:
            link.end(cause)

        link = Link(
            connection,
            self._backends.provider.codec() if standby is None else standby.codec,
            machine,
            liveness=self._liveness,
            wake=self._intake.link_wakes,
            progressed=progressed,
            watch=self._watch(connection, machine),
            stalls=Stalls(self._suspicion, machine, trio.current_time(), end),
            doubted=lambda: self._suspicion.doubts(link.replace),
            is_open=standby is not None,
        )
        return link

    def _watch(self, connection: Connection, machine: LinkMachine) -> HealthWatch:
        def give_up() -> None:
            self._alarms.alarmed(trio.current_time())
            watch.give_up()

        watch = HealthWatch(
            connection,
            Health(self._liveness, connection.opened_at, self._alarms),
            ponged=self._ponged,
            suspected=lambda: self._suspicion.arises(machine, give_up),
            cleared=lambda: self._suspicion.clears(machine),
            busy_until=lambda: machine.busy_until,
        )
        return watch

    def _better_found(self) -> None:
        if self._link is not None:
            self._link.move(trio.current_time())
            self._intake.link_wakes.fire()

    # ------------------------------------------------------------ verdicts

    def _delay(self, cause: Cause) -> float:
        """Returns the seconds until the next dial. Raises the `SpeechError` that ends the session if there is none."""
        now = trio.current_time()
        if self._lost_at is None:
            self._lost_at = now
        if isinstance(cause, Rollover):
            return 0.0
        if isinstance(cause, Unread):  # the user reads too slowly: the service is not at fault, and no attempt is spent
            self._tell_lost(cause, 0.0)
            return 0.0
        self._is_out = True
        if self._suspicion.has_proved:
            self._tell_lost(cause, 0.0)
            return 0.0
        try:
            delay = delay_after(cause, self._backends, self._request.model)
            if self._backends.is_ready or self._suspicion.has_standby:
                delay = 0.0
        except SpeechError as error:
            owed = self._machine.log.owed / self._machine.rate
            if owed:
                error.add_note(f"{owed:.1f} s of audio were not recognized: Transcript.unacknowledged() has them")
            raise
        self._tell_lost(cause, delay)
        return delay

    def _tell_lost(self, cause: Cause, delay: float) -> None:
        self._machine.event_queue.put(LinkLost(str(cause), self._backends.attempt, delay))
        self._intake.progressed()

    # ------------------------------------------------------------ figures

    @property
    def _endpoint(self) -> str:
        return self._backends.provider.endpoint

    def _tell_figures(self) -> None:
        machine, tally = self._machine, self._machine.tally
        figures: Mapping[Counted, float] = {
            "replayed": machine.log.replayed / machine.rate,
            "lost": machine.gaps.total / machine.rate,
            "repeated_words": tally.repeated_words,
            "suspected": tally.suspected,
            "cleared": tally.cleared,
        }
        for name, figure in figures.items():
            self._telemetry.count(name, figure - self._told.get(name, 0.0), self._endpoint)
        self._told = figures

    def _ponged(self, seconds: float) -> None:
        self._telemetry.measure("ping", seconds, self._endpoint)
        if not self._machine.input_ended:
            waited = self._input_watch.long_wait(self._machine.log.captured, trio.current_time())
            if waited is not None:
                log.waits_for_audio(self._endpoint, waited)

    def _measure_final(self, seconds: float) -> None:
        self._telemetry.measure("final_latency", seconds, self._endpoint)

    # ------------------------------------------------------------ changes

    def _change(self, change: Change) -> None:
        request = self._request
        changed = msgspec.structs.replace(
            request,
            language=request.language if change.language is None else change.language,
            options={**request.options, **(change.options or {})},
            keyterms=request.keyterms if change.keyterms is None else change.keyterms,
        )
        self._backends.provider.codec().update(change)  # raises now, in the user's call, if it cannot do this
        providers = self._backends.recognizers(changed)  # and so does this for the other backends
        if self._intake.journal is not None:
            self._intake.journal.changed(changed)
        self._backends.ask(providers)
        self._request = changed
        self._machine.change(change)
        self._suspicion.settings_changed(self._link)
