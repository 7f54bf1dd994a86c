"""Files that stand beside the images: `subjects.csv` (who is who) and `dataset.json` (corrections).

Without `subjects.csv` the subjects follow from the names of the cases, and a note says so: a
patient on both sides of a split is the fault that this guards against.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any

from ivdlib.errors import DataError
from ivdlib.files import read_json
from ivdlib.layout import CaseFiles
from ivdlib.links import need_content
from ivdlib.orientation import check_axcodes

CHALLENGE_SUBJECTS = {f"{n:02d}": (f"S{(n + 1) // 2}", "1" if n % 2 else "2") for n in range(1, 17)}
"""Subject and stage of the IVDM3Seg training scans 01 to 16, inferred: the published label
statistics (volumes and spacing of the discs) pair consecutive scans, the even one after bed rest.
The organisers never published a table."""

FROM_TABLE = "subjects.csv"
FROM_CHALLENGE = "inferred (challenge table)"
FROM_NAME = "case name"

_LETTERED = re.compile(r"([A-Za-z])(\d)([-_]\d+)?")
"""Person, one digit for the time of the scan, and perhaps the number of a crop."""


@dataclass(frozen=True)
class Subject:
    """Who was scanned: subject, stage ("" where unknown), where that is from, further columns."""

    subject: str
    stage: str
    source: str
    columns: dict[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Declared:
    """What `dataset.json` declares; `everything` is the whole file."""

    path: Path | None = None
    axcodes: tuple[str, str, str] | None = None
    discs: frozenset[int] | None = None
    spine: frozenset[int] | None = None
    everything: dict[str, Any] = field(default_factory=dict)


def find_beside(name: str, folder: Path, cases: list[CaseFiles], *, above: bool) -> Path | None:
    """Find a file such as `subjects.csv` in `folder`, or on the way down to the cases.

    Parameters
    ----------
    name : str
    folder : Path
        The folder that was asked for.
    cases : list of CaseFiles
        Found in it.
    above : bool
        Look one level above `folder` too (for the folder of a single case).

    Returns
    -------
    Path or None

    Raises
    ------
    DataError
        Where several stand below `folder`, so that none holds for all cases.
    """
    for place in (folder, folder.resolve().parent) if above else (folder,):
        if _is_there(place / name):
            return place / name
    between = {
        place
        for case in cases
        for path in case.paths.values()
        for place in path.parents
        if folder in place.parents
    }
    found = sorted(place / name for place in between if _is_there(place / name))
    if len(found) > 1:
        raise DataError(
            f"{folder} holds more than one {name} ({', '.join(map(str, found))}); "
            f"load the folders one by one, or put one {name} into {folder}."
        )
    return found[0] if found else None


def _is_there(path: Path) -> bool:
    """Whether there is such a file; one whose content was not fetched must not be passed over."""
    need_content(path)
    return path.is_file()


def read_declared(path: Path | None) -> Declared:
    """Read and check `dataset.json`.

    Parameters
    ----------
    path : Path or None
        None gives an empty declaration.

    Returns
    -------
    Declared

    Raises
    ------
    DataError
        Where the file is not a JSON object, the axis codes are unknown, or a label set is not a
        list of whole numbers from 1 to 255.
    """
    if path is None:
        return Declared()
    content = read_json(path)
    if not isinstance(content, dict):
        raise DataError(f"{path} must hold one JSON object, as in {{'axcodes': ['R', 'P', 'S']}}.")
    axcodes = content.get("axcodes")
    return Declared(
        path,
        None if axcodes is None else check_axcodes(axcodes, str(path)),
        label_set(content.get("discs"), f"{path}: discs"),
        label_set(content.get("spine"), f"{path}: spine"),
        content,
    )


def label_set(values: Any, where: str) -> frozenset[int] | None:
    """Check label values such as ``{1, 2, 3}``; None stays None.

    Raises
    ------
    DataError
        Where they are not one or more whole numbers from 1 to 255.
    """
    if values is None:
        return None
    if isinstance(values, str | bytes | dict) or not hasattr(values, "__iter__"):
        values = [None]
    values = list(values)
    whole = all(isinstance(v, Integral) and not isinstance(v, bool) for v in values)
    if not values or not whole or not all(1 <= v <= 255 for v in values):
        raise DataError(f"{where} must be a list of label values, whole numbers from 1 to 255.")
    return frozenset(int(value) for value in values)


def find_subjects(
    cases: list[CaseFiles], table: Path | None
) -> tuple[dict[str, Subject], dict[str, str]]:
    """Say for each case who was scanned.

    Parameters
    ----------
    cases : list of CaseFiles
    table : Path or None
        `subjects.csv`, with the columns `case`, `subject`, optionally `stage`, and any others.

    Returns
    -------
    subjects : dict of str to Subject
        By case name; a case with a fault is not in it.
    faults : dict of str to str
        Case name → one sentence, for cases that the table leaves out or lists twice.

    Raises
    ------
    DataError
        Where the table cannot be read or lacks a column.
    """
    names = [case.name for case in cases]
    if table is not None:
        return _from_table(names, table)
    if all(name in CHALLENGE_SUBJECTS for name in names):
        note = (
            "the subject is inferred from the challenge's numbering (01 and 02 are one person, and "
            "so on); write a subjects.csv (case,subject,stage) if these are other scans"
        )
        return {n: Subject(*CHALLENGE_SUBJECTS[n], FROM_CHALLENGE, note=note) for n in names}, {}
    matches = {name: _LETTERED.fullmatch(name) for name in names}
    if all(matches.values()):  # one digit: P01, P02, … are people
        found = {n: (m[1].upper(), m[2]) for n, m in matches.items()}
        note = _joined_by_letter(found)
        return {n: Subject(*who, FROM_NAME, note=note) for n, who in found.items()}, {}
    note = (
        "taken as a subject of its own, because there is no subjects.csv; write one "
        "(case,subject,stage) if a person was scanned more than once"
    )
    return {name: Subject(name, "", FROM_NAME, note=note) for name in names}, {}


def _joined_by_letter(found: dict[str, tuple[str, str]]) -> str:
    """What to say where a letter stands for one person at several times; "" where none does."""
    times: dict[str, set[str]] = {}
    for letter, time in found.values():
        times.setdefault(letter, set()).add(time)
    joined = {letter: sorted(some) for letter, some in times.items() if len(some) > 1}
    if not joined:
        return ""
    letter, (first, second, *_) = next(iter(joined.items()))
    return (
        f"the subject is read from the name ({letter}{first} and {letter}{second} are one person, "
        "and so on); write a subjects.csv (case,subject,stage) if that is wrong"
    )


def _from_table(names: list[str], path: Path) -> tuple[dict[str, Subject], dict[str, str]]:
    rows: dict[str, list[dict[str, str]]] = {}
    for row in _rows(path):
        rows.setdefault(row["case"].casefold(), []).append(row)
    subjects, faults = {}, {}
    for name in names:
        mine = rows.get(name.casefold(), [])
        if not mine:
            faults[name] = f"case {name} is not in {path}; add a line for it."
        elif len(mine) > 1:
            faults[name] = f"case {name} stands {len(mine)} times in {path}; keep one line."
        elif not mine[0]["subject"]:
            faults[name] = f"case {name} has no subject in {path}; fill it in."
        else:
            row = mine[0]
            rest = {k: v for k, v in row.items() if k not in ("case", "subject", "stage")}
            subjects[name] = Subject(row["subject"], row.get("stage", ""), FROM_TABLE, rest)
    return subjects, faults


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        # utf-8-sig: spreadsheets put a byte-order mark before the first column's name
        with open(path, newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, skipinitialspace=True, restval="")
            columns = [(column or "").strip().lower() for column in reader.fieldnames or []]
            reader.fieldnames = columns
            rows = [{k: v.strip() for k, v in row.items() if k is not None} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read as a table ({error}); save it as CSV in UTF-8."
        ) from error
    lacking = [column for column in ("case", "subject") if column not in columns]
    if lacking:
        raise DataError(
            f"{path} lacks the column {' and '.join(lacking)} (it has "
            f"{', '.join(columns) or 'none'}); its first line must read case,subject,stage "
            "with commas between."
        )
    return rows
