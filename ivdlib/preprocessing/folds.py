"""Patient-wise cross-validation (paper, Sect. 3.2): no patient trains and tests one network."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib.data.people import FROM_NAME, key, meant, one_of_two, questions, unified
from ivdlib.data.quality.copies import find_twins, signature
from ivdlib.data.remarks import NAMED, listed
from ivdlib.data.spreadsheet import of_letters, read_table, says_who
from ivdlib.errors import ConfigError, DataError, LeakageError, printable

FOLDS = 4
"""The paper's "four groups of cross-validation"."""


@dataclass(frozen=True)
class Fold:
    """One group of the cross-validation: names of the cases that train and of those that test.

    Attributes
    ----------
    number : int
        Counted from 1.
    train, test : tuple of str
        Case names.
    subjects : mapping of str to str
        Subject of each case.

    Raises
    ------
    LeakageError
        If a case or a subject stands on both sides.
    ConfigError
        If one side is empty.
    """

    number: int
    train: tuple[str, ...]
    test: tuple[str, ...]
    subjects: Mapping[str, str]

    def __post_init__(self) -> None:
        if not self.train or not self.test:
            raise ConfigError(f"fold {self.number} has no cases on one side; use fewer folds.")
        ours = {key(self.subjects[case]): self.subjects[case] for case in self.train}
        both = sorted({key(self.subjects[case]) for case in self.test} & ours.keys())
        if both:
            shown = ", ".join(ours[who] for who in both)
            raise LeakageError(
                f"fold {self.number}: patient {shown} stands in training and test; "
                "move all scans of a patient to one side."
            )

    def inner(self) -> Fold:
        """Fold within the training patients: one of them tests.

        For choices, such as that of a learning rate, that no test patient may make. `ConfigError`
        where there is but one.
        """
        test = self.aside()
        train = tuple(case for case in self.train if case not in test)
        if not train:
            raise ConfigError(
                f"fold {self.number} trains on one patient, so none can be set aside (inner); add "
                "patients."
            )
        return Fold(self.number, train, test, self.subjects)

    def aside(self) -> tuple[str, ...]:
        """Cases of the training patient whom `inner` sets aside."""
        subjects = unified({case: self.subjects[case] for case in self.train})
        patients = sorted(set(subjects.values()))
        chosen = patients[self.number % len(patients)]
        return tuple(case for case in self.train if subjects[case] == chosen)


def subjects_of(cases: Iterable | Mapping[str, str]) -> dict[str, str]:
    """Subject by case name, each person in one spelling: who must not be on two sides of a fold.

    Parameters
    ----------
    cases : iterable of Case, or mapping of case name to subject

    Raises
    ------
    DataError
        If two cases have one name, where an image of a person stands in several cases, where
        two people differ as spellings of one name do, or where nobody has written down who was
        scanned and the names of the cases leave it open.
    LeakageError
        If an image stands in cases of several people.
    """
    if isinstance(cases, Mapping):
        found = dict(cases)
        for name, person in found.items():
            if not isinstance(name, str) or isinstance(person, bool | float) and person == person:
                raise DataError(
                    f"case {name!r} of subject {person!r}: names are text, for 01 is not 1 and 2 "
                    "is not 2.0; read such a table with dtype=str."
                )
            if not of_letters(f"{name}{person}"):
                raise DataError(
                    f"case {printable(name)!r} of subject {printable(str(person))!r} holds signs "
                    "that are no letters; write it again."
                )
    else:
        cases = list(cases)
        found = {case.name: case.subject for case in cases}
        if asked := _asked(cases):
            raise DataError(f"{asked[0]}{_and_more(len(asked) - 1, ('group', 'groups'))}.")
        signed = {
            case.name: {word: signature(image) for word, image in _measured(case).items()}
            for case in cases
        }
        if twins := find_twins(signed, found):
            kind = LeakageError if len(twins[0].people) > 1 else DataError
            raise kind(f"{twins[0].remark}.")
    spelt: dict[str, str] = {}
    for name in found:
        if (other := spelt.setdefault(key(name), name)) != name:
            raise DataError(f"{other!r} and {name!r} are one name; rename one of the two cases.")
    for name, person in found.items():
        if not says_who(person) and key(person) != key(name):
            raise DataError(f"case {name} has no subject ({person}); fill it in.")
    found = unified(found)
    if alike := one_of_two(found):
        raise DataError(f"{alike[0][1]}{_and_more(len(alike) - 1, ('pair', 'pairs'))}.")
    return found


