from dataclasses import astuple

from ivdlib.data.quality import check_table
from ivdlib.data.remarks import Remark

ROW = {
    "case": "A1",
    "subject": "A",
    "stage": "",
    "contrasts": ["fat", "inn", "opp"],
    "derived": ["wat"],
    "shape": [36, 256, 256],
    "spacing_mm": [2.0, 1.25, 1.2512],
    "axes": ["R", "P", "S"],
    "discs": 7,
    "consistency": {"inn_error": 0.0123, "opp_error": 0.1},
    "errors": [],
    "warnings": [],
    "corrections": [],
}
BROKEN = {
    **ROW,
    "shape": None,
    "spacing_mm": None,
    "axes": None,
    "discs": None,
    "consistency": {},
    "derived": [],
}


def test_a_row_in_words():
    assert dict(zip(check_table.HEAD, check_table.cells(ROW), strict=True)) == {
        "case": "A1",
        "subject": "A",
        "stage": "–",
        "voxels": "36×256×256",
        "mm": "2.00×1.25×1.25",
        "axes": "RPS",
        "contrasts": "wat† fat inn opp",
        "discs": "7",
        "inn/opp %": "1.2/10.0",
        "verdict": "ok",
    }
    cells = check_table.cells({**BROKEN, "errors": ["x; y."]})
    assert cells == ("A1", "A", "–", "–", "–", "–", "fat inn opp", "–", "–/–", "ERROR")


def test_each_finding_once_errors_first_the_name_of_the_case_said_once():
    rows = [
        {**ROW, "warnings": [Remark("w is so", "do v")], "corrections": ["c as declared"]},
        {
            **ROW,
            "case": "B\x1b1",
            "warnings": [Remark("w is so", "do v")],
            "errors": ["case B\x1b1: e; f."],
        },
    ]
    assert [*map(astuple, check_table.findings(rows))] == [
        ("ERROR", "case B\ufffd1", "e", "f"),
        ("warning", "2 cases (A1, B\ufffd1)", "w is so", "do v"),
        ("declared", "case A1", "c as declared", ""),
    ]
    lacking = {**ROW, "case": "C", "errors": ["case C is not in t.csv; add a line for it."]}
    assert [*map(astuple, check_table.findings([lacking]))] == [
        ("ERROR", "case C", "is not in t.csv", "add a line for it")
    ]
    assert [check_table.case_verdict(row) for row in rows] == ["warning", "ERROR"]
    assert check_table.check_summary([*rows, ROW]) == "3 cases: 1 ERROR, 1 warning, 1 ok"
    assert check_table.check_summary([ROW]) == "1 case: ok"
