"""Every snippet of the documentation runs, in the order of its page; the reference has every public name.

A block marked ``python`` is run, on virtual time and against the scripted gateway, whatever backend it names. A block
marked ``py`` is code for another library: it is only compiled. Plans in ``toml`` are read.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import tomllib
import wave
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import trio

import trio_speech as ts
import trio_speech.audio.captions
import trio_speech.audio.files
import trio_speech.bulk
import trio_speech.gateway
import trio_speech.provider
import trio_speech.testing
import trio_speech.testing.fault_proxy
import trio_speech.testing.wires
from trio_speech.testing import ScriptedGateway, say
from trio_speech.testing.fault_proxy import read_plan

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *DOCS.rglob("*.rst"), ROOT / "README.md"])
REFERENCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((DOCS / "reference").glob("*")))

FORMAT = ts.AudioFormat.pcm16(16_000)
SAID = say(0.5, "the weather is very nice today", 1.5, "please order a large pizza", 1.5, audio_format=FORMAT)
REPLY = "It is sunny today. Take a hat with you. The bus leaves at five."


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


BLOCKS = {
    ".md": r"^```{language}\n(.*?)^```",
    ".rst": r"^\.\. code-block:: {language}\n\n((?:   [^\n]*\n|\n)+)",
}


def snippets(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """Each block of a language, with the line at which it begins."""
    text = page.read_text(encoding="utf-8") + "\n"
    for block in re.finditer(BLOCKS[page.suffix].format(language=language), text, re.DOTALL | re.MULTILINE):
        yield text.count("\n", 0, block.start(1)), textwrap.dedent(block[1])


async def microphone() -> AsyncIterator[bytes]:
    async for chunk in SAID:
        yield chunk


async def language_model(*_: object) -> AsyncIterator[str]:
    for at in range(0, len(REPLY), 5):
        yield REPLY[at : at + 5]
        await trio.sleep(0.01)


class Loudspeaker:
    """Takes as long to play a chunk as the chunk lasts."""

    played = 0.0

    async def play(self, chunk: ts.AudioChunk) -> None:
        seconds = len(chunk.audio) / 48_000
        await trio.sleep(seconds)
        self.played = chunk.start + seconds


def open_client_of(gateway: ScriptedGateway) -> Callable[..., AbstractAsyncContextManager[ts.Client]]:
    """`open_client`, but that every backend's dials come to the gateway, in its own wire where the gateway has it."""

    def here(backend: Any) -> Any:
        if isinstance(backend, ts.LiveKit | ts.Deepgram):
            return gateway.in_place_of(backend)
        return gateway.backend() if isinstance(backend, ts.Local | ts.Cartesia) else backend

    def open_client(backend: Any, **policies: Any) -> AbstractAsyncContextManager[ts.Client]:
        backends = [here(each) for each in backend] if isinstance(backend, Sequence) else here(backend)
        return ts.open_client(backends, **policies)

    return open_client


class Face:
    """`trio_speech`, as the snippets see it."""

    def __init__(self, gateway: ScriptedGateway) -> None:
        self.open_client = open_client_of(gateway)

    def __getattr__(self, name: str) -> Any:
        return getattr(ts, name)


