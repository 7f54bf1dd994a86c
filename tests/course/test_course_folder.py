"""What students handed in, held against what was released."""

import copy

import nbformat
import pandas as pd
import pytest
from small_course import ONE, TWO, WHOLE, bare, cells, without

from ivdlib import cli

pytestmark = pytest.mark.usefixtures("quick")

V4 = nbformat.v4
MISSING = "the cell of its check is missing from the copy, which gives no points"


def changed(ident, **marks):
    found = cells()
    for cell in found:
        if str(cell.metadata.get("nbgrader", {}).get("grade_id", "")).endswith(ident):
            cell.metadata.nbgrader.update(marks)
    return found


def twice(ident, answer=""):
    """A cell stands a second time further up, as by copy and paste."""
    found = cells()
    place = next(n for n, c in enumerate(found) if ident in str(c.metadata))
    other = copy.deepcopy(found[place])
    other.id = "another"
    if answer:
        other.update(source=answer)
    else:
        other.update(outputs=[V4.new_output("error", ename="E", evalue="", traceback=[])])
    found.insert(1, other)
    return found


@pytest.mark.parametrize(
    ("content", "row", "remark"),
    [
        (cells(), WHOLE, ""),
        (cells(answers=(10, 7, 30)), ["2", "0", "2", "", "4", "10", "4"], ""),
        (without("exercise1_test"), ["0", "2", "2", "", "4", "10", "4"],
         f"01_tiny, Exercise 1 (5 minutes): {MISSING}"),
        (without("exercise2_"), ["2", "0", "2", "", "4", "10", "4"],
         f"01_tiny, Exercise 2 (5 minutes): {MISSING}"),
        (without("exercise2_solution"), WHOLE, "01_tiny, Exercise 2 (5 minutes): the cell of its "
         "answer is missing from the copy, or has lost its mark"),
        (without("exercise9"), ["2", "2", "2", "0", "6", "10", "0"],
         f"01_tiny, Exercise 9 (5 minutes): {MISSING.replace('check', 'answer')}"),
        (twice("exercise1_test"), WHOLE, "Exercise 1 (5 minutes): the cell of its check is there "
         "2 times, the last one counts"),
        (twice("exercise2_solution", "x2 = 7"), WHOLE, "the cell of its answer is there 2 times"),
        (changed("exercise1_test", points=20), WHOLE, "the copy says 20 points, the lesson says 2"),
        (changed("exercise1_test", grade=False), WHOLE, ""),
        (bare(), ["0", "0", "0", "0", "0", "10", "0"],
         "01_tiny: none of the lesson's cells was recognised"),
        (cells(TWO), ["0", "0", "0", "0", "0", "10", "0"], "none of the lesson's cells"),
        ([V4.new_markdown_cell("mine")], ["0", "0", "0", "0", "0", "10", "0"], "none of the"),
    ],
    ids=["sound", "wrong", "no check", "no exercise", "no answer to check", "no answer",
         "two checks", "two answers", "more points", "not graded", "bare", "another lesson",
         "no lesson"],
)  # fmt: skip
def test_a_copy_is_held_against_the_lesson(course, content, row, remark):
    course.hand_in("Jörg von der Au", content)
    course.hand_in("ann", cells())
    made, table = course.marks()
    assert list(table.columns) == [
        *("01/1", "01/2", "01/3", "01/4", "points", "of", "waiting", "remarks"),
    ]
    assert table.loc["ann"].tolist() == [*WHOLE, ""]
    assert table.loc["Jörg von der Au"].tolist()[:-1] == row
    told = table.loc["Jörg von der Au", "remarks"]
    assert remark in told and bool(remark) == bool(told)
    assert made.odd == ([f"Jörg von der Au, {told}"] if told else [])
    assert made.left_out == []
    assert remark in course.page("Jörg von der Au")
    assert f"{row[-3]} of 10" in course.page("Jörg von der Au")


def test_a_check_that_was_rewritten_is_said(course):
    own = cells()
    own[3].source = "pass"
    course.hand_in("ann", own)
    assert course.marks()[0].odd == [
        "ann, 01_tiny, Exercise 1 (5 minutes): its check is not that of the lesson"
    ]


def test_hidden_tests_are_no_rewritten_check(course):
    graded = cells()
    graded[3].source += "\nhidden()"
    course.write("submitted", "ann", ONE, cells())
    course.write("autograded", "ann", ONE, graded)
    course.write("autograded", "bela", ONE, graded)  # what was handed in is gone
    assert course.marks()[0].odd == []


def nothing(course):
    """Handed in, and nbgrader was not called."""
    course.hand_in("x", cells(), graded=False)


def renamed(course):
    course.write("submitted", "x", ONE, cells(), name="01_tiny (1).ipynb")


def deeper(course):
    course.write("submitted", "x", f"{ONE}/{ONE}", cells(), name="01_tiny.ipynb")


def merged(course):
    course.write("submitted", "x", ONE, "{\n<<<<<<< HEAD\n}")


def torn(course):
    course.write("submitted", "x", ONE, '{"cells": [')


def paper(course):
    course.write("submitted", "x", ONE, "%PDF", name="answers.pdf")


def empty(course):
    course.write("submitted", "x", ONE, "", name="timestamp.txt")


def void(course):
    (course.folder / "submitted" / "x").mkdir(parents=True)


