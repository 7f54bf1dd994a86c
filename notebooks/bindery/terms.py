"""The glossary as a page of its own, and lessons that link to it where a term is bold."""

from __future__ import annotations

import re
from collections.abc import Callable

ENTRY = re.compile(r"^\*\*(.+?)\*\*: (.*?)(?=\n\n|\n*\Z)", re.MULTILINE | re.DOTALL)


def entries(glossary: str) -> dict[str, str]:
    """Text of each term of the glossary, in one line, by the term as it stands there."""
    return {term: " ".join(text.split()) for term, text in ENTRY.findall(glossary)}


def target(term: str) -> str:
    """Name of a term's place on the page of the glossary."""
    return "term-" + re.sub(r"\W+", "-", term.casefold()).strip("-")


def page(glossary: str) -> str:
    """The glossary for Sphinx: the same text, each term a place that can be linked to."""
    return ENTRY.sub(lambda found: f"({target(found[1])})=\n{found[0]}", glossary)


def linker(glossary: str) -> Callable[[str], str]:
    """A function that links the first bold mention of each term in a lesson's text.

    It remembers what it has linked: make a new one for each lesson.
    """
    left = {}
    for term in entries(glossary):
        for name in term.casefold().split(", "):
            left |= {name: term, f"{name}s": term, name.removesuffix(" overlap"): term}

    def link(text: str) -> str:
        def linked(found: re.Match) -> str:
            term = left.get(found[1].casefold())
            if term is None:
                return found[0]
            for name in [name for name in left if left[name] == term]:
                del left[name]
            return f"[{found[0]}](glossary.md#{target(term)})"

        return re.sub(r"(?<![\[*])\*\*([^*\n]+)\*\*(?![\]*])", linked, text)

    return link
