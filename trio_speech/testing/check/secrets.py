"""Law 4: no repr, address, error or log shows a credential."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import product

from ...errors import SpeechError
from ...providers._codec import Dial, SttProvider, TtsProvider
from ..scripted.faults import Close, Drop, Hear, InBandError, Refuse, Speak, Step
from ..speech import speech
from .setup import Setup, run

_LOGGER = logging.getLogger("trio_speech")


def check_secrets(setup: Setup, secrets: Sequence[str]) -> None:
    """Raises `AssertionError` where one of `secrets` appears in a repr, an address, an error or the log."""
    _search(secrets, "the repr of the backend", [repr(setup.backend), str(setup.backend)])
    sent = ""
    for provider in (setup.recognizer, setup.speaker):
        if provider is not None:
            dial = run("the handshake of a provider", provider.dial)
            sent += f"{dial.headers} {dial.secret_query} {dial.subprotocols}"
            _search(secrets, "what a provider shows", _shown(provider, dial))
    known = [secret for secret in secrets if secret in sent]  # a secret that only signs is not known to the service
    with _logged() as lines:
        errors = [error for quoted in (*known, "you") for error in _errors(setup, quoted)]
    _search(secrets, "the log", lines)
    _search(secrets, "an error", errors)


def _search(secrets: Sequence[str], where: str, texts: Iterable[str]) -> None:
    for text in texts:
        if any(secret in text for secret in secrets):
            raise AssertionError(f"{where} shows a secret")  # without the text: this message is a log, too


def _shown(provider: SttProvider | TtsProvider, dial: Dial) -> list[str]:
    return [repr(provider), provider.endpoint, repr(dial), dial.url, getattr(provider, "url", "")]


def _errors(setup: Setup, quoted: str) -> Iterator[str]:
    """Runs sessions that are refused after a drop, and yields their errors as tracebacks, with all their causes.

    Each time the service says the text `quoted`, as some do with the credential that they refuse.
    """
    why = f"who is {quoted}?"
    ends: tuple[tuple[Step, ...], ...] = (
        (Drop(), Refuse(401, body=why)),
        (Close(1008, why), Refuse(401, body=why)),
        (InBandError(401, why), Refuse(401, body=why)),
    )

    async def listen(end: tuple[Step, ...]) -> None:
        said = speech(3.0, audio_format=setup.audio_format)
        async with setup.client((Hear(1.0), *end)) as (client, _):
            await client.recognize(said, said.audio_format, **setup.asked.recognition)

    async def speak(end: tuple[Step, ...]) -> None:
        async with setup.client((Speak(0.3), *end)) as (client, _):
            await client.render(
                "One two three.",
                audio_format=setup.speech_format,
                **setup.asked.synthesis,
            )

    for (provider, session), end in product(((setup.recognizer, listen), (setup.speaker, speak)), ends):
        if provider is not None:
            try:
                run("a session whose credentials are refused", partial(session, end))
            except SpeechError as error:
                yield "".join(traceback.format_exception(error))


@contextmanager
def _logged() -> Generator[list[str], None, None]:
    """Yields a list to which each line is added that the library logs within the block, at every level."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    collector, level = Collector(), _LOGGER.level
    _LOGGER.addHandler(collector)
    _LOGGER.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        _LOGGER.removeHandler(collector)
        _LOGGER.setLevel(level)
