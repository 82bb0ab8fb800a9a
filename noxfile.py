"""How the project is checked. ``nox`` runs all that must pass, ``nox -s NAME`` one session, ``nox -l`` lists them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2026.10"
nox.options.sessions = ["lint", "types", "build", "tests", "coverage", "bare", "examples", "docs", "instructions"]
nox.options.parallel = os.cpu_count()
# A machine seldom has every interpreter: those it lacks are skipped, and `coverage` counts those that ran.
nox.options.error_on_missing_interpreters = False

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
EXTRAS = PROJECT["project"]["optional-dependencies"]
TOOLS = {Requirement(line).name: line for line in EXTRAS["dev"]}

INSTALLED = {"PYTHONSAFEPATH": "1"}  # the working directory holds the source tree: keep it off sys.path
BENCHMARKS = INSTALLED | {"PYTHONPATH": "tests/benchmarks"}
ELSEWHERE = ["tests/interop", "tests/corpus", "tests/test_examples.py"]  # each has a session of its own
LONGEST = ["tests/chaos", "tests/core/recognition/exploration"]
ONCE = ["tests/hostile", "tests/gateway", "tests/testing/check", "tests/providers/openai", "tests/providers/elevenlabs"]
CHECK, MUTANTS_FOUND = "tests/testing/check", "tests/testing/check/test_mutants.py"
PAGES = ["tests/test_docs.py", "tests/test_docs_loops.py", "tests/test_readme.py"]
WORD_ERRORS = Path("tests/benchmarks/roundtrip_wer.py")
GATES = {"*/providers/*": 100, "*/_core/*": 100, "*": 95}  # floors, to be raised and never to be lowered


CORE = Path("trio_speech/_core")
MUTANTS = """
[tool.mutmut]
source_paths = ["{source}"]
also_copy = ["trio_speech", "tests"]
pytest_add_cli_args_test_selection = ["{test}"]
pytest_add_cli_args = ["-x", "-p", "no:cacheprovider"]
"""


def is_there(version: str) -> bool:
    """Whether there is such an interpreter, and not only the shim of one that is switched off."""
    program = shutil.which(f"python{version}")
    return program is not None and subprocess.run([program, "-V"], capture_output=True, check=False).returncode == 0


FOUND = [version for version in PYTHONS if is_there(version)]
NO_POCKETSPHINX = {"3.14"}  # it has no wheel for these: the embedded recognizer tells no word times there
WHOLE = [version for version in FOUND if version not in NO_POCKETSPHINX]


def install_wheel(session: nox.Session, extras: str = "") -> None:
    """Installs the wheel that `build` made, and makes sure that the tests will not see the source tree instead."""
    (wheel,) = Path("dist").glob("*.whl")
    session.install(f"{wheel}{extras}")
    session.install("--force-reinstall", "--no-deps", str(wheel))
    session.run("python", "-c", "import trio_speech as t; assert 'site-packages' in t.__file__, t", env=INSTALLED)


@nox.session(allow_parallel=True)
def lint(session: nox.Session) -> None:
    """Style, mistakes and formatting, by ruff."""
    session.install(TOOLS["ruff"])
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session(allow_parallel=True)
def types(session: nox.Session) -> None:
    """The package, its examples and its typing tests under mypy and pyright, both strict."""
    session.install(".[local,espeak,cli,bulk,test]", TOOLS["mypy"], TOOLS["pyright"], TOOLS["nox"])
    session.run("mypy")
    session.run("pyright")


@nox.session(allow_parallel=True)
def build(session: nox.Session) -> None:
    """The source distribution, and the wheel made from it, in dist/."""
    shutil.rmtree("dist", ignore_errors=True)
    session.install("build")
    session.run("python", "-m", "build")


@nox.session(python=PYTHONS[::-1], requires=["build"], allow_parallel=True)
def tests(session: nox.Session) -> None:
    """The tests that have no session of their own, against the built wheel; what follows ``--`` goes to pytest."""
    install_wheel(session, "[local,espeak,cli,bulk,test]")
    session.install(TOOLS["coverage"])
    data = f".coverage.{session.python}"
    for stale in Path().glob(f"{data}*"):
        stale.unlink()
    skipped = left_out(str(session.python))
    measured = not skipped & set(ONCE)
    pytest = ["coverage", "run", "-m", "pytest"] if measured else ["python", "-m", "pytest"]
    elsewhere = [*ELSEWHERE, *PAGES, *sorted(skipped)]
    arguments = session.posargs or [f"--ignore={path}" for path in elsewhere]
    session.run(*pytest, *arguments, env=INSTALLED | {"COVERAGE_FILE": data})


def left_out(version: str) -> set[str]:
    """The long rooms that an interpreter leaves to others: what they show depends on none, and CI has two cores.

    There, the newest measures coverage, which slows it by half; the one before runs the longest rooms instead, and the
    others whatever it costs to find some seventy faulty providers.
    """
    if version in NO_POCKETSPHINX:
        return {*ONCE, *LONGEST}
    if "CI" not in os.environ:
        return set()
    newest, *others = reversed(WHOLE)
    if version == newest:
        return {*LONGEST, MUTANTS_FOUND}
    return set(ONCE) if version == others[0] else {*ONCE, *LONGEST} - {CHECK}


@nox.session(requires=["tests"])
def coverage(session: nox.Session) -> None:
    """The branches that the tests took, over all interpreters together, against the gates."""
    needed = 2 if "CI" in os.environ else 1
    if len(WHOLE) < needed:
        session.error(f"the tests ran on {len(WHOLE)} interpreters of {', '.join(PYTHONS)}: offer at least {needed}")
    session.install(TOOLS["coverage"])
    session.run("coverage", "combine", "--quiet", "--keep")
    for files, percent in GATES.items():
        session.run("coverage", "report", f"--include={files}", f"--fail-under={percent}")


@nox.session(requires=["build"])
def bare(session: nox.Session) -> None:
    """Without any extra, the package imports and its command says what is missing."""
    install_wheel(session)
    session.run("python", "-c", "import trio_speech", env=INSTALLED)
    session.run("trio-speech", "--help", success_codes=[2], env=INSTALLED)


@nox.session(requires=["build"])
def examples(session: nox.Session) -> None:
    """The examples and the demo as a reader would run them, with no more than what the README installs."""
    install_wheel(session, "[local,cli,test]")
    session.run("python", "-m", "pytest", "tests/test_examples.py", *session.posargs, env=INSTALLED)


@nox.session(requires=["build"])
def docs(session: nox.Session) -> None:
    """The site, in site/: no warning, every snippet runs, every link within it leads somewhere."""
    install_wheel(session, "[cli,docs,test]")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-E", "docs", "site", env=INSTALLED)
    session.run("python", "-m", "pytest", *PAGES, *session.posargs, env=INSTALLED)


@nox.session(requires=["build"], allow_parallel=True)
def chaos(session: nox.Session) -> None:
    """A thousand seeded sessions through each fault in each phase: not one word lost or doubled, none that hangs."""
    install_wheel(session, "[test]")
    env = INSTALLED | {"TRIO_SPEECH_CHAOS_RUNS": "1000"}
    session.run("python", "-m", "pytest", "tests/chaos", *session.posargs, env=env)


@nox.session(requires=["build"], allow_parallel=True)
def nightly(session: nox.Session) -> None:
    """An hour of real time, a virtual week, journals killed a thousand times, and histories: seeded ones and all."""
    install_wheel(session, "[cli,test]")
    env = INSTALLED | {"TRIO_SPEECH_SOAK_DAYS": "7", "TRIO_SPEECH_SOAK_MINUTES": "60"}
    pytest = ["python", "-m", "pytest", "--timeout=0"]
    session.run(*pytest, "-s", "tests/chaos/test_real_time.py", "tests/chaos/test_soak.py", env=env)
    session.run(*pytest, "tests/core/recognition/test_histories.py", "--hypothesis-profile=nightly", env=env)
    whole = env | {"TRIO_SPEECH_EXPLORE_SECONDS": "900"}
    session.run(*pytest, "-rP", "tests/core/recognition/exploration", env=whole)
    session.run(*pytest, "tests/chaos/test_journals.py", env=env | {"TRIO_SPEECH_JOURNAL_RUNS": "1000"})
    session.run(*pytest, "tests/cli/test_batch.py", env=env | {"TRIO_SPEECH_BATCH_FILES": "200"})


@nox.session
def mutants(session: nox.Session) -> None:
    """The mutants of each module of `_core` that its own tests let live, in hours; ``-- retry/budget``: of one."""
    session.install(*PROJECT["project"]["dependencies"], *EXTRAS["test"], "mutmut~=3.8")
    sources = [CORE / f"{name}.py" for name in session.posargs] or sorted(CORE.glob("*/[a-z]*.py"))
    counts = {str(source.relative_to(CORE)): mutate(session, source) for source in sources}
    for name, fates in counts.items():
        session.log(f"{name}: {fates.total()} mutants, {fates.total() - fates['killed']} not killed")


def mutate(session: nox.Session, source: Path) -> Counter[str]:
    """What became of the mutants of one module, in a copy of the tree; those that live are told by their names."""
    test = Path("tests/core", *source.relative_to(CORE).parts[:-1], f"test_{source.name}")
    with tempfile.TemporaryDirectory() as copy:
        for part in ("trio_speech", "tests"):
            shutil.copytree(part, Path(copy, part), ignore=shutil.ignore_patterns("__pycache__"))
        configuration = Path("pyproject.toml").read_text() + MUTANTS.format(source=source, test=test)
        Path(copy, "pyproject.toml").write_text(configuration)
        with session.chdir(copy):
            session.run("mutmut", "run", silent=True, success_codes=[0, 1])  # 1: nothing to mutate, for one
            told = session.run("mutmut", "results", "--all", "true", silent=True)
            fates = dict(line.strip().rsplit(": ", 1) for line in (told or "").splitlines())
            for name in (name for name, fate in fates.items() if fate != "killed"):
                session.run("mutmut", "show", name)
    return Counter(fates.values())


@nox.session(requires=["build"])
def interop(session: nox.Session) -> None:
    """Official clients, unmodified: of LiveKit against the embedded gateway, of others against our tests' servers."""
    install_wheel(session, "[local,test]")
    session.install("livekit-agents", "cartesia[websockets]", "deepgram-sdk", "elevenlabs", "openai[realtime]")
    session.run("python", "-m", "pytest", "tests/interop", *session.posargs, env=INSTALLED)


