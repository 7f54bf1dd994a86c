"""The summary that `ivdlib predict` writes for many scans: one table, one page, odd ones first."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ivdlib import files
from ivdlib.errors import printable
from ivdlib.evaluation.scoring import SUFFIX
from ivdlib.report import pages
from ivdlib.report.scan_page import PAGE, look_first
from ivdlib.training.disc_files import TABLE
from ivdlib.training.mask_files import warned_beside

SUMMARY, PARQUET, INDEX = "summary.csv", "summary.parquet", "index.html"

STATES = ("failed", "look", "fine")
"""Of a scan, the odd ones first."""


@dataclass(frozen=True)
class Line:
    """One scan of the page: state, what was found, what to know, its page."""

    case: str
    state: str
    found: str
    told: tuple[str, ...]
    page: str


def write_summary(
    folder: Path, done: Sequence[str], failed: Mapping[str, str], source: str | os.PathLike = ""
) -> list[Path]:
    """Write the tables of all scans as one, and a page with the odd ones first.

    Parameters
    ----------
    folder : Path
        Where `predict` wrote.
    done : sequence of str
        Names of the scans that have a mask.
    failed : mapping of str to str
        Name of each scan that has none, and why.
    source : path, optional
        Where the scans lie. It stands on no page: folders are named after patients at times.

    Returns
    -------
    list of Path
        What was written; Parquet only where `pyarrow` is installed.

    Raises
    ------
    DataError
        If a file cannot be written or read.
    """
    tables = {name: pd.read_csv(folder / f"{name}{TABLE}", dtype={"case": str}) for name in done}
    rows = [table for table in tables.values() if len(table)]
    whole = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["case", "level"])
    written = [folder / SUMMARY]
    files.write_csv(written[0], whole)
    if importlib.util.find_spec("pyarrow"):
        written.append(folder / PARQUET)
        with files.atomic(written[-1]) as temporary:
            whole.to_parquet(temporary)
    lines = [Line(name, "failed", "no mask", (why,), "") for name, why in failed.items()]
    lines += [_line(folder, name, table) for name, table in tables.items()]
    lines.sort(key=lambda line: (STATES.index(line.state), line.case))
    counts = {state: sum(line.state == state for line in lines) for state in STATES}
    page = pages.fill("scans.html.j2", lines=_printable(lines, source), counts=counts)
    written.append(folder / INDEX)
    files.write_text(written[-1], page)
    return written


def _line(folder: Path, name: str, table: pd.DataFrame) -> Line:
    """What the page says of a scan that has a mask."""
    warned = warned_beside(folder / f"{name}{SUFFIX}")
    told = tuple(look_first(table.to_dict("records"), warned))
    page = f"{name}{PAGE}"
    if not len(table):
        return Line(name, "look", "no disc", told, page)
    levels = [str(level) for level in table["level"].fillna("")]
    found = f"{len(table)} discs, {levels[0]} to {levels[-1] or '?'}"
    unsure = bool(table["uncertain"].any())
    return Line(name, "look" if told or unsure else "fine", found, told, page)


def _printable(lines: Sequence[Line], source: str | os.PathLike) -> list[Line]:
    return [
        Line(*map(printable, (line.case, line.state, line.found)),
             tuple(printable(_bare(text, line.case, source)) for text in line.told), line.page)
        for line in lines
    ]  # fmt: skip


def _bare(text: str, case: str, source: str | os.PathLike) -> str:
    """A sentence without what the page says already, and without the folder of the scans."""
    for place in {os.fspath(source), os.path.abspath(source)} if os.fspath(source) else ():
        text = text.replace(f"{place.rstrip(os.sep)}{os.sep}", "")
    return text.removeprefix("left out: ").removeprefix(f"case {case}: ")
