"""Imports go down only, and a name stands in one place. The rules are data; the tests read the installed package."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from .imports import MODULES, ROOT, imports, inner_imports, source_of, within

LEAVES = {"events", "errors", "audio", "policy", "statistics"}
CORE = LEAVES | {"_core.liveness", "_core.provider", "_core.retry"}
SHELL = CORE | {"providers", "_shell.concurrency", "_shell.observability", "_shell.connection", "_shell.network"}

# What each room may import of the package; every room may import itself. "" is the face, the package's `__init__`.
# Recognition and synthesis are neighbors: no import runs between them. What both need has a room below them.
MAY_IMPORT: dict[str, set[str]] = {
    "statistics": set(),
    "errors": set(),
    "audio": {"errors"},
    "audio.captions": {"audio", "events"},
    "policy": {"errors"},
    "events": {"audio"},
    "_core": set(),
    "_core.liveness": LEAVES,
    "_core.provider": LEAVES,
    "_core.retry": LEAVES | {"_core.provider"},
    "_core.pool": CORE,
    "_core.recognition": CORE,
    "_core.synthesis": CORE,
    "providers": LEAVES | {"_core.provider"},
    "provider": LEAVES | {"_core.provider", "providers"},  # only users and bulk import it
    "_shell": set(),
    "_shell.concurrency": {"errors"},
    "_shell.observability": LEAVES | {"_core.retry"},
    "_shell.connection": CORE | {"_shell.concurrency"},
    "_shell.network": SHELL - {"_shell.network"},
    "_shell.pool": SHELL | {"_core.pool"},
    "_shell.recognition": SHELL | {"_core.recognition"},
    "_shell.synthesis": SHELL | {"_core.synthesis", "_shell.pool"},
    "_shell.client": SHELL | {"_shell.pool", "_shell.recognition", "_shell.synthesis"},
    "": LEAVES | {"_core", "providers", "_shell"},
    "gateway": LEAVES | {"_core", "providers", "_shell.connection", "_shell.concurrency"},
    "testing": LEAVES | {"_core", "providers", "_shell", ""},
    "bulk": LEAVES | {"", "provider", "_core.recognition.recognition_builder"},
    "__main__": {"cli"},
    "cli": {
        "",
        "provider",
        "bulk",
        "audio",
        "gateway",
        "_shell.concurrency",
        "providers._handshake",
        "testing.fault_proxy",
    }
    | {"_core.recognition.recognition_builder"},
}
# Imports inside a function or for typing, so that only those pay who use them. They may go up: (module, what it may
# import so).
LAZY = {("providers.local", "gateway"), ("errors", "events")}

MODULES_OF_THE_FACE = 156
"""What `import trio_speech` loads of the package, at most: each module takes half a millisecond."""

# Third parties that only the named rooms or modules may import; everyone may import the rest.
RESERVED: dict[str, set[str]] = {
    "trio_websocket": {"_shell.connection"},
    "wsproto": {"_shell.connection"},
    "h11": {"_shell.connection"},
    "trio": {"_shell", "gateway", "testing", "bulk", "cli", "audio.files", "audio.opening"},
    "pytest": {"testing"},
    "hypothesis": {"testing"},
    "typer": {"cli"},
    "rich": {"cli"},
    "soundfile": {"audio"},
    "soxr": {"audio"},
    "av": {"audio"},
    "numpy": {"audio", "gateway"},
    "distributed": {"bulk.dask_scheduler", "bulk.dask_worker", "bulk.dask_dispatch", "bulk.dask_client"},
    "fsspec": {"bulk.remote"},
    "hibari": {"gateway"},
    "onnxruntime": {"gateway"},
    "pocketsphinx": {"gateway"},
    "espeakng_loader": {"gateway"},
}

# A wire protocol has names of its own, which its messages keep: these modules may repeat a class name.
WIRE_MESSAGES = {
    "providers.cartesia.wire",
    "providers.deepgram.flux_wire",
    "providers.deepgram.speak_wire",
    "providers.elevenlabs.wire",
    "providers.deepgram.wire",
    "providers.livekit.wire",
    "testing.scripted.wires.deepgram_flux",
    "providers.openai.wire",
    "testing.scripted.wires.deepgram_messages",
    "testing.scripted.wires.elevenlabs",
    "testing.scripted.wires.openai_messages",
}

LONG = 250
# The files that are longer, each with its reason.
LONGER: dict[str, str] = {
    "events": "all that a session tells, each with its fields described",
    "policy": "all that a client can be set to, each field described",
    "_core.pool.roster": "one table of decisions, whose laws hold together",
    "_core.recognition.incoming_results": "tells what is old: one judgment over seams, words and spans",
    "_core.recognition.link": "the machine of a link: one table of what it sends, and when it wakes",
    "_core.recognition.reception": "what each message means for the session, one method each",
    "_core.recognition.session": "the machine of a session: it holds the ledger's law over all of its parts",
    "_core.synthesis.session": "the machine of a synthesis: its cursors move together",
    "_shell.pool.pool": "carries out the roster's actions, one method each",
    "_shell.recognition.session": "the replay task and the link loop, in one nursery",
    "providers.livekit.wire": "all messages of both endpoints, one struct each",
    "testing.streams": "both ends of one broken wire",
}


def room_of(module: str) -> str:
    """The narrowest room with rules in which `module` stands."""
    return max((room for room in MAY_IMPORT if within(module, room)), key=len)


def forbidden(module: str) -> Iterator[str]:
    """The imports of `module` that its rules do not allow."""
    room = room_of(module)
    for inner, found in inner_imports(module):
        allowed = MAY_IMPORT[room] | {room}
        if found.in_function or found.for_typing:
            allowed = allowed | {target for importer, target in LAZY if importer == module}
        if not any(within(inner, target) for target in allowed):
            yield found.name
    for found in imports(module):
        top = found.name.partition(".")[0]
        if top in RESERVED and not found.for_typing and not any(within(module, reserved) for reserved in RESERVED[top]):
            yield found.name


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_only(module: str) -> None:
    assert sorted(forbidden(module)) == []


def test_every_module_has_its_rules() -> None:
    assert [module for module in MODULES if not any(within(module, room) for room in MAY_IMPORT)] == []


def test_the_rules_go_round_in_no_circle() -> None:
    TopologicalSorter({room: targets - {room} for room, targets in MAY_IMPORT.items()}).prepare()


def test_modules_import_one_another_in_no_circle() -> None:
    eager = {
        module: {inner for inner, found in inner_imports(module) if not found.in_function and not found.for_typing}
        for module in MODULES
    }
    TopologicalSorter(eager).prepare()


@pytest.mark.parametrize("storey", ["_core", "_shell"])
def test_the_rules_keep_recognition_and_synthesis_apart(storey: str) -> None:
    recognition, synthesis = f"{storey}.recognition", f"{storey}.synthesis"
    for here, there in ((recognition, synthesis), (synthesis, recognition)):
        assert not any(within(target, there) or within(there, target) for target in MAY_IMPORT[here])


def test_a_provider_imports_no_other_provider() -> None:
    shared = {module for module in MODULES if module.startswith("providers._")}
    across = {
        (room, ".".join(inner.split(".")[:2]))
        for module in MODULES
        for inner, _ in inner_imports(module)
        if within(module, "providers") and within(inner, "providers") and not {module, inner} & (shared | {"providers"})
        if (room := ".".join(module.split(".")[:2])) != ".".join(inner.split(".")[:2])
    }
    assert across == {("providers.local", "providers.livekit")}  # the embedded gateway speaks LiveKit's protocol


def test_the_walk_sees_relative_and_absolute_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "import trio_websocket.x\nfrom ..providers import livekit\nfrom .. import cli\ndef f():\n import trio\n"
    path = tmp_path / "bad.py"
    path.write_text(source, encoding="utf-8")
    monkeypatch.setitem(MODULES, "_core.bad", path)
    assert sorted(forbidden("_core.bad")) == [
        "trio",
        "trio_speech.cli",
        "trio_speech.providers.livekit",
        "trio_websocket.x",
    ]


def test_a_class_name_is_defined_once() -> None:
    definitions: dict[str, list[str]] = defaultdict(list)
    for module in MODULES.keys() - WIRE_MESSAGES:
        for node in ast.walk(source_of(module)):
            if isinstance(node, ast.ClassDef):
                definitions[node.name].append(module)
    assert {name: sorted(modules) for name, modules in definitions.items() if len(modules) > 1} == {}


def test_a_file_is_long_only_for_a_reason() -> None:
    lines = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}
    assert {module: count for module, count in lines.items() if count > LONG and module not in LONGER} == {}


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter holds after `statement`."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_the_core_loads_no_trio() -> None:
    # The face stands above the core and needs trio: a bare package in its place lets the core be loaded alone.
    bare = f"import sys, types; face = types.ModuleType('trio_speech'); face.__path__ = [{str(ROOT)!r}]\n"
    core = sorted(f"trio_speech.{module}" for module in MODULES if within(module, "_core"))
    loaded = loaded_by(f"{bare}sys.modules['trio_speech'] = face\nimport {', '.join(core)}")
    assert set(core) <= loaded
    assert not {name for name in loaded if name.partition(".")[0] in {"trio", "trio_websocket", "wsproto", "outcome"}}


def test_the_face_loads_no_extra() -> None:
    loaded = loaded_by("import trio_speech")
    rooms = {"gateway", "cli", "testing"}
    assert not {name for name in loaded for room in rooms if within(name, f"trio_speech.{room}")}
    assert not loaded & (RESERVED.keys() - {"trio", "trio_websocket", "wsproto", "h11"})


def test_the_face_loads_a_backend_only_when_it_is_named() -> None:
    shared = {"trio_speech.providers", "trio_speech.providers._codec", "trio_speech.providers._handshake"}
    loaded = loaded_by("import trio_speech")
    assert {name for name in loaded if within(name, "trio_speech.providers")} == shared
    named = loaded_by("from trio_speech import Deepgram") - loaded
    assert "trio_speech.providers.deepgram.backend" in named
    assert not {
        name for name in named if name.startswith(("trio_speech.providers.livekit", "trio_speech.providers.openai"))
    }


def test_an_import_of_the_face_loads_no_more_modules_than_it_did() -> None:
    loaded = {name for name in loaded_by("import trio_speech") if within(name, "trio_speech")}
    assert len(loaded) <= MODULES_OF_THE_FACE, "load it when it is asked for, or raise the figure and say why"
