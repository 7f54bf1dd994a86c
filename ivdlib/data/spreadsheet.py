"""Small tables that people write, in CSV, with the habits of spreadsheets in mind."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from ivdlib.data.people import key
from ivdlib.errors import DataError, printable
from ivdlib.files import cannot
from ivdlib.links import need_content

_LIKE = {
    "case": r"(case|scan|image|file|fall|examination|study)s?",
    "subject": r"(subject|subj|sub|patient|pat|person|participant|proband|people|who)s?",
    "fold": r"(fold|group|part|split|set)s?",
}
"""What a column may be called that should have another name, before "ID", "number" and the like."""

_NOBODY = re.compile(r"[\W_]*|#?n[/.]?a[.]?|nan|<na>|none|null|nil|unknown|unbekannt")
_BREAK = re.compile(r"[\r\n]")
_END = "\0end"
"""Stands alone in the last line of what is read, unless a quote above it is not closed."""

_BETWEEN = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""Signs between cells that are not read: which it is, only whoever saved the file knows."""

_SHORTENED = re.compile(r"\d([.,]\d+)?e\+\d+")
"""What a spreadsheet makes of a long number: those that begin alike become one."""


def says_who(cell: object) -> bool:
    """Whether a cell names anybody: "", `NA`, `?` and the like do not."""
    return not _NOBODY.fullmatch(key(cell))


def of_letters(cell: str) -> bool:
    """Whether a cell has no control signs, such as NUL or those that colour a terminal."""
    return not any(unicodedata.category(sign) == "Cc" for sign in cell)


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
        Lines by column, columns in lower case, blanks stripped; empty lines, and Excel's ``sep=,``,
        are left out.

    Raises
    ------
    DataError
        If the file is no table, a column is missing or there twice, a line has more cells than
        there are columns, a quote is not closed, or a name holds control signs.
    """
    (_, first), *rest = _rows(path) or [(1, [])]
    columns = [key(cell) for cell in first]
    lacking = [name for name in needed if name not in columns]
    if lacking and (why := _no_head(first)):
        raise DataError(f"{path} lacks the column {' and '.join(lacking)}: {why}.")
    twice = [name for name in needed if columns.count(name) > 1]
    if twice:
        raise DataError(f"{path} has the column {twice[0]} more than once; keep one.")
    lines = []
    for number, cells in rest:
        if any(cell.strip() for cell in cells[len(first) :]):
            raise DataError(
                f"{path}: line {number} has more cells than the first line has columns; put what "
                "holds a comma into quotes."
            )
        cells = [cell.strip() for cell in cells] + [""] * (len(first) - len(cells))
        if any(cells):
            lines.append(dict(zip(columns, cells, strict=False)))
            if any(_BREAK.search(lines[-1].get(name, "")) for name in needed):
                raise DataError(_open_quote(path, number))
    if lacking:
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
            if not of_letters(line[name]):
                raise DataError(
                    f"{path}: the {name} {printable(line[name])!r} holds signs that are no "
                    "letters; write it again."
                )
    return lines


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Rows of a CSV file from the head on, with the line that each begins in."""
    found, line = [], 1
    need_content(path)
    try:
        # utf-8-sig: spreadsheets put a byte-order mark before the first column's name
        text = path.read_bytes().decode("utf-8-sig")
        rows = csv.reader(io.StringIO(f"{text}\n{_END}", newline=""), skipinitialspace=True)
        for cells in rows:
            above = re.fullmatch("sep=.?", key(cells[0])) if cells else None
            if found or any(map(str.strip, cells)) and not above:
                found.append((line, cells))
            line = rows.line_num + 1
    except OSError as error:
        raise DataError(cannot("read", path, error)) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} cannot be read as a table ({error}); save it as CSV in UTF-8."
        ) from error
    except csv.Error as error:
        raise DataError(
            f"{path} cannot be read as a table (a cell of line {line} has more than "
            f"{csv.field_size_limit():,} letters); shorten it, or write the quote that should end "
            "it."
        ) from error
    if found[-1][1] != [_END]:  # it went into a cell that does not end
        raise DataError(_open_quote(path, found[-1][0]))
    return found[:-1]


def _open_quote(path: Path, line: int) -> str:
    return f'{path}: a quote (") of line {line} is not closed on it; close it, or take it away.'


def _no_head(first: Sequence[str]) -> str:
    """Say why the first line of a table cannot name its columns; "" where it can."""
    shown = [cell.strip() for cell in first if cell.strip()] or [""]
    if shown[0].startswith("#"):
        return "its first line is a comment (#), not the names of the columns; take it away"
    for sign, word in _BETWEEN.items():
        if len(shown) == 1 and sign in shown[0]:
            return f"its cells are parted by {word}; save it with commas between (CSV, UTF-8)"
    return ""


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
