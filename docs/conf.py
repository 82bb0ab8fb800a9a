"""How the site is built: ``nox -s docs``, or ``sphinx-build -W docs site`` where the extra ``docs`` is installed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from sphinx.ext.autodoc.preserve_defaults import update_defvalue
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.inspect import TypeAliasForwardRef

import trio_speech
import trio_speech.testing

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "trio_speech"
author = "the authors of trio_speech"
project_copyright = "2026, the authors of trio_speech"
version = release = trio_speech.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxcontrib_trio",
    "sphinx_copybutton",
    "entries",
    "tables",
]
exclude_patterns = ["_build", "README.md"]

html_theme = "furo"
html_title = f"trio_speech {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}
html_show_sourcelink = False
copybutton_exclude = ".linenos, .gp, .go"

myst_enable_extensions = ["colon_fence", "deflist", "attrs_block"]
myst_heading_anchors = 3

napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Fields", "params_style")]
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False

# Signatures name these unions instead of spelling them out. Each has an entry of its own in the reference.
NAMED_UNIONS = (
    *("Act", "Step", "Fault", "DialFault", "Request", "Reply", "WireFactory", "TranscriptEvent"),
    *("SttMessage", "TtsMessage", "Connector", "TokenProvider", "Result"),
)
autodoc_type_aliases = {name: name for name in NAMED_UNIONS}
TypeAliasForwardRef.__repr__ = lambda self: self.name  # inside of another type, Sphinx shows the repr

# Pages that also stand in the repository's root link to each other by their file names: on the site they are elsewhere.
ROOT_PAGES = {
    "../CONTRIBUTING.md": "contributing.md",
    "../SECURITY.md": "security.md",
    "../CHANGELOG.md": "changelog.md",
    "docs/architecture.md": "architecture.md",
    "docs/howto/archives.md": "howto/archives.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}


def _links(text: str) -> str:
    return re.sub(r"\]\(([^)#]+)", lambda link: f"]({ROOT_PAGES.get(link[1], link[1])}", text)


def _read(_: Sphinx, name: str, source: list[str]) -> None:
    source[0] = _links(source[0])


def _include(_: Sphinx, path: Path, name: str, source: list[str]) -> None:
    source[0] = _links(source[0])


def _literal_blocks(_: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Docstrings show code as an indented block and say no more: without ``::`` it would be taken for a quotation."""
    for index in range(len(lines) - 2, -1, -1):
        head, following = lines[index], lines[index + 2 : index + 3]
        if not head.strip() or lines[index + 1].strip() or not following:
            continue
        indent = len(head) - len(head.lstrip())
        if len(following[0]) - len(following[0].lstrip()) < indent + 4 or head.rstrip().endswith("::"):
            continue
        if head.rstrip().endswith(":"):
            lines[index] = f"{head.rstrip()}:"
        else:
            lines[index + 1 : index + 1] = ["", f"{head[:indent]}::"]


def _attribute(_: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Napoleon takes "x: y" in an attribute's first line for a type and a description: an empty comment goes first."""
    if what in {"attribute", "property"}:
        lines[:0] = ["..", ""]


def _data(_: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """What stands below a variable where it is defined; it is looked up there, for autodoc asks where it is exported.

    A union without a docstring says what it is made of.
    """
    if what != "data":
        return
    short = name.rpartition(".")[2]
    for module in [each for each in sys.modules if each.startswith("trio_speech")]:
        if getattr(sys.modules[module], short, None) is value:
            found = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", short))
            if found:
                lines[:] = found
                return
    names = ", ".join(f"`{getattr(each, '__name__', each)}`" for each in get_args(value))
    lines[:] = [f"One of {names}."] if names else []


def _constant(call: Any, name: str) -> str:
    """How a default is shown that is the constant `name` of the call's module: by its value, unless users know it."""
    module = sys.modules[call.__module__]
    is_public = any(name in getattr(each, "__all__", ()) for each in (module, trio_speech.testing))
    return name if is_public or not hasattr(module, name) else repr(getattr(module, name))


def _signature(_: Sphinx, what: str, name: str, value: Any, options: Any, taken: str, returned: str) -> Any:
    """Protocols are not called, and what the library makes itself is not made by a user: neither shows how it is.

    What is entered by ``async with`` shows what that gives, and not the generator that it is written as. A default that
    is made by the call of a class is shown without the defaults of that class.
    """
    made_here = what == "class" and "ade by `" in (value.__doc__ or "")
    if made_here or getattr(value, "_is_protocol", False):
        return "", None
    taken = re.sub(r"=\s*(\w+(?:Policy|Limits|Options))\([^()]*\)", r"=\1()", taken or "")
    taken = re.sub(r"= ([A-Z_]+[A-Z0-9]+)\b", lambda default: f"= {_constant(value, default[1])}", taken)
    taken = re.sub(r"Annotated\[(\w+), msgspec\.Meta\([^)]*\)\]", r"\1", taken)  # the checks are said in words
    taken = taken.replace("<factory>", "...") or None
    given = re.search(r"(?:AsyncGenerator|AbstractAsyncContextManager)\[(.*?)(?:, None)?\]$", returned or "")
    return taken, given[1] if given else returned


def _skip(_: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """Members without a docstring of their own are msgspec's or an exception's, and say nothing about this library."""
    return True if name in {"args", "add_note", "with_traceback"} else None


def setup(app: Sphinx) -> None:
    app.connect("source-read", _read)
    app.connect("include-read", _include)
    app.connect("autodoc-process-docstring", _literal_blocks, priority=400)  # before napoleon
    app.connect("autodoc-process-docstring", _attribute, priority=400)
    app.connect("autodoc-process-docstring", _data)
    app.connect("autodoc-before-process-signature", update_defvalue)  # the documenters of sphinxcontrib-trio do not
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-skip-member", _skip)