@nox.session(requires=["build"])
def corpus(session: nox.Session) -> None:
    """Some two hundred odd recordings, made by ffmpeg and sox (which must be installed), through the command."""
    install_wheel(session, "[local,cli,media,test]")
    session.run("python", "-m", "pytest", "--timeout=0", "tests/corpus", *session.posargs, env=INSTALLED)


@nox.session(requires=["build"])
def bulk(session: nox.Session) -> None:
    """Archives: HTTP, S3, 2,000 recordings while workers die, the speed of 1, 2 and 4 workers, the engines."""
    install_wheel(session, "[local,cli,bulk,test]")
    session.install("aiohttp", "s3fs", "moto[server]")
    session.run("python", "-m", "pytest", "tests/bulk/test_remote.py", env=INSTALLED)
    for bar in session.posargs or ["kills", "poison", "scaling", "embedded"]:
        session.run("python", "tests/bulk/bars.py", bar, env=INSTALLED)


@nox.session(requires=["build"])
def ray(session: nox.Session) -> None:
    """The recipe for Ray of docs/howto/archives.md."""
    install_wheel(session, "[cli,test]")
    session.install("ray[data]")
    session.run("python", "-m", "pytest", "tests/bulk/ray_recipe.py", *session.posargs, env=INSTALLED)


