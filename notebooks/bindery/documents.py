"""Pages that lie in the checkout as Markdown, as pages of the book: docs, results, data, licences.

They are written for whoever reads them in the checkout. In the book a link to one of them, to a
lesson or to the audit leads to its page there; any other file is named by its path, for the book
goes where the checkout does not.
"""

from __future__ import annotations

import posixpath
import re

from bindery.heads import ROOT
from bindery.pictures import Shelf
from ivdlib.course.lesson_versions import GLOSSARY
from ivdlib.errors import ConfigError
from ivdlib.report.lesson_names import NAME

PAGES = {
    "docs/README.md": "overview",
    "docs/install.md": "install",
    "docs/your_scans.md": "your_scans",
    "docs/commands.md": "commands",
    "docs/trainings.md": "trainings",
    "docs/paper.md": "paper",
    "docs/model_card.md": "model_card",
    "docs/licences.md": "licences",
    "data/README.md": "data",
    "notebooks/INSTRUCTOR.md": "instructor",
    "notebooks/HOSTED.md": "hosted",
    "notebooks/LICENSE": "licence",
    "RESULTS.md": "results",
    "CONTRIBUTING.md": "contributing",
    "SECURITY.md": "security",
    "CHANGELOG.md": "changes",
}
"""Names in the book by paths in the checkout."""
MADE = {
    "README.md": "index",
    "reports/reference/AUDIT.md": "audit",
    f"notebooks/{GLOSSARY}": "glossary",
}
"""Further pages that links may lead to; others write them."""

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")
"""A picture or link within the checkout: mark, words, path, place on the page."""


def page(path: str, shelf: Shelf) -> str:
    """Text of a page for Sphinx; its pictures go onto the shelf.

    Raises
    ------
    ConfigError
        As `linked` does.
    """
    return linked((ROOT / path).read_text(encoding="utf-8"), path, shelf)


def linked(text: str, path: str, shelf: Shelf) -> str:
    """Markdown of the file `path` with links that lead within the book.

    Raises
    ------
    ConfigError
        If a link leads to no file of the checkout.
    """

    def led(found: re.Match) -> str:
        mark, words, target, place = found.groups()
        there = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if not (ROOT / there).exists():
            raise ConfigError(f"{path} links to {there}, which is not there; correct the link.")
        if mark:
            return shelf.put(ROOT / there, words).tag()
        if name := (PAGES | MADE).get(there):
            return f"[{words}]({name}.md{place or ''})"
        if re.fullmatch(rf"notebooks/{NAME}\.ipynb", there):
            return f"[{words}]({posixpath.basename(there)})"
        if words.strip("`") in (target, there, posixpath.basename(there)):
            return f"`{there}`"
        return f"{words} (`{there}`)"

    return LINK.sub(led, text)
