"""Tables that are made of the code when the site is built, so that they cannot be out of date.

.. policies::          the fields of the policies, with their defaults
.. recognizers::       what recognizers say, by their profiles
.. recognized-audio::  what recognizers take
.. voices::            the profiles of the voices
.. commands::          the options of the command line
.. telemetry::         spans, counters and histograms
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import provider_table
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


class Recognizers(Directive):
    """One row for each profile of a recognizer: what it says."""

    def run(self) -> list[nodes.Node]:
        return [table(provider_table.RESULTS, provider_table.results(), (28, 22, 10, 16, 11, 11, 10))]


class RecognizedAudio(Directive):
    """One row for each profile of a recognizer: what it takes."""

    def run(self) -> list[nodes.Node]:
        return [table(provider_table.AUDIO, provider_table.audio(), (26, 16, 16, 14, 16, 12))]


class Voices(Directive):
    """One row for each profile of a voice."""

    def run(self) -> list[nodes.Node]:
        return [table(provider_table.VOICES, provider_table.voices(), (22, 8, 12, 14, 12, 14, 10, 10))]


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
        ("recognized-audio", RecognizedAudio),
        ("voices", Voices),
        ("policies", Policies),
        ("commands", Commands),
        ("telemetry", Telemetry),
    ):
        app.add_directive(name, directive)
    return {"parallel_read_safe": True}
