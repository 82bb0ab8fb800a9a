"""Tables that are made of the code when the site is built, so that they cannot be out of date.

.. policies::          the fields of the policies, with their defaults
.. recognizers::       the profiles of the recognizers
.. voices::            the profiles of the voices
.. commands::          the options of the command line
.. telemetry::         spans, counters and histograms
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import Directive

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def table(head: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]) -> nodes.table:
    """A table of plain text, where what stands between backticks is code."""
    group = nodes.tgroup("", cols=len(head))
    group.extend(nodes.colspec(colwidth=width) for width in widths)
    group.append(nodes.thead("", _row(head)))
    group.append(nodes.tbody("", *(_row(row) for row in rows)))
    return nodes.table("", group, classes=["colwidths-given"])


def _row(cells: Sequence[str]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *_inline(cell))) for cell in cells))


def _inline(text: str) -> Iterable[nodes.Node]:
    for number, part in enumerate(text.replace("``", "`").split("`")):
        if part:
            yield nodes.literal("", part) if number % 2 else nodes.Text(part)


def _seconds(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:g} s"


def backend_of(package: str) -> str:
    """How the backend of a provider's package is called, such as ``Deepgram()``."""
    import trio_speech

    for name in trio_speech.__all__:
        value = getattr(trio_speech, name)
        module = getattr(value, "__module__", "")
        if isinstance(value, type) and hasattr(value, "recognizer") and module.startswith(package):
            return f"`{name}()`"
    raise LookupError(f"no backend is made in {package}")


def profiles(kind: type) -> list[tuple[str, str, Any]]:
    """All profiles of a kind that providers have: the backend, the model or part of the service, and the profile."""
    from trio_speech import providers

    found: list[tuple[str, str, Any]] = []
    seen: set[int] = set()
    for each in pkgutil.walk_packages(providers.__path__, f"{providers.__name__}."):
        module = importlib.import_module(each.name)
        package = ".".join(each.name.split(".")[:3])
        for name, value in vars(module).items():
            table = value if isinstance(value, dict) and name.endswith("_PROFILES") else {}
            models = [(model or "others", profile) for model, profile in table.items() if isinstance(profile, kind)]
            if isinstance(value, kind) and name.isupper():
                models.append(("", value))
            found += [(backend_of(package), model, profile) for model, profile in models if id(profile) not in seen]
            seen |= {id(profile) for _, profile in models}
    return sorted(found, key=_order)


def _order(named: tuple[str, str, Any]) -> tuple[str, bool, str]:
    backend, model, _ = named
    return backend, model == "others", model


def _named(backend: str, model: str) -> str:
    return backend + ("" if not model else ", others" if model == "others" else f", `{model}`")


class Recognizers(Directive):
    """One row for each profile of a recognizer."""

    def run(self) -> list[nodes.Node]:
        from trio_speech.provider import SttProfile

        head = ("backend, model", "what settles audio", "times", "catch-up", "encodings", "sample rates")
        rows = [(_named(backend, model), *self._facts(profile)) for backend, model, profile in profiles(SttProfile)]
        return [table(head, rows, (24, 22, 14, 16, 14, 14))]

    def _facts(self, profile: Any) -> tuple[str, ...]:
        settles = {
            "span": "a final, up to its end",
            "finalize": "an answered `finalize()`",
            "watermark": "a watermark of the service",
        }[profile.acknowledges]
        times = "exact" if profile.exact_times else ("of words" if profile.word_times else "of finals")
        speed = profile.replay_speed
        pace = "unlimited" if speed is None or speed == math.inf else f"{speed:g} × real time"
        return settles, times, pace, ", ".join(profile.encodings), _rates(profile.sample_rates)


