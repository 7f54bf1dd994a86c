"""What is said about cases: collected while they are read, grouped and made fit to print after.

A remark is one sentence, "what is so; what to do about it": what follows the last semicolon is the
repair.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

NAMED = 5
"""A remark lists this many cases by name and counts the rest."""


@dataclass(frozen=True)
class Remarks:
    """Collects the `notes` and `corrections` of a case while it is put together."""

    notes: list[str] = field(default_factory=list)
    corrections: list[str] = field(default_factory=list)


def grouped(remarks: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each different remark once, with the cases that it concerns.

    Parameters
    ----------
    remarks : iterable of (str, str)
        Case and remark.

    Returns
    -------
    list of (str, str)
        Where ("case A1", "2 cases (A1, B1)") and remark, in the order of their first appearance.
    """
    by_text: dict[str, list[str]] = {}
    for case, text in remarks:
        by_text.setdefault(text, []).append(case)
    return [
        (f"case {names[0]}" if len(names) == 1 else f"{len(names)} cases ({listed(names)})", text)
        for text, names in by_text.items()
    ]


def listed(names: list[str]) -> str:
    """Names in a row: "A1, B1, C1, D1, E1 and 3 more"."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def split_repair(remark: str) -> tuple[str, str]:
    """Split a remark into what is so and what to do; the second is "" where nothing is."""
    what, _, repair = remark.rstrip(".").rpartition("; ")
    return (what, repair) if what else (repair, "")


def printable(text: str) -> str:
    """Replace what a name may hold and a terminal or a page must not get, such as escape codes."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
