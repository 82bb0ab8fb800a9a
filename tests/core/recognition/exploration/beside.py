"""A world in which the link may become suspect, and a standby is sent the same audio beside it.

A suspicion is right or wrong: the suspect may speak again at any moment, however late, or not at all. So may the
standby, and whichever speaks first is heard.
"""

from __future__ import annotations

from collections.abc import Callable

from trio_speech._core.recognition.commands import SendAudio
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.standby import Standby
from trio_speech.testing.scripted.account import HeardUtterance
from trio_speech.testing.scripted.grammar import GRAMMAR, Said, sayable

from .service import Service
from .world import TIDY, Action, Case, World

PING_TIMEOUT = 5.0
"""Seconds after which a suspect is dead."""


class TwoLinks(World):
    """A state."""

    def __init__(self, case: Case) -> None:
        self.suspicions = case.suspicions
        self.is_suspect = self.shows_life = False
        self.suspect_until = 0.0
        self.standby: Standby | None = None
        self.beside: Service | None = None
        """The standby's service."""
        self.unheard: list[tuple[str, Said, HeardUtterance | None, float, bool]] = []
        """What that has said so far, as the oracle takes it."""
        super().__init__(case)

    # ------------------------------------------------------------ what may happen

    def actions(self) -> list[Action]:
        """All that may happen now."""
        actions = super().actions()
        if self.done:
            return []
        if self.link is None:
            return [("take over",), *self._captures()] if self.standby is not None else actions
        if self.service is not None and self.service.account.closed:
            return actions
        if self.suspicions and not self.is_suspect:
            actions.append(("suspect",))
        if self.is_suspect:
            actions += [("clear",)] if self.shows_life else [("dead",)]
        if self.is_suspect or self.beside is not None or (self.suspicions and self.link.doubt is not None):
            actions += self._standbys()
        return actions

    def _standbys(self) -> list[Action]:
        if self.beside is None:
            return [("stand by",)]
        rows = [name for name in self.case.rows if name in TIDY and name not in ("end", "early end", "answer")]
        said: list[Action] = [("standby says", *choice) for choice in sayable(self.beside.account, rows)]
        return [*said, ("drop standby",)] if self.faults else said

    def _must(self, service: Service) -> float | None:
        """Nobody must speak while a network may hold it back: how long that may last is bounded."""
        return self.suspect_until if self.is_suspect else super()._must(service)

    @property
    def has_other_timers(self) -> bool:
        """Whether something besides the link's machine will act in time."""
        return self.is_suspect

    # ------------------------------------------------------------ what happens

    def _happenings(self) -> dict[str, Callable[..., object]]:
        return super()._happenings() | {
            "suspect": self._suspect,
            "stand by": self._stand_by,
            "standby says": self._standby_says,
            "drop standby": self._drop_standby,
            "clear": self._clear,
            "dead": self._dead,
            "take over": self._take_over,
        }

    def _suspect(self) -> None:
        assert self.link is not None
        self.suspicions -= 1
        self.is_suspect, self.shows_life = True, False
        self.suspect_until = self.now + PING_TIMEOUT
        self.oracle.news_at = self.now
        self.link.hold()

    def _stand_by(self) -> None:
        self.suspicions -= not self.is_suspect
        self.standby = Standby(self.session, self.case.profile, self.now)
        self.beside = self._new_service()
        self.oracle.faults += 1

    def _say(self, name: str, number: int) -> None:
        super()._say(name, number)
        self.shows_life = True

    def _standby_says(self, name: str, number: int) -> None:
        service, standby = self.beside, self.standby
        assert service is not None
        assert standby is not None
        of = service.account.utterances[number] if service.account.utterances else None
        news = GRAMMAR[name].news and not self.oracle.knows(name, of)
        late = service.late(self.now)
        said = service.say((name, number), self.now, news=news)
        self.unheard.append((name, said, of, late, news))
        standby.receive(said)
        if standby.proved:
            self._give_way()
            if self.standby is not None:
                self._take_over()

    def _give_way(self) -> None:
        assert self.link is not None
        if self.is_suspect or self.link.doubt is None:
            self._dead()
        elif self.link.give_way().cause is None:
            self._finish()
        else:
            self._lost(fault=True)

    def _drop_standby(self) -> None:
        self.faults -= 1
        self._dismiss()

    def _clear(self) -> None:
        assert self.link is not None
        self._dismiss()
        self.is_suspect, self.suspect_until = False, 0.0
        self.oracle.news_at = self.now
        self.link.go_on()

    def _dead(self) -> None:
        self._lost(fault=True)

    def _lost(self, *, fault: bool) -> None:
        super()._lost(fault=fault)
        self.is_suspect, self.suspect_until = False, 0.0
        if self.done or (self.standby is not None and self.standby.is_void):
            self._dismiss()

    def _take_over(self) -> None:
        case, standby = self.case, self.standby
        assert standby is not None
        self.link = LinkMachine(
            self.session,
            case.profile,
            self.now,
            patience=10.0,
            progress_timeout=case.progress_timeout,
            standby=standby,
        )
        self.service = self.beside
        self.oracle.opened()
        for name, said, of, late, news in self.unheard:
            self.oracle.said(name, said, of, self.now, late, news=news)
        self.link.take_over(standby, self.now)
        self._dismiss()

    def _dismiss(self) -> None:
        self.standby = self.beside = None
        self.unheard = []

    def _pump(self) -> None:
        """All that the machines want to do now."""
        super()._pump()
        while self.standby is not None and self.beside is not None:
            start = max(self.standby.sent, self.session.log.kept)
            step = self.standby.next(self.now)
            if not isinstance(step, SendAudio):
                return
            self.oracle.sent(start, self.standby.sent, step.pcm)
            self.beside.hear(step.pcm, self.now)
