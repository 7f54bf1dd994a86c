"""What a lesson says about itself at its top, and what the README says of it in a line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ivdlib.errors import ConfigError
from ivdlib.report import edits

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Head:
    """The head of a lesson.

    Attributes
    ----------
    stem, number, title : str
        `02_spine_unet`, `02`, `Find the spine first: a U-Net`.
    goals : tuple of str
        What one will be able to do.
    needs : str
        What one should know before.
    minutes : int
        Study time, writing included.
    line : str
        The lesson in one line, see `lines`.
    """

    stem: str
    number: str
    title: str
    goals: tuple[str, ...]
    needs: str
    minutes: int
    line: str


def parts_of(text: str) -> dict[str, str]:
    """Parts of a head, `> **Needs:** 01 · **Study time:** …`, by their names."""
    quoted = [line.lstrip("> ").strip() for line in text.splitlines() if line.startswith(">")]
    found = re.split(r"(?: · )?\*\*([A-Z][a-z ]+):\*\* ", " ".join(filter(None, quoted)))
    return {name: said.strip() for name, said in zip(found[1::2], found[2::2], strict=True)}


def head_of(notebook: Path, line: str) -> Head:
    """Head of a lesson.

    Raises
    ------
    ConfigError
        If it names no title, goals, needs or minutes.
    """
    text = edits.opened(notebook).cells[0].source
    parts = parts_of(text)
    title = re.match(r"# (\w+) · (.+)", text)
    minutes = re.search(r"(\d+) minutes", parts.get("Study time", ""))
    if not (title and minutes and {"You will be able to", "Needs"} <= parts.keys()):
        raise ConfigError(
            f"the head of {notebook.name} lacks its title, what one will be able to do, what it "
            "needs, or its minutes of study; write it as the other lessons do."
        )
    goals = tuple(parts["You will be able to"].split(" · "))
    found = (title[1], title[2], goals, parts["Needs"], int(minutes[1]))
    return Head(notebook.stem, *found, line)


def lines(readme: Path = ROOT / "README.md") -> dict[str, str]:
    """Lessons in one line each, from the README's table, by their names."""
    row = re.compile(r"^\| \[(\w+)\]\(notebooks/\1\.ipynb\) \| (.+?) \|$", re.MULTILINE)
    return dict(row.findall(readme.read_text(encoding="utf-8")))


def heads(notebooks: Iterable[Path]) -> list[Head]:
    """Heads of lessons.

    Raises
    ------
    ConfigError
        As `head_of` does, and for a lesson that the README's table does not know.
    """
    notebooks, said = list(notebooks), lines()
    if strange := [path.stem for path in notebooks if path.stem not in said]:
        raise ConfigError(f"the README's table of lessons lacks {', '.join(strange)}; add a line.")
    return [head_of(path, said[path.stem]) for path in notebooks]