@nox.session(requires=["build"], allow_parallel=True)
def instructions(session: nox.Session) -> None:
    """What a frame of audio costs in instructions, against the figure of record; ``-- --keep`` makes it the record."""
    install_wheel(session)
    session.install("trustme")
    session.run("python", "tests/benchmarks/instructions.py", *session.posargs, env=BENCHMARKS)


@nox.session(requires=["build"])
def bench(session: nox.Session) -> None:
    """What an import, a frame and a recovery cost, and the suite beside livekit-agents; ``--`` gives it options."""
    install_wheel(session, "[local,test]")
    session.install("livekit-agents", "deepgram-sdk", "cartesia", "matplotlib")
    for name in ("import_time", "instructions", "pool_lease", "recovery", "gateway_latency"):
        session.run("python", f"tests/benchmarks/{name}.py", env=BENCHMARKS)
    session.run("python", "tests/benchmarks", *session.posargs, env=BENCHMARKS)


@nox.session(requires=["build"])
def wer(session: nox.Session) -> None:
    """The embedded recognizer's word errors over the held-out sentences; ``-- --recordings FOLDER``: over people's."""
    install_wheel(session, "[local,espeak,audio]")
    session.run("python", str(WORD_ERRORS), *session.posargs, env=BENCHMARKS)
