"""Entries of the reference: takes out what autodoc adds against our will, and warns of one that is not fit to read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

INTERNAL = re.compile(
    r"TypeAliasForwardRef|<factory>|<class |<function |\b_[A-Z]\w+|trio_speech[\w.]*\._|testing\.scripted"
)
"""What a signature never shows: names of modules that are not public, and values that are no source text."""

_LOGGER = logging.getLogger(__name__)


def _read(_: Sphinx, document: nodes.document) -> None:
    for paragraph in list(document.findall(nodes.paragraph)):
        if paragraph.astext().startswith("alias of "):  # spells out a union, by names that are no part of the interface
            paragraph.parent.remove(paragraph)
    for entry in document.findall(addnodes.desc):
        signature, content = entry.first_child_matching_class(addnodes.desc_signature), entry[-1]
        shown = entry[signature].astext() if signature is not None else ""
        if not content.astext().strip():
            _LOGGER.warning("%s is not described", shown, location=entry)
        if found := INTERNAL.search(shown):
            _LOGGER.warning("the signature of %s shows %s", shown[:60], found[0], location=entry)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", _read)
    return {"parallel_read_safe": True}
