"""Tables of subjects as people and spreadsheets write them."""

import warnings

import pytest
from dixon_cases import write_case
from loaded import load_anyway, load_quietly, subjects

from ivdlib.data import cases
from ivdlib.errors import DataError
from ivdlib.preprocessing import folds as splits


def test_subjects_csv_wins_and_keeps_further_columns(data):
    subjects(data, "\ufeffCase, subject ,stage,crop\nB1,p,2,7\na1,p,1,\n,,,\n")
    first, second = load_quietly(data)
    assert (first.subject, first.stage, first.columns) == ("p", "1", {"crop": ""})
    assert (second.subject, second.columns) == ("p", {"crop": "7"})
    assert first.subject_source == "subjects.csv"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("case,subject\nA1,a\n", "case B1 is not in .*subjects.csv"),
        ("case,subject\nA1,a\nB1,b\nB1,c\n", "case B1 stands 2 times in .*subjects.csv"),
        ("case,subject\nA1,a\nB1,\n", "case B1 has no subject"),
        ("case,person\nA1,a\n", r"lacks the column subject \(it has case, person\)"),
        ("case;subject\nA1;a\n", "lacks the column case and subject: .*with commas between"),
        ("", "lacks the column"),
    ],
)
def test_faults_in_subjects_csv(data, text, match):
    subjects(data, text)
    with pytest.raises(DataError, match=match):
        cases.load_cases(data)


def test_subjects_csv_in_another_encoding(data):
    (data / "subjects.csv").write_bytes("case,subject\nA1,J\xfcrg\nB1,b\n".encode("latin-1"))
    with pytest.raises(DataError, match="cannot be read as a table .*save it as CSV in UTF-8"):
        cases.load_cases(data)


def table(folder, text):
    for name in ("01", "02"):
        write_case(folder, name)
    (folder / "subjects.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("case,subject\n1,a\n2,b\n", "which lists 1, 2 instead .1 looks like 01: leading zeros"),
        ("case,subject\n1.0,a\n2.0,b\n", "1.0 looks like 01: leading zeros were lost"),
        ("case,subject\nP1,a\nP2,b\n", "case 01 is not in .* lists P1, P2 instead; add a line"),
        ("Fall,subject\n01,a\n02,b\n", r"lacks the column case \(it has Fall, subject\), but Fall"),
        ("Case ID,subject\n1,a\n2,b\n", "but Case ID looks like case; its first line must read"),
        ("case,Patient-ID\n01,a\n02,b\n", "but Patient-ID looks like subject; its first line"),
        ("case,subject,case\n01,a,x\n02,b,y\n", "has the column case more than once"),
        ("case,subject,stage\n01,Lee, Ann,1\n02,b,1\n", "line 2 has more cells .* into quotes"),
    ],
)
def test_tables_that_do_not_fit_say_what_they_hold_instead(tmp_path, text, match):
    with pytest.raises(DataError, match=match):
        cases.load_cases(table(tmp_path, text))


def test_a_person_in_a_table_may_be_spelt_in_two_ways(tmp_path):
    first, second = load_anyway(table(tmp_path, "case,subject,\n01,Ann Lee,,\n02,ann  lee ,,\n"))
    assert first.subject == second.subject == "Ann Lee"


def test_a_table_of_more_scans_than_are_here_is_fine(tmp_path, capsys):
    folder = table(tmp_path, "case,subject\n01,a\n02,b\n03,c\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cases.load_cases(folder)


@pytest.mark.parametrize(
    "cell", ["NA", "n/a", "NaN", "none", "null", "unknown", "unbekannt", "?", "-", "–", ".", "#N/A"]
)
def test_a_cell_that_names_nobody_is_empty(tmp_path, cell):
    folder = table(tmp_path, f"case,subject\n01,a\n02,{cell}\n")
    with pytest.raises(DataError, match="case 02 has no subject in .*; fill it in"):
        cases.load_cases(folder)
    with pytest.raises(DataError, match="case 02 has no subject .*; fill it in"):
        splits.subjects_of({"01": "a", "02": cell})


@pytest.mark.parametrize("cell", ["1.23E+11", '"1,23E+11"', "1e+5"])
def test_a_subject_that_a_spreadsheet_shortened_is_refused(tmp_path, cell):
    with pytest.raises(DataError, match="case 01: a spreadsheet shortened the subject"):
        cases.load_cases(table(tmp_path, f"case,subject\n01,{cell}\n02,{cell}\n"))


@pytest.mark.parametrize(
    ("one", "other"), [("01", "1"), ("1.0", "1"), ("P03", "P3"), ("sub-01", "01"), ("S-1", "S1"),
                       ("Huber-A", "Huber_A"), ("Meier Hans", '"Meier, Hans"')]
)  # fmt: skip
def test_two_spellings_of_one_person_in_a_table(tmp_path, one, other):
    folder = table(tmp_path, f"case,subject\n01,{one}\n02,{other}\n")
    loaded = load_anyway(folder)
    match = "subjects '.*' and '.*' differ .*; write one spelling if it is one person, or a name"
    with pytest.raises(DataError, match=match):
        splits.patient_folds(loaded)
    with pytest.raises(DataError, match=match):
        splits.patient_folds({case.name: case.subject for case in loaded})
    rows = cases.check_cases(folder)
    assert all(any("differ as two spellings" in t for t in row["warnings"]) for row in rows)
    assert not any(row["errors"] for row in rows)
