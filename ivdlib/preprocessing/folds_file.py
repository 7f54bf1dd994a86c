"""Folds that a table names: the reader's own, or those of another study."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from ivdlib.data.people import key, meant
from ivdlib.data.remarks import NAMED, listed
from ivdlib.data.spreadsheet import read_table, says_who
from ivdlib.errors import ConfigError, DataError
from ivdlib.preprocessing.folds import Fold, folds_of_groups, subjects_of


def folds_from_file(path: str | os.PathLike, cases: Iterable | Mapping[str, str]) -> list[Fold]:
    """Read folds from a CSV file with the columns `case` and `fold` (the fold that tests the case).

    In place of `case` it may have the column `subject`, all of whose scans are meant.

    Raises
    ------
    DataError
        If the file cannot be read, names other cases (subjects) than there are, or says of a
        case that another person was scanned.
    LeakageError
        If the scans of one patient are in two folds.
    ConfigError
        If there is a single fold.
    """
    subjects = subjects_of(cases)
    what, rows = _lines(Path(path), [*subjects])
    meant_by = {case: case if what == "case" else who for case, who in subjects.items()}
    known = {key(name): str(name) for name in meant_by.values()}
    named = {key(row[what]): row[what] for row in rows}
    if empty := [row[what] for row in rows if not says_who(row["fold"])]:
        raise DataError(
            f"{path} leaves the fold of a {what} empty ({listed(empty)}); each {what} is tested in "
            "one fold."
        )
    counts = Counter(key(row[what]) for row in rows)
    if twice := [named[name] for name, number in counts.items() if number > 1]:
        raise DataError(
            f"{path} names a {what} twice ({listed(twice)}); each {what} is tested in one fold."
        )
    lacking = [name for spelt, name in known.items() if spelt not in named]
    left_over = [name for spelt, name in named.items() if spelt not in known]
    if lacking or left_over:
        odd = [f"{name} (not in the file)" for name in sorted(lacking)]
        odd += [f"{name} (not in the data)" for name in sorted(left_over)]
        hint = next(filter(None, (meant(name, left_over) for name in lacking[:NAMED])), "")
        raise DataError(
            f"{path} and the data differ in these {what}s: {listed(odd)}; "
            f"{hint or f'write a line for each {what} that is here, and no other'}."
        )
    if what == "case":
        said = {key(row["case"]): row.get("subject", "") for row in rows}
        _compare_people(path, subjects, {case: said[key(case)] for case in subjects})
    fold_of = {key(row[what]): _plain(row["fold"]) for row in rows}
    group = {case: fold_of[key(name)] for case, name in meant_by.items()}
    if len(set(group.values())) < 2:
        raise ConfigError(f"{path} has one fold only; at least two are needed.")
    return folds_of_groups(group, subjects)


def _compare_people(
    path: str | os.PathLike, ours: Mapping[str, str], theirs: Mapping[str, str]
) -> None:
    """Refuse a table in which scans of one person are those of several, or the other way round.

    Other names for the same people are none of it.
    """
    named = [case for case, who in theirs.items() if says_who(who)]
    here: dict[str, list[str]] = {}  # person → cases
    there: dict[str, list[str]] = {}
    for case in named:
        here.setdefault(key(ours[case]), []).append(case)
        there.setdefault(key(theirs[case]), []).append(case)
    odd = [
        case
        for case in named
        if (mine := key(ours[case])) != (who := key(theirs[case]))
        and (here[mine] != there[who] or here.get(who, there[who]) != there[who])
    ]
    if odd:
        more = f" (and {len(odd) - 1} more case{'s' * (len(odd) > 2)})" if odd[1:] else ""
        raise DataError(
            f"{path} and the data differ in who was scanned: case {odd[0]} is {theirs[odd[0]]} "
            f"there and {ours[odd[0]]} in the data{more}; correct one of them, or take the column "
            "subject out of the file."
        )


def _lines(path: Path, cases: list[str]) -> tuple[str, list[dict[str, str]]]:
    """What a table of folds goes by, "case" or "subject", and its lines."""
    try:
        return "case", read_table(path, ("case", "fold"), cases, "case,fold")
    except DataError as error:
        try:
            return "subject", read_table(path, ("subject", "fold"), cases, "subject,fold")
        except DataError as other:
            raise (error if "lacks the column" in str(other) else other) from None


def _plain(fold: str) -> str:
    """A fold's name; 1, 01 and 1.0 are one, as spreadsheets and pandas write it."""
    return re.sub(r"^0*(\d+)([.,]0+)?$", r"\1", key(fold))
