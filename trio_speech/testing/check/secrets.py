"""Law 4: no repr, address, error or log shows a credential."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from ...errors import SpeechError
from ...providers._codec import Dial
from ..scripted.faults import Close, Drop, InBandError, Refuse
from .laws import Case, demand
from .running import run
from .setup import Setup, Side
from .usual_session import IN_ITS_MIDST, use

_WEBSOCKET = "trio-websocket"
_LOGGER = logging.getLogger("trio_speech")


def check_secrets(setup: Setup, side: Side) -> None:
    """Raises `LawBroken` where a secret appears in a repr, an address, an error or the log, or a dial carries none."""
    secrets, provider = setup.secrets, setup.provider(side)
    _search(secrets, "the repr of the backend", [repr(setup.backend), str(setup.backend)])
    with _logged() as lines:
        dial = run(Case(f"{side}, a handshake"), lambda _: provider.dial())
        _search(secrets, "what a provider shows", _shown(provider, dial))
        sent = f"{dial.headers} {dial.secret_query} {dial.subprotocols}"
        headers = [name for name, _ in dial.headers if name.lower() != "user-agent"]
        carries = any(secret in sent for secret in secrets) or headers or dial.secret_query or dial.subprotocols
        demand(bool(carries) or not secrets, "the dial carries no credential")
        known = [secret for secret in secrets if secret in sent]  # one that only signs is not known to the service
        errors = [error for quoted in (*known, "you") for error in _errors(setup, side, quoted)]
    _search(secrets, "the log", lines)
    _search(secrets, "an error", errors)


def _search(secrets: Sequence[str], where: str, texts: Iterable[str]) -> None:
    for text in texts:
        demand(
            not any(secret in text for secret in secrets), f"{where} shows a secret"
        )  # without the text: it is a log


def _shown(provider: Any, dial: Dial) -> list[str]:
    codec = provider.codec()
    return [repr(provider), provider.endpoint, repr(dial), dial.url, getattr(provider, "url", ""), repr(codec)]


def _errors(setup: Setup, side: Side, quoted: str) -> Iterator[str]:
    """Runs sessions that are refused after a drop, and yields their errors as tracebacks, with all their causes.

    Each time the service says the text `quoted`, as some do with the credential that they refuse.
    """
    why = f"who is {quoted}?"
    for end in (Drop(), Close(1008, why), InBandError(401, why)):
        plan = (IN_ITS_MIDST[side], end, Refuse(401, body=why))
        case = Case(f"{side}, credentials that are refused", plan)
        yield run(case, partial(_refused, setup, side))


async def _refused(setup: Setup, side: Side, case: Case) -> str:
    try:
        async with setup.client(case.plan) as (client, _):
            await use(setup, client, side)
    except SpeechError as error:
        return "".join(traceback.format_exception(error))
    return ""


@contextmanager
def _logged() -> Generator[list[str], None, None]:
    """Yields a list to which each line is added that is logged within the block, by anybody and at every level.

    No other handler gets them: nobody has asked for so many.
    """
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not (record.name == _WEBSOCKET and record.getMessage().startswith("server")):  # the service's side
                lines.append(self.format(record))

    loggers = (logging.getLogger(), _LOGGER)
    before = [(logger, logger.level, logger.handlers) for logger in loggers]
    for logger in loggers:
        logger.handlers = []
        logger.setLevel(logging.DEBUG)
    loggers[0].addHandler(Collector())
    try:
        yield lines
    finally:
        for logger, level, handlers in before:
            logger.handlers = handlers
            logger.setLevel(level)
