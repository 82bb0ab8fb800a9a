"""What a session does while its link is suspect: a second connection stands by, and takes over or is dismissed.

Laws (see also `standby` in the core)
    1. From the suspicion on, the suspect is sent no more audio. If it shows life, it is sent the rest, and the standby
       is dismissed.
    2. A standby that becomes suspect itself is replaced by another. One that the service ends is not, as the next might
       end as soon.
    3. At most one standby exists. It is for the backend and the settings of the moment; where these change, it is
       dismissed.
    4. Where none may be dialed, the suspect goes on until it counts as dead (``ping_timeout``).
    5. A standby is also sent the audio about which a service stays silent although it answers pings, while the link
       waits for the service's own end. It is bounded as all hearing again for doubt is: see `doubts` in the core.
    6. So it is where a service has stalled that answers pings (see `stall_watch` in the core). But the suspect is sent
       audio until the standby is open, and goes on if the standby cannot be dialed, is lost, or brings no new words in
       its time. That counts as a wrong suspicion.
    7. Where the policy bounds how much audio a reconnection may send again (``max_replayed``), no audio is sent beside
       the suspect. It is given up as soon as another connection is open.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import trio
from msgspec import Struct

from ..._core.recognition.link import LinkMachine
from ..._core.recognition.session import RecognitionMachine
from ..._core.recognition.stall_watch import ResultTimes
from ..._core.recognition.standby import Standby
from ..._core.retry.causes import Cause, Silent
from ...policy import LivenessPolicy
from ..concurrency.one_exception import Guard
from .backends import RecognizerBackends
from .goodbyes import Goodbyes
from .standby_link import StandbyLink


class _Case(Struct):
    """One suspicion or doubt. `proved`: to be called when a standby proves better, `instead`: where none can stand by.

    `stalled`: the suspect, where it is suspected of having stalled although it answers pings.
    """

    proved: Callable[[], None]
    instead: Callable[[], None]
    stalled: LinkMachine | None = None


class Suspicion:
    """The suspicions of one session, and the standby of the moment. Call `open` before the first.

    `wake`: makes the link in service look for something to send.
    """

    _guard: Guard

    def __init__(
        self,
        machine: RecognitionMachine,
        backends: RecognizerBackends,
        liveness: LivenessPolicy,
        goodbyes: Goodbyes,
        wake: Callable[[], None],
    ) -> None:
        self._machine = machine
        self._backends = backends
        self._liveness = liveness
        self._goodbyes = goodbyes
        self._wake = wake
        self._standby: StandbyLink | None = None
        self._case: _Case | None = None
        """The suspicion or doubt of the moment; ``None`` where there is none."""
        self.result_times = ResultTimes()

    def open(self, guard: Guard) -> None:
        """Sets the guard whose nursery runs the standby. Call it once."""
        self._guard = guard

    @property
    def has_standby(self) -> bool:
        """Whether a standby is being sent audio."""
        return self._standby is not None

    @property
    def has_proved(self) -> bool:
        """Whether a standby has brought new words, so that the next link costs no dial and no attempt."""
        return self._standby is not None and self._standby.machine.proved

    def arises(self, link: LinkMachine, give_up: Callable[[], None]) -> None:
        """Call when `link` becomes suspect. `give_up` makes it end; it may be called now or later."""
        self._machine.tally.suspected += 1
        if not self._liveness.standby:
            give_up()
            return
        link.hold()
        case = _Case(give_up, give_up)
        if self._standby is None:
            self._dial_beside(case)
        else:  # it was dialed because the service seemed to have stalled
            self._case = case
            self._standby.machine.stay()

    def stalls(self, link: LinkMachine, replace: Callable[[], None]) -> None:
        """Call when the service of `link` says nothing of speech, though it answers pings. `replace` ends the link."""
        machine, liveness = self._machine, self._liveness
        if self._case is not None or not liveness.standby or liveness.progress_timeout is None:
            return
        if machine.policy.max_replayed is None and machine.doubts.may_hear_again(machine.log.sent):
            machine.tally.suspected += 1
            self._dial_beside(_Case(replace, lambda: None, stalled=link))

    def revives(self, link: LinkMachine) -> None:
        """Call when the service of `link`, which seemed to have stalled, says something of the audio again."""
        if self._case is not None and self._case.stalled is link:
            self._was_wrong()
            self.clears(link)

    def doubts(self, replace: Callable[[], None]) -> None:
        """Call when a link is closing because its service was silent about audio (see `doubts` in the core).

        The link waits for the service's own end, and a standby is sent that audio meanwhile. `replace` ends the link.
        """
        upto, doubts = self._machine.log.sent, self._machine.doubts
        if doubts.is_open or not doubts.may_hear_again(upto):
            return  # it was heard twice, or too much was
        if self._liveness.standby and self._standby is None:
            doubts.heard_again(upto)
            self._dial_beside(_Case(replace, lambda: None))

    def clears(self, link: LinkMachine) -> None:
        """Call when the suspect `link` has shown life."""
        self._machine.tally.cleared += 1
        self._case = None
        self._backends.stand_down()
        self._end(link)

    def link_ended(self) -> None:
        """Call when the link is over: a standby that is still being dialed is left to be the next link."""
        self._case = None

    def settings_changed(self, link: LinkMachine | None) -> None:
        """Call when the session's settings change: a standby was opened with the old ones."""
        if self._standby is not None and link is not None:
            self._end(link)

    async def take_standby(self) -> StandbyLink | None:
        """Returns the standby that is to serve as the next link, stopped; ``None`` where there is none that can.

        Cancelling it leaves the standby to be dismissed.
        """
        standby = self._standby
        if standby is not None and self._can_serve(standby) and await standby.hand_over():
            self._standby = None
            return standby
        self.dismiss()
        return None

    def _can_serve(self, standby: StandbyLink) -> bool:
        return standby.provider is self._backends.provider and not standby.machine.is_void

    def dismiss(self) -> None:
        """Closes the standby, if there is one, in the background."""
        standby, self._standby = self._standby, None
        if standby is not None:
            self._goodbyes.start(partial(standby.dismiss, self._liveness.close_timeout))

    def _end(self, link: LinkMachine) -> None:
        self.dismiss()
        link.go_on()
        self._wake()

    def _was_wrong(self) -> None:
        sent = 0 if self._standby is None else self._standby.machine.samples
        self.result_times.was_wrong(trio.current_time(), sent)

    def _dial_beside(self, case: _Case) -> None:
        self._case = case

        def ready() -> None:
            if self._case is not None:  # it may be another by now: this one, and then pings without pongs
                self._stand_by(self._case)

        self._backends.stand_by(ready)

    def _proved(self) -> None:
        if self._case is not None:
            self._case.proved()

    def _stand_by(self, case: _Case) -> None:
        is_bounded = self._machine.policy.max_replayed is not None
        connection = None if is_bounded else self._backends.take_standby()
        if connection is None:
            case.instead()
            return
        within = math.inf
        if case.stalled is not None:
            case.stalled.hold()
            within = self.result_times.for_standby
        provider = self._backends.provider
        self._standby = StandbyLink(
            connection,
            provider,
            Standby(self._machine, provider.profile, trio.current_time(), within=within),
            liveness=self._liveness,
            proved=self._proved,
            ended=self._lost,
        )
        self._guard.start_soon(self._standby.run)

    def _lost(self, standby: StandbyLink, cause: Cause | None) -> None:
        if standby is not self._standby:
            return
        case = self._case
        self._backends.standby_lost(cause)
        if case is not None and case.stalled is not None:
            self.revives(case.stalled)
            return
        self._standby = None
        if case is not None and isinstance(cause, Silent):
            self._dial_beside(case)
