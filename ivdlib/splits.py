"""Patient-wise cross-validation (paper, Sect. 3.2): no patient trains and tests one network."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ivdlib.errors import ConfigError, DataError, LeakageError
from ivdlib.links import need_content

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
        Where a case or a subject stands on both sides.
    ConfigError
        Where one side is empty.
    """

    number: int
    train: tuple[str, ...]
    test: tuple[str, ...]
    subjects: Mapping[str, str]

    def __post_init__(self) -> None:
        if not self.train or not self.test:
            raise ConfigError(f"fold {self.number} has no cases on one side; use fewer folds.")
        ours = {self.subjects[case] for case in self.train}
        both = sorted(ours & {self.subjects[case] for case in self.test})
        if both:
            raise LeakageError(
                f"fold {self.number}: patient {', '.join(both)} stands in training and test; "
                "move all scans of a patient to one side."
            )

    def inner(self) -> Fold:
        """Fold within the training patients: one of them tests.

        For choices, such as that of a learning rate, that no test patient may make. `ConfigError`
        where there is but one.
        """
        patients = sorted({self.subjects[case] for case in self.train})
        if len(patients) < 2:
            raise ConfigError(
                f"fold {self.number} trains on one patient, so none can be set aside (inner); add "
                "patients."
            )
        chosen = patients[self.number % len(patients)]
        test = tuple(case for case in self.train if self.subjects[case] == chosen)
        train = tuple(case for case in self.train if self.subjects[case] != chosen)
        return Fold(self.number, train, test, self.subjects)


def subjects_of(cases: Iterable) -> dict[str, str]:
    """Subject by case name, from `Case` objects or from a mapping that has it already."""
    if isinstance(cases, Mapping):
        return dict(cases)
    return {case.name: case.subject for case in cases}


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
        Where there are fewer patients than folds, fewer than two patients, or fewer than two folds.

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
    order = np.random.default_rng(seed).permutation(len(patients))
    group = {patients[p]: position % folds for position, p in enumerate(order)}
    return _folds({case: group[subject] for case, subject in subjects.items()}, subjects)


def folds_from_file(path: str | os.PathLike, cases: Iterable | Mapping[str, str]) -> list[Fold]:
    """Read folds from a CSV file with the columns `case` and `fold` (the fold that tests the case).

    Raises
    ------
    DataError
        Where the file cannot be read or names other cases than there are.
    LeakageError
        Where the scans of one patient are in two folds.
    ConfigError
        Where there is a single fold.
    """
    subjects = subjects_of(cases)
    need_content(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        group = {row["case"].strip(): row["fold"].strip() for row in rows}
    except (OSError, KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path} as a CSV with the columns case, fold.") from error
    if not all(group.values()):
        raise DataError(f"{path} leaves the fold of a case empty; each case is tested in one fold.")
    if len(group) != len(rows):
        raise DataError(f"{path} names a case twice; each case is tested in one fold.")
    if set(group) != set(subjects):
        odd = ", ".join(sorted(set(group) ^ set(subjects)))
        raise DataError(f"{path} and the data differ in these cases: {odd}.")
    if len(set(group.values())) < 2:
        raise ConfigError(f"{path} has one fold only; at least two are needed.")
    return _folds(group, subjects)


def _folds(group: Mapping[str, object], subjects: Mapping[str, str]) -> list[Fold]:
    cases: Sequence[str] = sorted(subjects)
    return [
        Fold(
            number,
            tuple(case for case in cases if group[case] != value),
            tuple(case for case in cases if group[case] == value),
            dict(subjects),
        )
        for number, value in enumerate(sorted(set(group.values()), key=_natural), start=1)
    ]


def _natural(value: object) -> tuple[int, str]:
    """Order of the folds' names: 2 before 10."""
    return len(str(value)), str(value)