def _asked(cases: Sequence[Any]) -> list[str]:
    """What names and folders leave open about these cases, of which others may have been left."""
    known = Counter(getattr(case, "subject_question", "") for case in cases)
    asked = [text for text, number in known.items() if text and number > 1]
    names = {
        case.name: case.subject
        for case in cases
        if getattr(case, "subject_source", "") == FROM_NAME
        and getattr(case, "subject_question", "") not in asked
    }
    return asked + [text for _, text in questions(names)]


def _and_more(number: int, words: tuple[str, str]) -> str:
    if number < 1:
        return ""
    things = f"one more {words[0]}" if number == 1 else f"{number} more {words[1]}"
    return f" (and {things} of names, see ivdlib check)"


def _measured(case: Any) -> dict[str, np.ndarray]:
    """Images of a case that were not computed from others."""
    contrasts = getattr(case, "contrasts", {})
    return {word: image for word, image in contrasts.items() if word not in case.derived}


def patient_folds(
    cases: Iterable | Mapping[str, str], folds: int | None = None, seed: int = 0
) -> list[Fold]:
    """Divide patients into folds of (nearly) equal numbers of patients.

    Parameters
    ----------
    cases : iterable of Case, or mapping of case name to subject
        All scans; those of one subject always stay together.
    folds : int, optional
        Number of folds. Without it four as in the paper, but so few that each fold tests two
        patients, as the paper's do: 8 patients give 4 folds, 6 give 3, 4 give 2.
    seed : int, default 0
        The paper does not say who is in which group; patients are shuffled by this seed.

    Returns
    -------
    list of Fold
        Every case is tested exactly once.

    Raises
    ------
    ConfigError
        If there are fewer patients than folds, fewer than two patients, or fewer than two folds.

    Examples
    --------
    >>> scans = {"01": "A", "02": "A", "03": "B", "04": "C", "05": "D"}
    >>> [fold.test for fold in patient_folds(scans)]
    [('03', '04'), ('01', '02', '05')]
    """
    subjects = subjects_of(cases)
    patients = sorted(set(subjects.values()))
    if len(patients) < 2:
        raise ConfigError(
            f"cross-validation needs two patients or more and found {len(patients)}; "
            "add patients, or check subjects.csv."
        )
    folds = max(2, min(FOLDS, len(patients) // 2)) if folds is None else folds
    if not 2 <= folds <= len(patients):
        raise ConfigError(f"{folds} folds do not fit {len(patients)} patients; use 2 to that many.")
    dealt = _dealt(subjects, folds, seed)
    return _folds({case: n for n, cases in enumerate(dealt) for case in cases}, subjects)


def _dealt(subjects: Mapping[str, str], folds: int, seed: int) -> list[list[str]]:
    """Cases that each fold tests: patients are shuffled by a seed, then dealt one by one."""
    patients = sorted(set(subjects.values()))
    order = np.random.default_rng(seed).permutation(len(patients))
    group = {patients[p]: position % folds for position, p in enumerate(order)}
    return [[case for case, who in subjects.items() if group[who] == n] for n in range(folds)]


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
    return _folds(group, subjects)


def _compare_people(path: Path, ours: Mapping[str, str], theirs: Mapping[str, str]) -> None:
    """Refuse a table in which scans of one person are those of several, or the other way round.

    Other names for the same people are none of it.
    """
    named = [case for case, who in theirs.items() if says_who(who)]
    here, there = ({}, {})  # person → cases
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


def _folds(group: Mapping[str, object], subjects: Mapping[str, str]) -> list[Fold]:
    cases = sorted(subjects)
    names = sorted(set(group.values()), key=lambda name: (len(str(name)), str(name)))  # 2, then 10
    return [
        Fold(
            number,
            tuple(case for case in cases if group[case] != value),
            tuple(case for case in cases if group[case] == value),
            dict(subjects),
        )
        for number, value in enumerate(names, start=1)
    ]
