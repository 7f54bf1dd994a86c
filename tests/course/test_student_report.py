"""One student of a class: the row in the table of marks."""

from ivdlib.course.points import ABSENT, Exercise
from ivdlib.course.student_report import Assignment, HandedIn, report_student

ASKED = {
    "01_data": [
        Exercise("check_1", "Exercise 1", 4, written=False, answer="answer_1", check=""),
        Exercise("answer_2", "Exercise 2", 3, written=True, answer="answer_2", check=""),
    ]
}


def made(tmp_path, name, left_out=()):
    return report_student(Assignment(tmp_path, ASKED, {}), HandedIn(name, {}, list(left_out)))


def test_who_handed_in_nothing_has_a_row_and_no_points(tmp_path):
    found = made(tmp_path, "Ann")
    assert found.path is None and not any(tmp_path.iterdir())
    assert found.row["student"] == "Ann" and found.row["points"] is None
    assert (found.row["01/1"], found.row["01/2"], found.row["of"]) == (None, None, 7)
    assert found.row["remarks"] == f"01_data: {ABSENT}"


def test_what_could_not_be_graded_is_no_zero(tmp_path):
    found = made(tmp_path, "Ben", [("01_data", "the notebook cannot be read")])
    assert found.row["remarks"] == "01_data: the notebook cannot be read"
    assert ABSENT not in found.row["remarks"] and found.left_out


def test_a_name_is_never_a_formula(tmp_path):
    for name in ("=1+1", "+1", "-1", "@x"):
        assert made(tmp_path, name).row["student"] == f"'{name}"
