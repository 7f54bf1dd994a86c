"""Divisions of students' own: right by the rules, or told which rule they break."""

import numpy as np
import pytest

from ivdlib.course import own
from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own import lesson01_folds
from ivdlib.preprocessing.folds import patient_folds

RNG = np.random.default_rng(0)

SCANS = {"01": "Ann", "02": "Bert", "03": "Ann", "04": "Carl", "05": "Dora", "06": "Bert"}


def shuffled(patient_of, number):
    """Patients dealt in an order that nobody knows, as sets of names."""
    patients = RNG.permutation(sorted(set(patient_of.values())))
    dealt = [set(patients[n::number]) for n in range(number)]
    return [{scan for scan, who in patient_of.items() if who in group} for group in dealt]


def one_list_only(patient_of, number):
    """What appending to the lists of [[]] * number gives, patient by patient."""
    tested = [[]] * number
    for n, patient in enumerate(sorted(set(patient_of.values()))):
        tested[n % number].extend(scan for scan, who in patient_of.items() if who == patient)
    return tested


def test_any_division_without_a_leak_passes():
    own.check(shuffled, name="patient_folds")
    own.check(lambda *given: tuple(map(sorted, shuffled(*given))), name="patient_folds")
    own.check(lambda *given: [np.array([*fold]) for fold in shuffled(*given)], name="patient_folds")


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (
            lambda scans, number: np.array_split(RNG.permutation([*scans]), number),
            "a patient is in two folds",
        ),
        (lambda scans, number: [[*scans]] * number, "[[]] * number holds one list several times"),
        (one_list_only, "write [[] for _ in range(number)]"),
        (lambda scans, number: [[*scans]] + [["01"]] * (number - 1), "a scan is tested twice"),
        (
            lambda scans, number: [["99", *f] for f in shuffled(scans, number)],
            "in it is not a scan",
        ),
        (lambda scans, number: [[], *shuffled(scans, number)[1:]], "a scan is in no fold"),
        (lambda scans, number: dict(enumerate(shuffled(scans, number))), "return a list, not"),
        (lambda scans, number: ["01", "02"], "return one list for each fold"),
        (
            lambda scans, number: [(f, f) for f in shuffled(scans, number)],
            "return one list for each",
        ),
        (lambda scans, number: [], "return one list for each fold"),
    ],
)
def test_a_division_that_breaks_a_rule(function, sentence, said):
    assert sentence in said(function, "patient_folds")


def test_an_example_of_many_that_are_right():
    for _ in range(3):
        with pytest.raises(WrongAnswer) as caught:
            own.check(lambda scans, number: [], name="patient_folds")
    assert "\nAn example: patient_folds({'01': " in str(caught.value)
    assert "}, 2) may be [['" in str(caught.value)


def test_the_librarys_folds_are_the_students():
    own.check(shuffled, name="patient_folds")
    with own.plugged(shuffled, names=("patient_folds",)) as at_work:
        folds = patient_folds(SCANS, 3)
    assert at_work["patient_folds"].calls == 1
    assert sorted(scan for fold in folds for scan in fold.test) == sorted(SCANS)
    assert [len(fold.train) + len(fold.test) for fold in folds] == [6, 6, 6]


def test_rules_hold_of_divisions_that_are_right():
    task = lesson01_folds.PATIENT_FOLDS
    for arguments in task.inputs(np.random.default_rng(7)):
        assert task.accepts(arguments, shuffled(*arguments), None)