class Voices(Directive):
    """One row for each profile of a voice."""

    def run(self) -> list[nodes.Node]:
        from trio_speech.provider import TtsProfile
        from trio_speech.providers.livekit.models import ALIGNMENT

        known = profiles(TtsProfile)
        [other] = [profile for backend, model, profile in known if (backend, model) == ("`LiveKit()`", "others")]
        named = {model for backend, model, _ in known if backend == "`LiveKit()`"}
        known += [("`LiveKit()`", model, other) for model in ALIGNMENT.keys() - named]
        head = ("backend, model", "word times", '`"word"` becomes', "longest request", "encodings", "sample rates")
        rows = [
            self._facts(_named(backend, model), profile, profile.aligned or model in ALIGNMENT)
            for backend, model, profile in sorted(known, key=_order)
        ]
        return [table(head, rows, (24, 10, 18, 16, 14, 16))]

    def _facts(self, name: str, profile: Any, aligned: bool) -> tuple[str, ...]:
        mode = "`word`" if aligned or profile.deterministic else "`segment`"
        longest = "1,000 characters" if profile.max_characters is None else f"{profile.max_characters:,} characters"
        word_times = "yes" if aligned else "no"
        return name, word_times, mode, longest, ", ".join(profile.encodings), _rates(profile.sample_rates)


def _rates(rates: Sequence[int] | None) -> str:
    if rates is None:
        return "any"
    return (
        f"{len(rates)} from {min(rates):,} to {max(rates):,}"
        if len(rates) > 3
        else ", ".join(f"{each:,}" for each in rates)
    )


class Policies(Directive):
    """One row for each field of the policy that is named."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        import msgspec

        import trio_speech

        policy = getattr(trio_speech, self.arguments[0])
        fields = msgspec.structs.fields(policy)
        rows = [(f"`{each.name}`", f"`{each.default!r}`", f"`{policy.__annotations__[each.name]}`") for each in fields]
        return [table(("field", "default", "type"), rows, (30, 20, 30))]


class Commands(Directive):
    """Each command with its options, as its own help has them."""

    def run(self) -> list[nodes.Node]:
        import typer

        from trio_speech.cli.app import app

        group: Any = typer.main.get_command(app)
        made: list[nodes.Node] = []
        for name, command in sorted(group.commands.items()):
            section = nodes.section(ids=[f"trio-speech-{name}"])
            section += nodes.title("", "", nodes.literal("", f"trio-speech {name}"))
            section += nodes.paragraph("", "", *_inline((command.help or "").partition("\n\n")[0].replace("\n", " ")))
            rows = [self._facts(parameter) for parameter in command.params if parameter.name != "help"]
            if rows:
                section += table(("option", "default", "what it is"), rows, (24, 18, 50))
            made.append(section)
        return made

    def _facts(self, parameter: Any) -> tuple[str, str, str]:
        names = ", ".join(f"`{name}`" for name in parameter.opts)
        if parameter.param_type_name == "argument":
            names = f"`{parameter.name.upper()}`"
        default = "required" if parameter.required else f"`{parameter.default}`" if parameter.default else ""
        choices = getattr(parameter.type_descriptor, "choices", None)
        which = f" One of {', '.join(f'`{each}`' for each in choices)}." if choices else ""
        variable = f" Environment: `{parameter.envvar}`." if parameter.envvar else ""
        return names, default, f"{parameter.help or ''}{which}{variable}"


class Telemetry(Directive):
    """The counters and histograms, with their units."""

    def run(self) -> list[nodes.Node]:
        from trio_speech._shell.observability import telemetry

        kinds = (("counter", telemetry._COUNTERS), ("histogram", telemetry._HISTOGRAMS))
        rows = [
            (f"`trio_speech.{name}`", kind, unit, description)
            for kind, instruments in kinds
            for name, (unit, description) in instruments.items()
        ]
        return [table(("metric", "kind", "unit", "what it counts"), rows, (28, 12, 14, 46))]


def setup(app: Sphinx) -> dict[str, bool]:
    for name, directive in (
        ("recognizers", Recognizers),
        ("voices", Voices),
        ("policies", Policies),
        ("commands", Commands),
        ("telemetry", Telemetry),
    ):
        app.add_directive(name, directive)
    return {"parallel_read_safe": True}
