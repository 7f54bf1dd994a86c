"""Lesson 01: `patient_folds`, which divides patients into groups without a leak.

`right` is written in another way than the solution in the lesson, and one of many that are right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from ivdlib.course.own.task import Arguments, Task


def patient_folds(patient_of: Mapping[str, str], number: int) -> list[list[str]]:
    """Blocks of patients, each with all of its patients' scans."""
    blocks = np.array_split(sorted(set(patient_of.values())), number)
    return [[scan for scan, patient in patient_of.items() if patient in block] for block in blocks]


PEOPLE = ("Ann", "Bert", "Carl", "Dora", "Emil", "Fay", "Gus", "Hugo", "Ida")


def _scans(rng: np.random.Generator, *counts: int) -> dict[str, str]:
    """Patient of each scan: one of them is in the first scans and in the last one."""
    people = rng.permutation(PEOPLE)[: len(counts)].tolist()
    rest = rng.permutation(np.repeat(people, [counts[0] - 2, *counts[1:]])).tolist()
    dealt = [people[0], *rest, people[0]]
    return {f"{n:02}": patient for n, patient in enumerate(dealt, start=1)}


def _patient_folds_inputs(rng: np.random.Generator) -> list[Arguments]:
    first, second = rng.permutation(PEOPLE)[:2].tolist()
    return [
        ({"01": first, "02": second, "03": first}, 2),
        (_scans(rng, 3, 1, 2, 1, 1), 3),
        (_scans(rng, 7, 1, 1, 1, 1), 2),
        (_scans(rng, 2, 1, 3, 1, 2, 2, 1, 1, 2), 4),
    ]


def _people(patient_of: Mapping[str, str]) -> list[str]:
    return sorted(set(patient_of.values()))


def _with_scans(patient_of: Mapping[str, str], groups: list[list[str]]) -> list[list[str]]:
    """Scans of the patients of each group."""
    return [[scan for scan, who in patient_of.items() if who in group] for group in groups]


def _in_blocks(patient_of: Mapping[str, str], number: int, size: int) -> list[list[str]]:
    people = _people(patient_of)
    return _with_scans(patient_of, [people[n * size : (n + 1) * size] for n in range(number)])


def _rest_in_the_last(patient_of: Mapping[str, str], number: int) -> list[list[str]]:
    people, size = _people(patient_of), len(_people(patient_of)) // number
    groups = [people[n * size : (n + 1) * size] for n in range(number - 1)]
    return _with_scans(patient_of, [*groups, people[(number - 1) * size :]])


def _last_scan_only(patient_of: Mapping[str, str], number: int) -> list[list[str]]:
    scan_of = {patient: scan for scan, patient in patient_of.items()}
    return [[scan_of[who] for who in _people(patient_of)[n::number]] for n in range(number)]


def _even_in_scans(patient_of: Mapping[str, str], number: int) -> list[list[str]]:
    """The patient with most scans first, each into the fold that has fewest scans."""
    folds: list[list[str]] = [[] for _ in range(number)]
    for who, _ in Counter(patient_of.values()).most_common():
        min(folds, key=len).extend(scan for scan, of in patient_of.items() if of == who)
    return folds


def _trains(patient_of: Mapping[str, str], number: int) -> list[list[str]]:
    tested = patient_folds(patient_of, number)
    return [[scan for scan in patient_of if scan not in fold] for fold in tested]


def _are_names(arguments: Arguments, found: list) -> bool:
    return len(found) == arguments[1] and all(
        not isinstance(fold, str) and isinstance(name, str) for fold in found for name in fold
    )


def _differ(arguments: Arguments, found: list) -> bool:
    return len(found) < 2 or not found[0] or any(fold != found[0] for fold in found)


def _sides(arguments: Arguments, found: list) -> list[str]:
    """Patients of each fold, one after the other."""
    return [who for fold in found for who in {arguments[0][scan] for scan in fold}]


def _is_even(arguments: Arguments, found: list) -> bool:
    counts = [len({arguments[0][scan] for scan in fold}) for fold in found]
    return max(counts) - min(counts) <= 1


PATIENT_FOLDS = Task(
    name="patient_folds",
    right=patient_folds,
    by_rules=True,
    inputs=_patient_folds_inputs,
    mistakes={
        "you deal scans: two scans of one patient end up in two folds, so one is used for "
        "training when the other is tested. Deal patients; their scans go with "
        "them": lambda patient_of, number: [sorted(patient_of)[n::number] for n in range(number)],
        "you cut the list of scans into blocks: two scans of one patient end up in two folds, so "
        "one is used for training when the other is tested. Deal patients; their scans go with "
        "them": (lambda patient_of, number: np.array_split(sorted(patient_of), number)),
        "your lists hold patients; they should hold the scans of these patients": (
            lambda patient_of, number: [_people(patient_of)[n::number] for n in range(number)]
        ),
        "some patients are in no fold: len(patients) // number drops the remainder": (
            lambda patient_of, number: _in_blocks(
                patient_of, number, len(_people(patient_of)) // number
            )
        ),
        "the last fold gets the whole remainder of the division; deal the patients one by one, so "
        "that the folds differ by one patient at most": _rest_in_the_last,
        "you fill one fold after the other, and the last one gets what is left, perhaps nothing; "
        "deal the patients one by one": lambda patient_of, number: _in_blocks(
            patient_of, number, -(-len(_people(patient_of)) // number)
        ),
        "you made a fold for each patient; make as many folds as number "
        "says": lambda patient_of, number: _with_scans(
            patient_of, [[who] for who in _people(patient_of)]
        ),
        "a patient's other scans are lost: a dict from patient to scan keeps only the last scan of "
        "each": _last_scan_only,
        "the folds have equally many scans, but not equally many patients; count "
        "patients": _even_in_scans,
        "these are the scans for training; return those for testing": _trains,
    },
    rules={
        "return one list for each fold, with the names of the scans that it tests": _are_names,
        "all your lists are the same. [[]] * number holds one list several times, so whatever you "
        "append to it is in all of them; write [[] for _ in range(number)]": _differ,
        "a name in it is not a scan; return names of scans, not of "
        "patients": lambda arguments, found: (
            {scan for fold in found for scan in fold} <= arguments[0].keys()
        ),
        "a scan is in no fold; each one should be tested": lambda arguments, found: (
            {scan for fold in found for scan in fold} >= arguments[0].keys()
        ),
        "a scan is tested twice; each one should be in one fold": lambda arguments, found: (
            max(Counter(scan for fold in found for scan in fold).values()) == 1
        ),
        "a patient is in two folds: one scan is used for training when the other is tested. Deal "
        "patients; their scans go with them": lambda arguments, found: (
            max(Counter(_sides(arguments, found)).values()) == 1
        ),
        "one fold has at least two patients more than another; deal them one by one": _is_even,
    },
    hints=(
        "make a list of the patients first, each of them once: sorted(set(patient_of.values())).",
        "deal like cards: patient n of that list belongs to fold n % number. Then go through the "
        "scans with for scan, patient in patient_of.items() and append each to its patient's fold.",
    ),
    seams=("ivdlib.preprocessing.folds:_dealt",),
    adapt=lambda function: lambda subjects, folds, seed: function(dict(subjects), folds),
)

TASKS = {PATIENT_FOLDS.name: PATIENT_FOLDS}
