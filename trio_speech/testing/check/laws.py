"""The laws of `check_provider`, and the error that reports a breach of one.

A *case* is one session, or one question to the codec, in which a law is checked. Its *history* is the plan of faults
that the scripted gateway follows in it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

from msgspec import Struct

from ..scripted.faults import Step

Progress: TypeAlias = Callable[[str], object]
"""Is called with one line of text at the beginning of each part of the check."""


class Law(Struct, frozen=True):
    """A law: its number and name in the docstring of `check_provider`, what it says, and what to do about a breach."""

    number: int
    name: str
    says: str
    advice: str

    def __str__(self) -> str:
        return f"law {self.number}, {self.name}"


SESSIONS = Law(
    1,
    "sessions",
    "each word is recognized, or spoken, exactly once, and every session ends",
    "compare acknowledges, exact_times, drift and ordered in the profile with what the service promises, and the times "
    "of the codec's messages with law 1 of SttCodec",
)
ENDS = Law(
    1,
    "sessions",
    "every session ends, and none is busy without end",
    "look for a message that the session waits for (Opened, FinalizeAnswered, Closed, Done), and the codec keeps back, "
    "or for a duration in the profile that is 0 or tiny",
)
PROFILE = Law(
    2,
    "profile",
    "the backend and its codec do what the profile says",
    "change the profile, or give the codec the message that it lacks",
)
CODEC = Law(
    3,
    "codec",
    "decode makes possible messages of any frame, or raises ProtocolError",
    "decode by TaggedUnion or msgspec, give what is unknown as Unknown, and keep times at 0 or above",
)
SECRETS = Law(
    4,
    "secrets",
    "no repr, address, error or log shows a credential, and each dial carries one",
    "leave the credential out of the repr, send it by Dial.headers, Dial.secret_query or Dial.subprotocols, and never "
    "log it",
)
ORDER = Law(
    5,
    "order",
    "what the codec says over a session agrees with what it was asked and with what the service said",
    "compare decode with the laws of SttCodec or TtsCodec",
)
REQUESTS = Law(
    6,
    "requests",
    "what a session asks for reaches the service, or is refused with ConfigurationError",
    "send the argument, or refuse it (see refuse_unused); name in pool_key all that the connection was opened with",
)
PAUSES = Law(
    7,
    "pauses",
    "a connection lives through a pause",
    "set keepalive in the profile to less than the service's limit, and compare the codec's keepalive() with its "
    "protocol",
)
FATES = Law(
    8,
    "fates",
    "an error of the service is retried if and only if another connection may succeed",
    "give the service's code and message in Failure, and name in failure_fates, close_fates or close_reason_fates what "
    "differs from HTTP's meaning",
)


class Case(Struct, frozen=True):
    """A case: its name, the plan of faults, and the seed from which the speech and all waits are drawn."""

    name: str
    plan: tuple[Step, ...] = ()
    seed: int = 0


class LawBroken(AssertionError):
    """A law is broken. Its text names the law, the case with its seed and its shortest history, and what to do.

    Raise it without a case within `running.run`, which adds the case; without a law, the law is the one being checked.
    """

    def __init__(self, problem: str, law: Law | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.law = law
        self.case: Case | None = None
        self.steps = 0
        """How many steps the history had before it was shortened."""

    def __str__(self) -> str:
        lines = [f"broken: {self.law}: {self.law.says}"] if self.law else []
        if self.case is not None:
            lines += [f"case: {self.case.name} (seed {self.case.seed})", f"history: {self._history(self.case)}"]
        lines.append(f"problem: {self.problem}")
        if self.law is not None:
            lines.append(f"what to do: {self.law.advice}")
        return "\n".join(lines)

    def _history(self, case: Case) -> str:
        if not case.plan:
            return "no fault is needed"
        shortened = f" (the shortest that fails, of {self.steps} steps)" if len(case.plan) < self.steps else ""
        return f"gateway.plan({', '.join(map(repr, case.plan))}){shortened}"


def demand(kept: bool, problem: str, law: Law | None = None) -> None:  # as `assert` takes it
    """Raises `LawBroken` with `problem` unless `kept` is true."""
    if not kept:
        raise LawBroken(problem, law)


def session_failed(error: Exception) -> LawBroken:
    """Returns the breach for a session that raised `error`: the one that a codec was caught at, or a new one."""
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    found = next((cause for cause in causes if isinstance(cause, LawBroken)), None)
    because = f", because of {causes[-1]!r}" if len(causes) > 1 else ""
    return found or LawBroken(f"the session ended with an error: {error}{because}")


@contextmanager
def checked(law: Law, what: str, progress: Progress) -> Generator[None, None, None]:
    """Reports that `law` is checked for `what`. A breach within the block that names no law is one of `law`."""
    progress(f"{law}: {what}")
    try:
        yield
    except LawBroken as broken:
        broken.law = broken.law or law
        raise
