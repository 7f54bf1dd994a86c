"""Other answers to the tasks of lesson 01, and what the library makes of right ones."""

import warnings

import numpy as np
import pytest

from ivdlib.course import own
from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own import checked, lesson01, lesson01_folds
from ivdlib.errors import DataError
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.folds import patient_folds

RNG = np.random.default_rng(0)

SCANS = {"01": "Ann", "02": "Bert", "03": "Ann", "04": "Carl", "05": "Dora", "06": "Bert"}


@pytest.fixture(autouse=True)
def no_tries(monkeypatch):
    """Each test is a kernel of its own."""
    monkeypatch.setattr(checked, "TRIES", type(checked.TRIES)())
    monkeypatch.setattr(checked, "PASSED", {})


def said(function, name):
    """The first line of a check that fails."""
    with pytest.raises(WrongAnswer) as caught:
        own.check(function, name=name)
    return str(caught.value).splitlines()[0]


def shuffled(patient_of, number):
    """Patients dealt in an order that nobody knows, as sets of names."""
    patients = RNG.permutation(sorted(set(patient_of.values())))
    dealt = [set(patients[n::number]) for n in range(number)]
    return [{scan for scan, who in patient_of.items() if who in group} for group in dealt]


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
        (lambda scans, number: [[*scans]] * number, "a scan is tested twice"),
        (
            lambda scans, number: [["99", *f] for f in shuffled(scans, number)],
            "in it is no scan",
        ),
        (lambda scans, number: [[], *shuffled(scans, number)[1:]], "a scan is in no fold"),
        (lambda scans, number: dict(enumerate(shuffled(scans, number))), "give back a list, not"),
        (lambda scans, number: ["01", "02"], "give one list for each fold"),
        (lambda scans, number: [(f, f) for f in shuffled(scans, number)], "give one list for each"),
        (lambda scans, number: [], "give one list for each fold"),
    ],
)
def test_a_division_that_breaks_a_rule(function, sentence):
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


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda a, b: lesson01.fuse(a, b) ** 2, "which is not right"),
        (
            lambda a, b: np.abs(2 * lesson01.fuse(a, b) - 1),
            "a voxel whose sum is larger is brighter",
        ),
        (lambda a, b: (a + b) / 1e6 - 1, "no voxel lies below 0"),
        (lambda a, b: (a + b).sum(), "the result should be an array of shape (2, 1, 3)"),
        (lambda a, b: np.concatenate([a, b]), "and is an array of shape (4, 1, 3)"),
        (lambda a, b: np.divide(a + b, 0), "holds NaN or infinity"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_other_faults_of_a_fused_picture(function, sentence):
    assert sentence in said(function, "fuse")


def test_a_sum_that_is_written_over_is_told():
    def fuse(first, second):
        first += second
        return lesson01.fuse(first, 0)

    assert "fuse changes what it was given" in said(fuse, "fuse")


def test_all_fused_pictures_of_the_library_are_the_students():
    def fuse(first, second):
        total = np.add(first, second, dtype=np.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.nan_to_num((total - total.min()) / np.ptp(total))

    images = {name: RNG.random((2, 4, 5)) for name in ("wat", "fat", "opp")}
    pairs = ["wat+opp", "fat+opp", "0.3*wat+0.7*fat", "wat+fat+opp"]
    expected = fusion.fuse(images, pairs)
    own.check(fuse)
    with own.plugged(fuse) as at_work:
        found = fusion.images_of(images, (*pairs, "wat"))
    assert at_work["fuse"].calls == 4
    for pair in pairs:
        assert found[pair].dtype == np.float32
        np.testing.assert_allclose(found[pair], expected[pair], atol=1e-6)


def test_what_the_library_refuses_is_refused_with_a_students_function_too():
    own.check(lesson01.fuse)
    with own.plugged(lesson01.fuse):
        fusion.fuse({"wat": np.arange(3.0), "opp": np.arange(3.0)}, ["wat+opp"])
        with pytest.raises(DataError, match="contrast fat is missing"):
            fusion.fuse({"wat": np.arange(3.0)}, ["wat+fat"])


def test_rules_hold_of_divisions_that_are_right():
    task = lesson01_folds.PATIENT_FOLDS
    for arguments in task.inputs(np.random.default_rng(7)):
        assert task.accepts(arguments, shuffled(*arguments), None)
