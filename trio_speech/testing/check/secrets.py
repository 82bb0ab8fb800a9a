"""Law 4: no repr, address, error or log shows a credential."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager

from ...errors import SpeechError
from ...providers._codec import SttProvider, TtsProvider
from ..scripted.faults import Drop, Hear, Refuse, Speak
from ..speech import speech
from .setup import Setup, run

_LOGGER = logging.getLogger("trio_speech")


def check_secrets(setup: Setup, secrets: Sequence[str]) -> None:
    """Raises `AssertionError` where one of `secrets` appears in a repr, an address, an error or the log."""
    _search(secrets, "the repr of the backend", [repr(setup.backend), str(setup.backend)])
    for provider in (setup.recognizer, setup.speaker):
        if provider is not None:
            _search(secrets, "what a provider shows", _shown(provider))
    with _logged() as lines:
        errors = list(_errors(setup))
    _search(secrets, "the log", lines)
    _search(secrets, "an error", errors)


def _search(secrets: Sequence[str], where: str, texts: Iterable[str]) -> None:
    for text in texts:
        if any(secret in text for secret in secrets):
            raise AssertionError(f"{where} shows a secret")  # without the text: this message is a log, too


def _shown(provider: SttProvider | TtsProvider) -> list[str]:
    async def dial() -> str:
        made = await provider.dial()
        return f"{made!r} {made.url}"

    shown = [repr(provider), provider.endpoint, run("the handshake of a provider", dial)]
    return [*shown, getattr(provider, "url", "")]


def _errors(setup: Setup) -> Iterator[str]:
    """Runs sessions that are refused after a drop, and yields their errors as tracebacks, with all their causes."""

    async def listen() -> None:
        said = speech(3.0, audio_format=setup.audio_format)
        async with setup.client((Hear(1.0), Drop(), Refuse(401, body="who are you?"))) as (client, _):
            await client.recognize(said, said.audio_format, **setup.asked.recognition)

    async def speak() -> None:
        async with setup.client((Speak(0.3), Drop(), Refuse(401, body="who are you?"))) as (client, _):
            await client.render(
                "One two three.",
                audio_format=setup.speech_format,
                **setup.asked.synthesis,
            )

    for provider, session in ((setup.recognizer, listen), (setup.speaker, speak)):
        if provider is not None:
            try:
                run("a session whose credentials are refused", session)
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
