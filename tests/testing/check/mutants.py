"""Providers with one small mistake each, which `check_provider` has to find. The mistakes are data: `mutants.toml`."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import msgspec
from msgspec import Struct

import trio_speech as ts
from trio_speech.testing import check_provider

SECRET = "hunter2"
_EXAMPLE = Path(__file__).parents[3] / "examples" / "a_provider_of_your_own.py"
_PROVIDERS = Path(ts.__file__).parent / "providers"
_NUMBERS = count()


class Subject(Struct, frozen=True):
    """One side of a provider: its source, its backend's name there, and what `check_provider` is asked for."""

    source: Path
    backend: str
    side: Literal["recognizer", "voice"]
    asked: Mapping[str, Any] = {}


SUBJECTS = {
    "parrot": Subject(_EXAMPLE, "Parrot", "recognizer"),
    "parrot voice": Subject(_EXAMPLE, "Parrot", "voice"),
    "deepgram": Subject(_PROVIDERS / "deepgram", "Deepgram", "recognizer"),
    "flux": Subject(_PROVIDERS / "deepgram", "Deepgram", "recognizer", {"model": "flux-general-en"}),
    "deepgram voice": Subject(_PROVIDERS / "deepgram", "Deepgram", "voice"),
    "scribe": Subject(_PROVIDERS / "elevenlabs", "ElevenLabs", "recognizer"),
    "eleven voice": Subject(_PROVIDERS / "elevenlabs", "ElevenLabs", "voice", {"voice": "ann"}),
}


class Mutant(Struct, frozen=True):
    """A change in one place: in `file` of the subject's source, `old` becomes `new`, which breaks the law `law`."""

    subject: str
    file: str
    law: str
    old: str
    new: str

    @property
    def name(self) -> str:
        """Shows the change, for the test's id."""
        return f"{self.subject}: {' '.join(self.old.split())} -> {' '.join(self.new.split()) or 'nothing'}"[:120]


def mutants() -> list[Mutant]:
    """Returns the mutants of `mutants.toml`."""
    data = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
    return msgspec.convert(data["mutant"], list[Mutant])


class OneSide:
    """A backend that has lost its other side."""

    def __init__(self, backend: Any, side: str) -> None:
        self._backend = backend
        self._other = "voice" if side == "recognizer" else "recognizer"

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name == self._other else getattr(self._backend, name)

    def __repr__(self) -> str:
        return repr(self._backend)

    def _refuse(self, request: object) -> Any:
        raise ts.ConfigurationError(f"there is no {self._other}")


def check(subject: Subject, source: Path | None = None, **otherwise: Any) -> None:
    """Checks a subject, or what has become of it in `source`."""
    backend = getattr(_loaded(source or subject.source), subject.backend)(SECRET)
    asked = {"wires": _loaded(_EXAMPLE).WIRES, "secrets": [SECRET], "runs": 0, **subject.asked, **otherwise}
    check_provider(OneSide(backend, subject.side), **asked)


def check_mutant(mutant: Mutant, folder: Path, **otherwise: Any) -> None:
    """Checks a subject with the mutant's change. `folder` holds the changed source."""
    subject = SUBJECTS[mutant.subject]
    source = folder / subject.source.name
    if subject.source.is_dir():
        shutil.copytree(subject.source, source, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(subject.source, source)
    changed = source / mutant.file if source.is_dir() else source
    text = changed.read_text()
    if mutant.old not in text:
        raise LookupError(f"{mutant.file} of {mutant.subject} no longer holds {mutant.old!r}")
    changed.write_text(text.replace(mutant.old, mutant.new))
    check(subject, source, **otherwise)


def _loaded(source: Path) -> ModuleType:
    """Imports a file, or a folder of `trio_speech.providers`, under a name of its own."""
    name = f"trio_speech.providers.mutant_{next(_NUMBERS)}"
    path = source / "__init__.py" if source.is_dir() else source
    places = [str(source)] if source.is_dir() else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=places)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with _registered(name, module):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _registered(name: str, module: ModuleType) -> Iterator[None]:
    sys.modules[name] = module
    try:
        yield
    finally:
        for each in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
            del sys.modules[each]
