"""Patient-wise cross-validation (paper, Sect. 3.2): no patient trains and tests one network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ivdlib.data.people import FROM_NAME, key, one_of_two, questions, unified
from ivdlib.data.quality.copies import find_twins, signature
from ivdlib.data.spreadsheet import of_letters, says_who
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
            stands = f"patient {shown} stands" if len(both) == 1 else f"patients {shown} stand"
            raise LeakageError(
                f"fold {self.number}: {stands} in training and test; move all scans of a patient "
                "to one side."
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
    return folds_of_groups({case: n for n, cases in enumerate(dealt) for case in cases}, subjects)


def _dealt(subjects: Mapping[str, str], folds: int, seed: int) -> list[list[str]]:
    """Cases that each fold tests: patients are shuffled by a seed, then dealt one by one."""
    patients = sorted(set(subjects.values()))
    order = np.random.default_rng(seed).permutation(len(patients))
    group = {patients[p]: position % folds for position, p in enumerate(order)}
    return [[case for case, who in subjects.items() if group[who] == n] for n in range(folds)]


def folds_of_groups(group: Mapping[str, object], subjects: Mapping[str, str]) -> list[Fold]:
    """A fold for each group of cases, in the order of the groups' names."""
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
