"""Rules that were tried and found wrong, each put back by a few lines, and by which history each is found.

They are kept so that the exploration stays able to find them: it proves nothing that it could not disprove.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from trio_speech._core.recognition import noise
from trio_speech._core.recognition.announcements import Announcements
from trio_speech._core.recognition.commands import EndLink
from trio_speech._core.recognition.evidence import Evidence
from trio_speech._core.recognition.finals_of_link import FinalsOfLink
from trio_speech._core.recognition.incoming_results import IncomingResults
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.noise import NoiseLevel
from trio_speech._core.recognition.reception import Reception
from trio_speech._core.recognition.replay_log import ReplayLog
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech._core.recognition.standby import Standby
from trio_speech.testing.scripted.account import Diction

from .cases import CORE, RICH, case
from .script import Script
from .world import Case


class OldRule(Struct, frozen=True):
    """Where it is put back, where it shows, and which law it breaks there."""

    owner: Any
    name: str
    instead: Any
    case: Callable[[], Case]
    laws: tuple[str, ...]


def _quiet_answers(link: Any, now: float) -> None:
    link._reception.answered(now)
    link._evidence.requests.ended(now)
    link.session.commit(link.session.log.sent)


def _quiet_timers(link: Any) -> Any:
    evidence = link._evidence
    quiet = max(evidence.requests.asked_at, link._awaiting.news_at) + 3.0 if evidence.unanswered else math.inf
    return (*_timers(link), (quiet, partial(_quiet_answers, link)))


_timers = LinkMachine._timers


def _polite_close_settles(link: Any, now: float) -> EndLink:
    link._reception.release(math.inf)
    if link.session.input_ended:
        link.session.commit(link.session.log.captured)
    link._over = EndLink() if link.session.finished else EndLink(link._awaiting.closing)
    return link._over


def _second_close_gives_up(session: Any, asked: Any) -> None:
    if session.tally.links > 1:
        session.give_up(session.log.committed, session.log.sent, "unanswered")
    _link_lost(session, asked)


_link_lost = RecognitionMachine.link_lost


def _spans_settle_all_before(evidence: Any) -> int:
    return evidence._spanned


def _answers_settle_all_before(evidence: Any) -> int:
    return evidence.requests.answered


def _any_final_answers_for_all(announcements: Any, *_: object, **__: object) -> None:
    announcements._owed.clear()


def _text_is_identity(results: Any, result: Any) -> Any:
    judged = _judge(results, result)
    if result.kind != "final" or not result.text:
        return judged
    seen = results.__dict__.setdefault("_texts", [])
    repeats = result.text in seen
    seen.append(result.text)
    return replace(judged, repeats_final=judged.repeats_final or repeats)


_judge = IncomingResults.judge


def _nothing(*_: object, **__: object) -> None:
    return None


def _never(*_: object, **__: object) -> bool:
    return False


def _all_new(finals: Any, result: Any) -> list[bool]:
    return [False] * len(result.words)


def _stays(log: Any, _: int) -> int:
    return log.sent


def _one_span_for_all(announcements: Any, before: int) -> list[tuple[int, int]]:
    spans = _words(announcements, before)
    return [(spans[0][0], spans[-1][1])] if spans else []


_words = Announcements.words


def _one(kind: str, *rows: str, **changes: Any) -> Callable[[], Case]:
    return lambda: case(kind, (1,), rows=(*CORE, *rows), **changes)


def _two(kind: str, *rows: str, **changes: Any) -> Callable[[], Case]:
    return lambda: case(kind, (1, 1), rows=(*CORE, *rows), **changes)


def _forgets_while_it_holds(reception: Any, result: Any, now: float) -> None:
    known, held = deepcopy(reception._results._finals), reception._held.first
    _final(reception, result, now)
    if reception._held.first != held:
        reception._results._finals = known


_final = Reception._final


def _crossed(kind: str) -> Case:
    return case(kind, (1, 1), rows=("interim", "crossed final", "final", "early end"))


def _held() -> Case:
    return case("span", (0, 1), rows=("onset of nothing", "final", "doubled final"), faults=0, liberties=2)


def _whisper() -> Case:
    return case("span", (1,), script=Script((1,), level=900))


def _alike() -> Case:
    return case("span, no word times", (1, 1), diction=Diction(word_times=False), faults=0)


OLD_RULES: Mapping[str, OldRule] = {
    "quiet answers a request": OldRule(LinkMachine, "_timers", _quiet_timers, _one("span"), ("lost",)),
    "a polite close settles all": OldRule(
        LinkMachine, "_ended", _polite_close_settles, _one("span, no finalize"), ("lost",)
    ),
    "the second close gives up": OldRule(
        RecognitionMachine, "link_lost", _second_close_gives_up, _one("span", faults=2), ("gap",)
    ),
    "what peaks below 1,024 is silence": OldRule(noise, "FAINTEST", 1_024, _whisper, ("lost",)),
    "nothing sounds like speech": OldRule(NoiseLevel, "first_speech", _nothing, _one("span"), ("lost",)),
    "a span settles all before it": OldRule(Evidence, "_by_spans", _spans_settle_all_before, _two("span"), ("lost",)),
    "an answer settles all before it": OldRule(
        Evidence, "_by_answers", _answers_settle_all_before, _one("span"), ("lost",)
    ),
    "any final answers for all that was announced": OldRule(
        Announcements, "final", _any_final_answers_for_all, _two("untrusted, no times"), ("lost", "old news")
    ),
    "text alone is identity": OldRule(IncomingResults, "judge", _text_is_identity, _two("span", faults=0), ("lost",)),
    "words are new whenever they come on one link": OldRule(
        FinalsOfLink, "words_in", _all_new, _two("span", "restated final", faults=0), ("doubled",)
    ),
    "identity counts for nothing": OldRule(
        FinalsOfLink,
        "repeated_by",
        _never,
        _one("span, no word times", "doubled final", faults=0),
        ("doubled", "speech state"),
    ),
    "interims are always news": OldRule(
        IncomingResults, "is_old_interim", _never, _one("span", "late interim", faults=0), ("old news", "speech state")
    ),
    "finals come as they come": OldRule(Announcements, "waits_before", _never, _two("span", faults=0), ("order",)),
    "an empty interim takes nothing back": OldRule(
        Announcements,
        "taken_back",
        _never,
        lambda: case("span, no finalize", (0,), rows=RICH, faults=0, liberties=3),
        ("speech state", "gap", "wait"),
    ),
    "a new link hears only what is new": OldRule(ReplayLog, "rewind", _stays, _one("span"), ("lost",)),
    "speech goes on when the stream is over": OldRule(
        RecognitionMachine, "_end_speech", _nothing, _one("span", faults=0), ("speech state",)
    ),
    "only what was delivered is remembered": OldRule(Reception, "_final", _forgets_while_it_holds, _held, ("doubled",)),
    "a final that comes again ends whatever is spoken": OldRule(
        Reception, "_leaves_speech_before", _never, lambda: _crossed("span"), ("speech state",)
    ),
    "what another link made final is news without word times": OldRule(
        IncomingResults, "_was_final", _never, lambda: _crossed("span, no word times"), ("speech state", "old news")
    ),
    "the pause between two utterances shown is a word": OldRule(
        Announcements, "words", _one_span_for_all, lambda: _crossed("span, no finalize"), ("gap",)
    ),
    "a standby may take over though the suspect has spoken": OldRule(
        Standby, "is_void", False, _one("untrusted, billed", suspicions=1), ("speech state", "doubled")
    ),
}
