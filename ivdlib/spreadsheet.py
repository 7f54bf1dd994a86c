"""Small tables that people write, in CSV, with the habits of spreadsheets in mind."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from ivdlib.errors import DataError, printable
from ivdlib.files import cannot
from ivdlib.links import need_content
from ivdlib.names import key

_LIKE = {
    "case": r"(case|scan|image|file|fall|examination|study)s?",
    "subject": r"(subject|subj|sub|patient|pat|person|participant|proband|people|who)s?",
    "fold": r"(fold|group|part|split|set)s?",
}
"""What a column may be called that should have another name, before "ID", "number" and the like."""

_NOBODY = re.compile(r"[\W_]*|#?n[/.]?a[.]?|nan|<na>|none|null|nil|unknown|unbekannt")
_SHORTENED = re.compile(r"\d([.,]\d+)?e\+\d+")
"""What a spreadsheet makes of a long number: those that begin alike become one."""


def says_who(cell: object) -> bool:
    """Whether a cell names anybody: "", `NA`, `?` and the like do not."""
    return not _NOBODY.fullmatch(key(cell))


def shortened(cell: object) -> bool:
    """Whether a cell holds what a spreadsheet left of a long number: `1.23E+11`."""
    return bool(_SHORTENED.fullmatch(key(cell)))


def read_table(
    path: Path, needed: Sequence[str], cases: Sequence[str], head: str
) -> list[dict[str, str]]:
    """Read a table.

    Parameters
    ----------
    path : Path
    needed : sequence of str
        Columns that must be there.
    cases : sequence of str
        Names of the cases that are here: they tell the column of cases from others.
    head : str
        How the first line should read.

    Returns
    -------
    list of dict
        Lines by column, columns in lower case, blanks stripped; empty lines are left out.

    Raises
    ------
    DataError
        Where the file is no table, a column is missing or there twice, a line has more cells than
        there are columns, or a name holds control signs.
    """
    need_content(path)
    try:
        # utf-8-sig: spreadsheets put a byte-order mark before the first column's name
        with open(path, newline="", encoding="utf-8-sig") as stream:
            first, *rest = [*csv.reader(stream, skipinitialspace=True)] or [[]]
    except OSError as error:
        raise DataError(cannot("read", path, error)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read as a table ({error}); save it as CSV in UTF-8."
        ) from error
    columns = [key(cell) for cell in first]
    twice = [name for name in needed if columns.count(name) > 1]
    if twice:
        raise DataError(f"{path} has the column {twice[0]} more than once; keep one.")
    lines = []
    for number, cells in enumerate(rest, start=2):
        if any(cell.strip() for cell in cells[len(first) :]):
            raise DataError(
                f"{path}: line {number} has more cells than the first line has columns; put what "
                "holds a comma into quotes."
            )
        cells = [cell.strip() for cell in cells] + [""] * (len(first) - len(cells))
        if any(cells):
            lines.append(dict(zip(columns, cells, strict=False)))
    if lacking := [name for name in needed if name not in columns]:
        shown = [cell.strip() for cell in first]
        said = (
            f"{path} lacks the column {' and '.join(lacking)} (it has {', '.join(shown) or 'none'})"
        )
        like = {name: _like(name, columns, lines, cases) for name in lacking}
        hints = [f"{shown[i]} looks like {name}" for name, i in like.items() if i is not None]
        said += f", but {' and '.join(hints)}" if hints else ""
        raise DataError(f"{said}; its first line must read {head} with commas between.")
    for line in lines:
        for name in needed:
            if any(unicodedata.category(sign) == "Cc" for sign in line[name]):
                raise DataError(
                    f"{path}: the {name} {printable(line[name])!r} holds signs that are no "
                    "letters; write it again."
                )
    return lines


def _like(
    name: str, columns: list[str], lines: list[dict[str, str]], cases: Sequence[str]
) -> int | None:
    """Which column should be called `name`: the one with the cases in it, or with such a title."""
    if name == "case":
        known = {key(case) for case in cases}
        hits = [sum(key(line[column]) in known for line in lines) for column in columns]
        if any(hits):
            return hits.index(max(hits))
    pattern = re.compile(_LIKE.get(name, name) + r"[ _-]?(id|nr|no|number|name|code|key)?")
    like = [i for i, column in enumerate(columns) if pattern.fullmatch(column)]
    return like[0] if len(like) == 1 else None
