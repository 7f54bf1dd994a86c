"""Folds by patient: everybody is tested once, nobody stands on both sides."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivdlib.errors import ConfigError, DataError, LeakageError
from ivdlib.preprocessing import folds as splits
from ivdlib.preprocessing.folds import Fold, folds_from_file, patient_folds

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
    assert Fold(1, ("01", "02"), ("03",), subjects).test == ("03",)


@pytest.mark.parametrize(("train", "test"), [((), ("01",)), (("01",), ())])
def test_a_fold_refuses_an_empty_side(train, test):
    with pytest.raises(ConfigError, match="fold 2 has no cases on one side"):
        Fold(2, train, test, {"01": "A"})


@pytest.fixture
def split(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "split.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


FOUR = {"01": "A", "02": "A", "03": "B", "04": "C"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_folds_from_a_file(split, encoding):
    path = split("case,fold\n 01 ,2\n02,2\n04,10\n03,1\n", encoding)
    folds = folds_from_file(path, FOUR)
    check(folds, FOUR)
    assert [fold.test for fold in folds] == [("03",), ("01", "02"), ("04",)]


def test_folds_of_subjects_and_of_numbers_as_spreadsheets_write_them(split):
    by_case = folds_from_file(split("case,fold\n01,1\n02,1\n03,2\n04,2\n"), FOUR)
    for text in (
        "subject,fold\nA,1\nB,2\nC,2\n",
        "Subject,fold,note\n a ,1.0,x\nb,02,\nC,2.0,\n",
        "case,subject,fold\n01,A,1\n02,A,1.0\n03,B,2\n04,C,02\n",
        "case,subject,fold\n01,P1,1\n02,P1,1\n03,P2,2\n04,?,2\n",
        "case,fold\n01,TRUE\n02,true\n03,x\n04,X\n",
        "\n , \nsep=,\n\ncase,fold\n01,1\n02,1\n\n03,2\n04,2\n",
        'case,fold,note\r01,1,"a\rb"\r02,1\r03,2\r04,2\r',
    ):
        found = folds_from_file(split(text), FOUR)
        assert {fold.test for fold in found} == {fold.test for fold in by_case}
    for text, words in (
        ("subject,fold\nA,1\nB,2\n", r"these subjects: C \(not in the file\)"),
        ("subject,fold\nA,1\nB,2\nC,2\nD,1\n", r"these subjects: D \(not in the data\)"),
        ("subject,fold\nA,1\nB,2\nC,2\na,2\n", r"names a subject twice \(a\)"),
        ("case,fold\n01,1\n02,1\n03,2\n04,2\n03,2\n", r"names a case twice \(03\)"),
        ("case,fold\n01,nan\n02,1\n03,2\n04,2\n", r"fold of a case empty \(01\)"),
        ("case,fold\n0\x001,1\n02,1\n03,2\n04,2\n", "the case '0\ufffd1' holds signs"),
        ("subject,fold\nA\x1b[31m,1\nB,2\nC,2\n", "holds signs that are no letters"),
        ("case,subject,fold\n01,A,1\n02,B,1\n03,B,2\n04,C,2\n", "case 02 is B there and A in"),
        ("case,subject,fold\n01,A,1\n02,A,1\n03,C,2\n04,C,2\n", "case 03 is C there and B in"),
        ("case,subject,fold\n01,A,1\n02,A,1\n03,C,2\n04,B,2\n", "case 03 is C .*and 1 more case"),
        ("case,subject,fold\n01,x,1\n02,y,1\n03,z,2\n04,w,2\n", "case 01 is x there and A in"),
    ):
        with pytest.raises(DataError, match=words):
            folds_from_file(split(text), FOUR)


def test_names_in_a_mapping_hold_no_control_signs():
    for subjects in ({"a": "2\x00", "b": "3"}, {"a": "2", "b\x1b[2J": "3"}):
        with pytest.raises(DataError, match="holds signs that are no letters"):
            splits.subjects_of(subjects)


def test_many_cases_that_differ_are_counted(split):
    lines = "".join(f"x{i},{i % 2}\n" for i in range(20_000))
    with pytest.raises(DataError, match=r"04 \(not in the file\), .*and 19999 more") as caught:
        folds_from_file(split(f"case,fold\n{lines}"), FOUR)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "subjects",
    [{1: "a", 2: "b"}, {"01": 2.0, "02": 3.0}, {"01": True, "02": False}, {1.0: "a", "2": "b"}],
)
def test_names_are_text(subjects):
    with pytest.raises(DataError, match="names are text, .*; read such a table with dtype=str"):
        patient_folds(subjects)
    with pytest.raises(DataError, match="has no subject"):
        patient_folds({"01": float("nan"), "02": "a"})


def test_a_file_that_tears_a_patient_apart(split):
    with pytest.raises(LeakageError, match="patient A"):
        folds_from_file(split("case,fold\n01,1\n02,2\n03,1\n04,2\n"), FOUR)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("case,group\n01,1\n", r"lacks the column fold \(it has case, group\), but group looks"),
        ("Fall,fold\n01,1\n", "lacks the column case .*, but Fall looks like case"),
        ("", "lacks the column case and fold"),
        ("case,fold\n01,1\n02,1\n03,2\n", r"differ in these cases: 04 \(not in the file\)"),
        ("case,fold\n1,1\n2,1\n3,2\n4,2\n", "1 looks like 01: leading zeros were lost"),
        ("case,fold\n01,1\n02,1\n03,2\n04,2\n05,2\n", r"cases: 05 \(not in the data\)"),
        ("case,fold\n01,1\n01,2\n02,1\n03,2\n04,2\n", "names a case twice"),
        ("case,fold\n01,1\n02\n03,2\n04,2\n", "leaves the fold of a case empty"),
        ("case,fold\n01,1\n02,1\n03,2\n04, \n", "leaves the fold of a case empty"),
        ("case,fold\n01," + "x" * 140_000 + "\n", "cell of line 2 has more than 131,072"),
        ('case,fold\n"01,1\n02,1\n03,2\n04,2\n', "a quote .* line 2 is not closed on it; close it"),
        ('case,fold\n01,1\n"02,1\n03",2\n04,2\n', "a quote .* line 3 is not closed on it"),
        ('"case,fold\n01,1\n', "a quote .* line 1 is not closed on it"),
        ('case,fold\n01,"' + "x,1\n" * 40_000, "line 2 has more than 131,072 .*quote"),
        ("case;fold\n01;1\n", "lacks the column case and fold.*semicolons.*; save it with commas"),
        ("sep=;\nsubject;fold\n01;1,5\n", "parted by semicolons"),
        ("case\tfold\n01\t1\n", "parted by tabs"),
        ("# folds, by Ann\ncase,fold\n01,1\n", "its first line is a comment .*; take it away"),
        ("case,fold\n1.0,1\n2.0,1\n3.0,2\n4.0,2\n", "leading zeros were lost and a decimal was a"),
    ],
)
def test_files_that_do_not_fit(split, text, words):
    path = split(text)
    with pytest.raises(DataError, match=words) as caught:
        folds_from_file(path, FOUR)
    assert str(path) in str(caught.value)


def test_a_file_in_another_encoding_or_none_at_all(split, tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        folds_from_file(split("case,fold\nä,1\n", "latin-1"), FOUR)
    with pytest.raises(DataError, match="cannot read .*none.csv: No such file"):
        folds_from_file(tmp_path / "none.csv", FOUR)


def test_names_are_compared_without_case_and_blanks(split):
    subjects = {"Ann": "a", "Bob": "b", "ann 2": "A "}
    folds = folds_from_file(split("Case,FOLD\nann,1\nANN  2,1\nbob ,2\n"), subjects)
    assert [fold.test for fold in folds] == [("Ann", "ann 2"), ("Bob",)]
    with pytest.raises(LeakageError, match="patient a stands"):
        folds_from_file(split("case,fold\nann,1\nann 2,2\nbob,2\n"), subjects)
    with pytest.raises(LeakageError, match="patient a stands"):
        Fold(1, ("Ann", "Bob"), ("ann 2",), subjects)
    with pytest.raises(DataError, match="'P1' and 'p1 ' are one name"):
        patient_folds({"P1": "a", "p1 ": "b"})


def test_a_file_with_one_fold_only(split):
    with pytest.raises(ConfigError, match="one fold only"):
        folds_from_file(split("case,fold\n01,1\n02,1\n03,1\n04,1\n"), FOUR)


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
