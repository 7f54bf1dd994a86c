"""Folds by patient: everybody is tested once, nobody stands on both sides."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivdlib.errors import ConfigError, DataError, LeakageError
from ivdlib.preprocessing import folds as splits
from ivdlib.preprocessing.folds import Fold, patient_folds

QUICK = settings(max_examples=30, deadline=None)
SUBJECTS = st.dictionaries(
    st.text("0123456789ab", min_size=1, max_size=4),
    st.text("PQRSTUVW", min_size=1, max_size=1),
    min_size=2,
    max_size=30,
).filter(lambda d: len(set(d.values())) >= 2)


def people(number, scans=2):
    return {f"{p:02d}_{s}": f"P{p}" for p in range(number) for s in range(scans)}


def check(folds, subjects):
    tested = [case for fold in folds for case in fold.test]
    assert sorted(tested) == sorted(subjects)
    for number, fold in enumerate(folds, start=1):
        assert fold.number == number
        assert sorted(fold.train + fold.test) == sorted(subjects)
        assert not {subjects[c] for c in fold.train} & {subjects[c] for c in fold.test}


@QUICK
@given(SUBJECTS, st.integers(0, 5), st.data())
def test_each_case_is_tested_once_and_no_patient_is_on_both_sides(subjects, seed, data):
    patients = len(set(subjects.values()))
    number = data.draw(st.none() | st.integers(2, patients))
    folds = patient_folds(subjects, number, seed)
    check(folds, subjects)
    sizes = [len({subjects[c] for c in fold.test}) for fold in folds]
    assert max(sizes) - min(sizes) <= 1
    if number:
        assert len(folds) == number


@pytest.mark.parametrize(
    ("patients", "folds"), [(2, 2), (3, 2), (4, 2), (5, 2), (6, 3), (8, 4), (12, 4), (40, 4)]
)
def test_how_many_folds_there_are(patients, folds):
    assert len(patient_folds(people(patients))) == folds


def test_the_paper_has_four_folds_of_two_patients_with_two_scans():
    for fold in patient_folds(people(8)):
        assert len(fold.test) == 4 and len(fold.train) == 12


def test_the_seed_alone_decides_who_goes_where():
    subjects = people(8)
    backwards = dict(reversed(subjects.items()))
    tests = [f.test for f in patient_folds(subjects)]
    assert tests == [f.test for f in patient_folds(backwards)]
    assert any(tests != [f.test for f in patient_folds(subjects, seed=s)] for s in (1, 2, 3))


def test_cases_know_their_subject():
    cases = [SimpleNamespace(name=name, subject=who) for name, who in people(4).items()]
    assert [f.test for f in patient_folds(cases)] == [f.test for f in patient_folds(people(4))]


@pytest.mark.parametrize("folds", [0, 1, -3, 5])
def test_folds_that_do_not_fit(folds):
    with pytest.raises(ConfigError, match="folds do not fit 4 patients"):
        patient_folds(people(4), folds)


def test_one_patient_is_too_few():
    with pytest.raises(ConfigError, match="two patients or more and found 1"):
        patient_folds(people(1))


def test_a_fold_refuses_a_patient_on_both_sides():
    subjects = {"01": "A", "02": "A", "03": "B"}
    with pytest.raises(LeakageError, match="patient A stands in training and test"):
        Fold(1, ("01", "03"), ("02",), subjects)
    with pytest.raises(LeakageError):
        Fold(1, ("03",), ("03",), subjects)
    with pytest.raises(LeakageError, match="patients A, B stand in training and test"):
        Fold(1, ("01", "03"), ("02", "03"), subjects)
    assert Fold(1, ("01", "02"), ("03",), subjects).test == ("03",)


@pytest.mark.parametrize(("train", "test"), [((), ("01",)), (("01",), ())])
def test_a_fold_refuses_an_empty_side(train, test):
    with pytest.raises(ConfigError, match="fold 2 has no cases on one side"):
        Fold(2, train, test, {"01": "A"})


FOUR = {"01": "A", "02": "A", "03": "B", "04": "C"}


def test_names_in_a_mapping_hold_no_control_signs():
    for subjects in ({"a": "2\x00", "b": "3"}, {"a": "2", "b\x1b[2J": "3"}):
        with pytest.raises(DataError, match="holds signs that are no letters"):
            splits.subjects_of(subjects)


@pytest.mark.parametrize(
    "subjects",
    [{1: "a", 2: "b"}, {"01": 2.0, "02": 3.0}, {"01": True, "02": False}, {1.0: "a", "2": "b"}],
)
def test_names_are_text(subjects):
    with pytest.raises(DataError, match="names are text, .*; read such a table with dtype=str"):
        patient_folds(subjects)
    with pytest.raises(DataError, match="has no subject"):
        patient_folds({"01": float("nan"), "02": "a"})


def test_the_subjects_of_a_mapping_are_copied():
    subjects = dict(FOUR)
    assert splits.subjects_of(subjects) == subjects
    assert splits.subjects_of(subjects) is not subjects


@QUICK
@given(SUBJECTS.filter(lambda d: len(set(d.values())) >= 4))
def test_an_inner_fold_takes_a_training_patient_and_no_test_patient(subjects):
    for fold in patient_folds(subjects):
        inner = fold.inner()
        assert sorted(inner.train + inner.test) == sorted(fold.train)
        assert len({subjects[case] for case in inner.test}) == 1
        assert inner.number == fold.number and inner == fold.inner()


def test_an_inner_fold_needs_two_training_patients():
    with pytest.raises(ConfigError, match="trains on one patient.*; add patients"):
        patient_folds(people(2))[0].inner()


def test_names_differ_in_more_than_case_and_blanks():
    subjects = {"Ann": "a", "Bob": "b", "ann 2": "A "}
    with pytest.raises(LeakageError, match="patient a stands"):
        Fold(1, ("Ann", "Bob"), ("ann 2",), subjects)
    with pytest.raises(DataError, match="'P1' and 'p1 ' are one name"):
        patient_folds({"P1": "a", "p1 ": "b"})