def flat(course):
    course.write("submitted", "x", "", cells(), name="01_tiny.ipynb")


def other_folder(course):
    course.write("submitted", "x", "Lesson 1", cells(), name="01_tiny.ipynb")


def loose(course):
    course.write("submitted", "", "", cells(), name="x")


def broken_after(course):
    course.write("autograded", "x", ONE, "{")


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (nothing, "x, 01_tiny: nbgrader has not graded it, or stopped at it; call nbgrader "
         "autograde 01_tiny again and read what it says"),
        (renamed, "x, 01_tiny: it is named 01_tiny (1).ipynb, not 01_tiny.ipynb; rename it and "),
        (deeper, "x, 01_tiny: it is named 01_tiny/01_tiny.ipynb, not 01_tiny.ipynb; rename it"),
        (merged, "x, 01_tiny: it has the marks of a merge in it, so it is not a readable notebook"),
        (torn, "x, 01_tiny: it is not a readable notebook; ask for a sound one"),
        (paper, "x, 01_tiny: there is no notebook, only answers.pdf"),
        (empty, "x, 01_tiny: the folder is empty"),
        (void, "x: the folder is empty"),
        (flat, "x: 01_tiny.ipynb is not the folder of a lesson (01_tiny); rename it"),
        (other_folder, "x: Lesson 1 is not the folder of a lesson (01_tiny); rename it"),
        (loose, "x: it lies in submitted/ itself, not in submitted/STUDENT/LESSON"),
        (broken_after, "01_tiny.ipynb is no notebook that can be read"),
    ],
)  # fmt: skip
def test_whoever_handed_in_and_was_not_graded_is_named(course, capsys, trouble, sentence):
    course.hand_in("ann", cells())
    trouble(course)
    assert cli.main(["report", "--class", str(course.folder)]) == 3
    told = capsys.readouterr()
    lines = [line for line in told.err.splitlines() if line.startswith("warning: not graded: ")]
    assert len(lines) == 1 and sentence in lines[0]
    table = pd.read_csv(course.folder / "reports" / "marks.csv", index_col="student", dtype=str)
    assert table.loc["x", ["of", "waiting"]].tolist() == ["10", "10"]
    assert table.loc["x", ["01/1", "points"]].isna().all()
    assert sentence.removeprefix("x, ").removeprefix("x: ") in table.loc["x", "remarks"]
    assert table.loc["ann", ["points", "of", "waiting"]].tolist() == ["6", "10", "4"]
    assert "ann.html" in told.out and "x.html" not in told.out


def test_what_systems_leave_is_nobody(course, capsys):
    course.hand_in("ann", cells())
    course.write("submitted", "", "", "", name=".DS_Store")
    course.write("submitted", "ann", ".ipynb_checkpoints", cells(), name="01_tiny.ipynb")
    course.write("submitted", "ann", ONE, "2026-01-01", name="timestamp.txt")
    course.write("submitted", "ann", "pictures", "", name="spine.png")
    assert cli.main(["report", "--class", str(course.folder)]) == 0
    assert "not graded" not in capsys.readouterr().err


def test_those_of_whom_the_same_is_to_be_said_stand_together(course):
    for student in ("ann", "bela"):
        course.hand_in(student, cells(), graded=False)
    (told,) = course.marks()[0].left_out
    assert told.startswith("ann, bela, 01_tiny: nbgrader has not graded it")


def test_a_copy_that_was_handed_in_again_after_grading_is_said(course):
    course.hand_in("ann", cells(answers=(7, 20, 30)))
    course.write("submitted", "ann", ONE, cells())
    (told,) = course.marks()[0].odd
    assert told.startswith("ann, 01_tiny: what was handed in is not what was graded; call nbgrader")


def test_lessons_of_one_number_keep_columns_of_their_own(course):
    course.write("release", "", "01_other", cells("01_other", ran=False))
    course.hand_in("ann", cells())
    course.hand_in("ann", cells("01_other"), "01_other")
    table = course.marks()[1]
    assert "01_tiny/1" in table.columns and "01_other/1" in table.columns


def test_further_notebooks_of_an_assignment_are_named(course):
    course.write("release", "", ONE, cells(ran=False), name="part_b.ipynb")
    course.write("release", "", "ps1", cells(ran=False), name="problem1.ipynb")
    course.hand_in("ann", cells())
    course.write("submitted", "ann", ONE, cells(), name="part_b.ipynb")
    course.write("submitted", "eve", ONE, cells(), name="part_b.ipynb")
    course.write("submitted", "fay", ONE, cells(), name="part_b.ipynb")
    course.write("submitted", "fay", ONE, cells(), name="mine.ipynb")
    course.write("submitted", "gus", "ps1", cells(), name="problem1.ipynb")
    made, table = course.marks()
    two = "01_tiny has 2 notebooks; only 01_tiny.ipynb is counted"
    none = "ps1 has no notebook ps1.ipynb; problem1.ipynb is not counted"
    assert made.odd == [two, none]
    assert two in table.loc["ann", "remarks"] and two in course.page("ann")
    assert table.loc["eve", "remarks"] == (
        "01_tiny: only part_b.ipynb was handed in, and 01_tiny.ipynb alone is counted"
    )
    assert "it is named mine.ipynb, not 01_tiny.ipynb; rename it" in table.loc["fay", "remarks"]
    assert table.loc["gus", "remarks"] == none
