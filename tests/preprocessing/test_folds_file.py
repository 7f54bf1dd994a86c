"""Folds from a table: each case once, no patient on both sides, and what does not fit is told."""

import pytest

from ivdlib.errors import ConfigError, DataError, LeakageError
from ivdlib.preprocessing.folds_file import folds_from_file


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
    assert [fold.number for fold in folds] == [1, 2, 3]
    assert all(sorted(fold.train + fold.test) == sorted(FOUR) for fold in folds)
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


def test_many_cases_that_differ_are_counted(split):
    lines = "".join(f"x{i},{i % 2}\n" for i in range(20_000))
    with pytest.raises(DataError, match=r"04 \(not in the file\), .*and 19999 more") as caught:
        folds_from_file(split(f"case,fold\n{lines}"), FOUR)
    assert len(str(caught.value)) < 500


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


def test_a_file_with_one_fold_only(split):
    with pytest.raises(ConfigError, match="one fold only"):
        folds_from_file(split("case,fold\n01,1\n02,1\n03,1\n04,1\n"), FOUR)
