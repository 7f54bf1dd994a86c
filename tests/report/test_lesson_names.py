"""The form of a lesson's name: two digits, perhaps a letter, and words."""

import pytest

from ivdlib.report.lesson_names import is_meant, lessons_in, number_of

NAMES = ["01_first", "01b_between", "02_second"]


def test_lessons_of_a_folder_are_in_order_and_copies_are_none(tmp_path):
    for name in (*reversed(NAMES), "1_x", "01bc_x", "notes", "01b_between-Copy1", "02_second (1)"):
        (tmp_path / f"{name}.ipynb").touch()
    (tmp_path / "03_third.failed.ipynb").touch()
    assert [path.stem for path in lessons_in(tmp_path)] == NAMES
    assert [path.name for path in lessons_in(tmp_path, ".failed.ipynb")] == [
        "03_third.failed.ipynb"
    ]


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        (1, "01_first"), ("1", "01_first"), ("01", "01_first"), ("01_first", "01_first"),
        ("1b", "01b_between"), ("01B", "01b_between"), (" 01b ", "01b_between"),
        ("", ""), ("b", ""), ("first", ""), ("011", ""), ("0", ""), ("001", ""),
    ],
)  # fmt: skip
def test_who_is_meant(wish, name):
    assert [other for other in NAMES if is_meant(wish, other)] == ([name] if name else [])


def test_numbers():
    assert [number_of(name) for name in NAMES] == ["01", "01b", "02"]
    assert not any(map(number_of, ("thesis", "1_x", "012_x", "01B_x", "01bc", "")))
