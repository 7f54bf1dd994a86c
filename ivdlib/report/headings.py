"""Headings of a lesson: fitted to the page, and what stands for them in its contents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup, NavigableString, Tag
from markupsafe import Markup, escape

PICTURE = "(picture)"
"""What stands for a picture that has no alternative text."""

LABEL = "data-label"
"""Attribute of a heading that the PDF's outline takes: it leaves pictures out, formulas too."""


@dataclass(frozen=True)
class Heading:
    """A heading: its level, its id, its text (formulas as LaTeX) and its entry in the contents."""

    level: int
    ident: str
    text: str
    entry: Markup


def shifted(soup: BeautifulSoup, stem: str) -> list[Heading]:
    """Lower headings by one, for the page has one H1; leave no level out; give ids of its own.

    A heading that shows nothing becomes a paragraph.

    Parameters
    ----------
    soup : BeautifulSoup
        Changed in place; its formulas are drawn already.
    stem : str
        The ids begin with it.

    Returns
    -------
    list of Heading
    """
    heads: list[Heading] = []
    for tag in soup.find_all(re.compile("^h[1-6]$")):
        text = _joined(escape(piece) for piece, _ in _pieces(tag)).unescape()
        if not any(unicodedata.category(letter)[0] not in "ZC" for letter in text):
            tag.name = "p"
            continue
        level = min(int(tag.name[1]) + 1, 6)
        level = min(max(level, 3), heads[-1].level + 1) if heads else 2
        tag.name, tag.attrs["id"] = f"h{level}", f"{stem}-{len(heads)}"
        entry = _joined(shown for _, shown in _pieces(tag))
        if tag.find(("img", "svg")):
            tag.attrs[LABEL] = text
        heads.append(Heading(level, tag.attrs["id"], text, entry))
    return heads


def _joined(pieces: Iterator[Markup]) -> Markup:
    return Markup(re.sub(r"\s+", " ", "".join(pieces)).strip())


def _pieces(tag: Tag) -> Iterator[tuple[str, Markup]]:
    """Text of a heading, piece by piece, and how it stands in the contents."""
    for child in tag.children:
        if isinstance(child, Tag) and child.name in ("img", "svg"):
            alt = str(child.get("alt") or "").strip() or child.get_text().strip() or PICTURE
            formula = "formula" in child.get("class", [])
            yield alt, Markup(child) if formula else escape(alt)
        elif isinstance(child, Tag):
            yield from _pieces(child)
        elif type(child) is NavigableString:  # no comment
            yield str(child), escape(child)