async def run(source: str, where: str, names: dict[str, Any]) -> None:
    """Runs a snippet, which may await at its top level; then the tests and the `main` that it has defined."""
    source = source.replace("import trio_speech as ts\n", "\n").replace("trio.run(main)", "await main()")
    before = dict(names)
    code = compile(source, where, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    with trio.fail_after(3_600):
        running = eval(code, names)
        if inspect.iscoroutine(running):
            await running
        for name, value in list(names.items()):
            if name.startswith("test_") and value is not before.get(name):
                await value(**{taken: names[taken] for taken in inspect.signature(value).parameters})


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "DEEPGRAM_API_KEY", "CARTESIA_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "a-secret-that-is-long-enough-for-a-signature")


RUN = [page for page in PAGES if any(True for _ in snippets(page, "python"))]
THREADS = {DOCS / "howto" / "batch.md", DOCS / "reference" / "audio.rst"}
"""Pages whose snippets read files, in threads: virtual time would not wait for these."""


async def run_page(page: Path, gateway: ScriptedGateway, **fixtures: Any) -> None:
    async with ts.open_client(gateway.backend()) as client:
        names: dict[str, Any] = {
            "__name__": "snippet",
            "ts": Face(gateway),
            "trio": trio,
            "client": client,
            "gateway": gateway,
            "microphone": microphone,
            "language_model": language_model,
            "loudspeaker": Loudspeaker(),
            "FORMAT": FORMAT,
            "print": lambda *_, **__: None,
            **fixtures,
        }
        for line, source in snippets(page, "python"):
            await run(source, f"{name_of(page)}, the snippet at line {line}", names)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory with `recording.wav`: what `microphone` gives, which the scripted gateway understands."""
    with wave.open(str(tmp_path / "recording.wav"), "wb") as recording:
        recording.setnchannels(FORMAT.channels)
        recording.setsampwidth(FORMAT.frame_size)
        recording.setframerate(FORMAT.sample_rate)
        recording.writeframes(b"".join(SAID.chunks()))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("credentials", "folder")
@pytest.mark.parametrize("page", [page for page in RUN if page not in THREADS], ids=name_of)
async def test_the_snippets_of_a_page_run(page: Path, gateway: ScriptedGateway, autojump_clock: Any) -> None:
    await run_page(page, gateway, autojump_clock=autojump_clock)


@pytest.mark.usefixtures("credentials", "folder")
@pytest.mark.parametrize("page", sorted(THREADS), ids=name_of)
async def test_the_snippets_of_a_page_with_files_run(page: Path, gateway: ScriptedGateway) -> None:
    await run_page(page, gateway)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_for_other_libraries_compiles(page: Path) -> None:
    for _, source in snippets(page, "py"):
        compile(source, name_of(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_plans_can_be_read(page: Path) -> None:
    for _, source in snippets(page, "toml"):
        if "connection" in source:
            read_plan(source)


def test_there_are_snippets_to_run() -> None:
    assert len(RUN) > 10


QUICK = ("replay", "doubt", "half-open", "dials", "speech")


@pytest.mark.parametrize("name", QUICK)
def test_a_timeline_can_be_drawn_anew(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS)
    from draw_timelines import draw

    drawn = ElementTree.fromstring(draw(name))
    kept = ElementTree.parse(DOCS / "_static" / f"{name}.svg").getroot()
    assert drawn.get("aria-label") == kept.get("aria-label")


PUBLIC = [
    ts,
    trio_speech.audio,
    trio_speech.audio.captions,
    trio_speech.audio.files,
    trio_speech.bulk,
    trio_speech.gateway,
    trio_speech.provider,
    trio_speech.testing,
    trio_speech.testing.fault_proxy,
    trio_speech.testing.wires,
]


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_the_reference_has_every_public_name(module: Any) -> None:
    entries = set(re.findall(r"^\.\. auto\w+:: ([\w.]+)", REFERENCE, re.MULTILINE))
    elsewhere = [each for each in PUBLIC if each is not module]
    public = {
        name
        for name in module.__all__
        if not any(
            f"{each.__name__}.{name}" in entries and getattr(each, name, None) is getattr(module, name)
            for each in elsewhere
        )
    }
    assert {f"{module.__name__}.{name}" for name in public} - entries == set()


ONLY_CALLED_WITHIN = {"Visit.end", "ProxyPlan.random", "ProxyPlan.schedule"}
MADE_BY_USERS = (
    *(ts.FallbackModel, ts.LivenessPolicy, ts.PoolPolicy, ts.ReplayPolicy, ts.RetryPolicy),
    *(ts.Cartesia, ts.Deepgram, ts.ElevenLabs, ts.LiveKit, ts.Local, ts.OpenAI),
    *(trio_speech.bulk.BulkOptions, trio_speech.bulk.EndpointLimits, trio_speech.bulk.FileResult),
    *(trio_speech.bulk.Transcriber, trio_speech.provider.Dial, trio_speech.provider.SttProfile),
    *(trio_speech.testing.Await, trio_speech.testing.Delivery, trio_speech.testing.Drift, trio_speech.testing.Manner),
    *(trio_speech.testing.InBandError, trio_speech.testing.MidWord, trio_speech.testing.Refuse),
)


def calls_of(module: Any) -> Iterator[tuple[str, Any]]:
    """The functions of a module and the methods of its classes, by their names."""
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isroutine(value):
            yield name, value
        elif inspect.isclass(value) and value.__module__.startswith("trio_speech"):
            members = ((each, getattr(value, each)) for each in dir(value) if not each.startswith("_"))
            routines = ((each, method) for each, method in members if inspect.isroutine(method))
            yield from ((f"{name}.{each}", method) for each, method in routines if is_ours(method))


def is_ours(call: Any) -> bool:
    return (getattr(call, "__module__", None) or "").startswith("trio_speech")


def code_in(docstring: str) -> Iterator[str]:
    """The code in a docstring: indented blocks, and pieces between two backticks."""
    for block in re.finditer(r"\n\n((?: {4}.*\n|\n)+)", docstring + "\n"):
        yield textwrap.dedent(block[1])
    yield from re.findall(r"``(.+?)``", docstring)


def calls_in(source: str) -> Iterator[tuple[str, int]]:
    """The calls in some code: the name, after a dot if it is an attribute, and how many arguments are given."""
    try:
        tree = compile(source, "shown", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
    except SyntaxError:  # a drawing, or words
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = f".{node.func.attr}" if isinstance(node.func, ast.Attribute) else node.func.id
            yield name, len(node.args) + len(node.keywords)


def shown_calls() -> set[tuple[str, bool]]:
    """The calls that the site shows: the name, and whether more than one argument is given."""
    sources = [source for page in PAGES for language in ("python", "py") for _, source in snippets(page, language)]
    sources += [path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")]
    values = [value for module in PUBLIC for _, value in calls_of(module)] + list(MADE_BY_USERS)
    sources += [source for value in values for source in code_in(inspect.getdoc(value) or "")]
    return {(name, given > 1) for source in sources for name, given in calls_in(source)}


SHOWN = shown_calls()


def takes_more_than_one(call: Any) -> bool:
    return len([each for each in inspect.signature(call).parameters if each != "self"]) > 1


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_every_call_is_described_and_shown_where_it_takes_more_than_one_argument(module: Any) -> None:
    calls = [(name, call) for name, call in calls_of(module) if is_ours(call)]
    assert [name for name, call in calls if not inspect.getdoc(call)] == []
    several = {name for name, call in calls if takes_more_than_one(call)} - ONLY_CALLED_WITHIN
    shown = {each for each, with_several in SHOWN if with_several}
    names = {name: {f".{name.rpartition('.')[2]}", *({name} if "." not in name else ())} for name in several}
    assert {name for name in several if not names[name] & shown} == set(), "show them with more than one argument"


def test_every_value_that_users_make_is_shown_with_several_of_its_arguments() -> None:
    shown = {each.removeprefix(".") for each, with_several in SHOWN if with_several}
    assert {each.__name__ for each in MADE_BY_USERS if takes_more_than_one(each)} - shown == set()


def test_a_name_in_a_sentence_shows_no_call() -> None:
    told = "Takes ``open`` and `send(a, b)` first; see open(a, b).\n\n    client.send(audio, 2)\n\nOr ``f(1, x=2)``."
    assert [call for source in code_in(told) for call in calls_in(source)] == [(".send", 2), ("f", 2)]


def test_the_reference_has_every_environment_variable() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "trio_speech").rglob("*.py"))
    read = {
        name for source in sources for name in re.findall(r'"([A-Z]+_[A-Z_]*(?:KEY|SECRET|KEYS|URL|BACKEND))"', source)
    }
    assert len(read) > 8
    assert {name for name in read if name not in REFERENCE} == set()


def test_the_page_on_installation_has_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (DOCS / "install.md").read_text(encoding="utf-8")
    assert {extra for extra in project["optional-dependencies"] if f"`{extra}`" not in page} == set()


def test_the_page_of_examples_shows_each() -> None:
    page = (DOCS / "examples.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```\{literalinclude\} \.\./examples/(.*)$", page, re.MULTILINE)
    assert shown == sorted(path.name for path in (ROOT / "examples").glob("*.py"))


def test_the_explanations_name_every_reason_of_a_gap() -> None:
    reasons = set(re.findall(r'``"([\w-]+)"``', inspect.getdoc(ts.Gap) or ""))
    page = (DOCS / "explanation" / "law.md").read_text(encoding="utf-8")
    assert len(reasons) > 4
    assert {reason for reason in reasons if f'`"{reason}"`' not in page} == set()


def test_the_page_for_contributors_has_every_session_of_nox() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any("nox.session" in ast.unparse(each) for each in node.decorator_list)
    }
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = {name.partition("-")[0] for name in re.findall(r"^\| `([\w.-]+)`", page, re.MULTILINE)}
    assert len(defined) > 10
    assert listed == defined


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_to_other_sites_are_well_formed(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]*:[^)\s]*)\)", page.read_text(encoding="utf-8")):
        assert re.fullmatch(r"https://[\w.-]+\.[a-z]{2,}(/[\w./#?=&%~+-]*)?", link), link
