"""One state of an exploration: session, link machine, the service at its other end, the user, the clock and the oracle.

An action is what may happen next; `World.actions` lists them all, and `World.act` lets one happen. Time passes only to
the next capture or to the machine's next deadline, and "a message just before the deadline" is an action of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.provider.requests import Change
from trio_speech._core.recognition.commands import EndLink, SendAudio, SendChange, SendFinalize, SendKeepalive, Wait
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech.policy import ReplayPolicy
from trio_speech.testing.scripted.account import Diction
from trio_speech.testing.scripted.grammar import GRAMMAR, Choice, sayable

from .ledger import close_frame
from .oracle import Oracle, Violation
from .script import FORMAT, RATE, Script
from .service import Pace, Service, is_end

EPOCH = 1_000_000.0
"""So late that every moment is told from every duration by its size."""
JUST = 1e-7
"""Seconds before a deadline at which a message comes just before it: so few that no state differs by them."""
TICK = 1e-5
"""Two moments that are closer are one: a deadline and the moment before which a service must speak may coincide."""
SPINS = 200
MUTE = 15.0
"""Seconds for which a user who mutes captures nothing."""

Action: TypeAlias = tuple[str, *tuple[object, ...]]


class Case(Struct, frozen=True, kw_only=True):
    """What is explored: a service and what its profile says of it, what is spoken, and what may happen."""

    name: str
    profile: SttProfile
    diction: Diction = Diction()
    script: Script
    rows: tuple[str, ...]
    """Of the grammar, those that the service may take."""
    user: tuple[str, ...] = ()
    """What the user may do besides capturing and ending the input: read, finalize, update, mute."""
    faults: int = 1
    """Drops and ends that nobody asked for, all together."""
    same: bool = True
    """All words are alike, where times can tell them apart."""
    pace: Pace = Pace()
    policy: ReplayPolicy = ReplayPolicy()
    progress_timeout: float | None = 60.0
    drift: float = 0.0
    """By how many seconds times are off: late on one link, early on the next."""
    suspicions: int = 0
    """How often the link may become suspect: see `beside`."""
    liberties: float = float("inf")
    """How often the service may take a row that is not in `TIDY`."""

    def __str__(self) -> str:
        return self.name


ONCE = ("finalize", "update", "mute")
TIDY = frozenset({"onset", "interim", "final", "answer", "end", "early end", "watermark", "speech over"})


class World:
    """A state."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.now = EPOCH
        self.session = RecognitionMachine(FORMAT, case.policy)
        self.link: LinkMachine | None = None
        self.service: Service | None = None
        self.oracle = Oracle(case.script, case.profile, case.diction, EPOCH)
        self.faults = case.faults
        self.liberties = case.liberties
        self.has_lied = False
        """Whether a service has answered the close message although it owed something."""
        self.chunk = 0
        self.next_capture: float = EPOCH
        self.deadline: float | None = None
        self.done = False
        self.used: set[str] = set()
        """What the user has done that is done once."""
        self._dial()

    # ------------------------------------------------------------ what may happen

    def actions(self) -> list[Action]:
        """All that may happen now."""
        if self.done:
            return []
        if self.link is None:
            return [("dial",), *self._captures()]
        assert self.service is not None
        sayable = self._sayable(self.service)
        actions: list[Action] = [("say", *choice) for choice in sayable]
        if self.service.account.closed:
            return [("close frame",)]
        if self.faults:
            actions.append(("drop",))
            if "early end" in self.case.rows and self._may_end_early(self.service):
                actions.append(("early close frame",))
        actions += self._time(self.service)
        actions += self._users()
        return actions

    def _sayable(self, service: Service) -> list[Choice]:
        rows = [
            name
            for name in self.case.rows
            if (name in TIDY or self.liberties > 0) and (name != "early end" or self._may_end_early(service))
        ]
        if self.case.profile.acknowledges == "finalize" and service.would_mislead:
            rows = [name for name in rows if name != "answer"]  # see docs/explanation/law.md: where exactness ends
        return sayable(service.account, rows)

    def _may_end_early(self, service: Service) -> bool:
        """Once at most after the close message: ending then answers it, and no truthful service lies twice.

        Nor where one final without a place may have been of two sentences: see docs/explanation/law.md.
        """
        if not self.faults or service.account.leaving is None:
            return self.faults > 0
        return not (self.has_lied or (self.case.profile.acknowledges == "finalize" and service.would_mislead))

    def _captures(self) -> list[Action]:
        return [("capture",)] if self.chunk < len(self.case.script.chunks) else []

    def _users(self) -> list[Action]:
        actions: list[Action] = []
        more = self.chunk < len(self.case.script.chunks)
        if not more and not self.session.input_ended:
            actions.append(("end input",))
        if "read" in self.case.user and len(self.session.event_queue):
            actions.append(("read",))
        if more:
            actions += [(what,) for what in ONCE if what in self.case.user and what not in self.used]
        return actions

    def _time(self, service: Service) -> list[Action]:
        """Passing time: to the next capture, or to the deadline if it comes first; never past what is owed."""
        must = self._must(service)
        more = self.chunk < len(self.case.script.chunks)
        capture = max(self.next_capture, self.now) if more else None
        deadline = self.deadline
        actions: list[Action] = []
        if capture is not None and (deadline is None or capture <= deadline):
            return [("capture",)] if must is None or capture < must - TICK / 2 else []
        if deadline is None:
            return []
        just = max(self.now, deadline - JUST)
        if just > self.now + TICK / 2 and (must is None or deadline < must + TICK / 2):
            actions += [("just before", *choice) for choice in self._sayable(service)]
        if must is None or deadline < must - TICK / 2:
            actions.append(("pass",))
        return actions

    def _must(self, service: Service) -> float | None:
        """The moment before which somebody must say something."""
        return service.due

    @property
    def has_other_timers(self) -> bool:
        """Whether something besides the link's machine will act in time."""
        return False

    # ------------------------------------------------------------ what happens

    def act(self, action: Action) -> None:
        """Lets it happen, and what follows from it at once. Raises `Violation`."""
        kind, *choice = action
        if kind in ONCE:
            self.used.add(str(kind))
        self._happenings()[str(kind)](*choice)
        self._pump()
        if "read" not in self.case.user:
            self._read()
        self.oracle.check(self)
        if self.service is not None:
            self.service.forget(self.now + TICK / 2)

    def _happenings(self) -> dict[str, Callable[..., object]]:
        return {
            "dial": self._dial,
            "capture": self._capture,
            "say": self._say,
            "just before": self._say_just_before,
            "pass": self._pass,
            "drop": self._drop,
            "early close frame": self._drop_politely,
            "close frame": self._close_frame,
            "end input": self._end_input,
            "finalize": self.session.finalize,
            "update": self._update,
            "mute": self._mute,
            "read": self._read,
        }

    def _say_just_before(self, name: str, number: int) -> None:
        assert self.deadline is not None
        self.now = max(self.now, self.deadline - JUST)
        self._say(name, number)

    def _pass(self) -> None:
        assert self.deadline is not None
        self.now = self.deadline

    def _drop(self) -> None:
        self.faults -= 1
        self._lost(fault=True)

    def _drop_politely(self) -> None:
        assert self.service is not None
        self.faults -= 1
        self.has_lied |= self.service.account.leaving is not None
        self._close_frame(fault=True)

    def _end_input(self) -> None:
        self.session.end_input()
        self.oracle.ended(self.now)

    def _update(self) -> None:
        self.session.change(Change(language="de"))

    def _mute(self) -> None:
        self.next_capture = self.now + MUTE

    def _dial(self) -> None:
        case = self.case
        self.link = LinkMachine(
            self.session, case.profile, self.now, patience=10.0, progress_timeout=case.progress_timeout
        )
        self.service = self._new_service()
        self.oracle.opened()

    def _new_service(self) -> Service:
        case, itself = self.case, self.case.profile.finalizes_itself
        service = Service(case.script, case.diction, case.pace, self.now, itself=itself, same=case.same)
        service.drift = -case.drift if self.oracle.links % 2 else case.drift
        return service

    def _capture(self) -> None:
        chunk = self.case.script.chunks[self.chunk]
        self.now = max(self.now, self.next_capture)
        self.session.capture(chunk)
        self.chunk += 1
        self.next_capture = self.now + len(chunk) / 2 / RATE if self.chunk < len(self.case.script.chunks) else 0.0

    def _say(self, name: str, number: int) -> None:
        service, link = self.service, self.link
        assert service is not None
        assert link is not None
        self.liberties -= name not in TIDY
        early = name == "early end" and not sayable(service.account, ("end",))
        self.faults -= early
        self.has_lied |= early and service.account.leaving is not None
        of = service.account.utterances[number] if service.account.utterances else None
        news = GRAMMAR[name].news and not self.oracle.knows(name, of)
        late = service.late(self.now)
        said = service.say((name, number), self.now, news=news)
        self.oracle.said(name, said, of, self.now, late, news=news)
        cause = link.receive(said, self.now)
        self.oracle.note(cause)
        if cause is not None:
            self._lost(fault=early)
        elif is_end(said):
            self._pump()
            if self.link is not None:
                self._close_frame(fault=early)

    def _close_frame(self, *, fault: bool = False) -> None:
        assert self.link is not None
        if close_frame(self.link, 1000, self.now):
            self._finish()
        else:
            self._lost(fault=fault)

    def _lost(self, *, fault: bool) -> None:
        assert self.link is not None
        self.link.lost()
        self.link = self.service = self.deadline = None
        self.oracle.lost(fault=fault, now=self.now)
        if self.session.finished:
            self._finish()

    def _finish(self) -> None:
        """The session is at its end, by its own word."""
        if self.link is not None:
            self.link.lost()
        self.link = self.service = self.deadline = None
        self.done = True
        self.session.end()
        self._read()
        self.oracle.finished(self)

    def _read(self) -> None:
        while len(self.session.event_queue):
            self.oracle.told(self.session.take(), self.now)

    def _pump(self) -> None:
        """All that the machine wants to do now."""
        for _ in range(SPINS):
            if self.link is None:
                return
            assert self.service is not None
            step = self.link.next(self.now)
            self.oracle.note(step)
            match step:
                case SendAudio(pcm):
                    sent = self.session.log.sent
                    self.oracle.sent(sent - len(pcm) // 2, sent, pcm)
                    self.service.hear(pcm, self.now)
                case SendFinalize():
                    self.oracle.asked(self.session.log.sent)
                    self.service.finalize(self.now)
                case SendChange() | SendKeepalive():
                    pass
                case EndLink(cause):
                    if cause is None:
                        self._finish()
                    else:
                        self._lost(fault=False)
                    return
                case Wait(until):
                    self.deadline = until
                    if until is not None and until <= self.now:
                        raise Violation("spins", f"it waits until {until - EPOCH:.3f}, which is not later than now")
                    return
                case _ if type(step).__name__ == "SendClose":
                    self.service.leave(self.now)
                case _:
                    raise AssertionError(step)
        raise Violation("spins", "two hundred commands without a pause")


def with_profile(case: Case, **changes: object) -> Case:
    return replace(case, profile=replace(case.profile, **changes))
