import pytest

from ivdlib.data import remarks


def test_a_remark_comes_once_with_the_cases_it_concerns():
    pairs = [("A1", "x"), ("B1", "y"), *((f"C{n}", "x") for n in range(6))]
    assert remarks.grouped(pairs) == [
        ("7 cases (A1, C0, C1, C2, C3 and 2 more)", "x"),
        ("case B1", "y"),
    ]


@pytest.mark.parametrize(
    ("remark", "parts"),
    [
        ("a; b.", ("a", "b")),
        ("a (x; y) is so; do b, or c", ("a (x; y) is so", "do b, or c")),
        ("nothing to do.", ("nothing to do", "")),
    ],
)
def test_the_repair_follows_the_last_semicolon(remark, parts):
    assert remarks.split_repair(remark) == parts
