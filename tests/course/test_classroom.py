"""Marks of a class from the files of a course folder, whatever students did to their copies."""

import copy
import os
import shutil
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from ivdlib import cli
from ivdlib.course import classroom
from ivdlib.course import hand_in as coursework
from ivdlib.errors import ConfigError, DataError

V4 = nbformat.v4
ONE, TWO = "01_tiny", "02_small"
MISSING = "the cell of its check is missing from the copy, which gives no points"


def cells(lesson=ONE, answers=(10, 20, 30), ran=True):
    """A lesson with an exercise an answer (right where it is 10 k), and a written one."""
    found = [V4.new_markdown_cell(f"# {lesson[:2]} · A lesson")]

    def marked(make, ident, source, points=None):
        graded = {"grade": points is not None, "solution": not ident.endswith("test"),
                  "locked": ident.endswith("test"), "grade_id": f"lesson{lesson[:2]}_{ident}",
                  "schema_version": 3, "task": False}  # fmt: skip
        graded |= {} if points is None else {"points": points}
        found.append(make(source, metadata={"nbgrader": graded}))
        return found[-1]

    for k, answer in enumerate(answers, start=1):
        found.append(V4.new_markdown_cell(f"## Exercise {k} (5 minutes)\n\nTask {k}."))
        marked(V4.new_code_cell, f"exercise{k}_solution", f"x{k} = {answer}")
        check = marked(V4.new_code_cell, f"exercise{k}_test", f"check(x{k}, {10 * k})", points=2)
        if ran:
            right = V4.new_output("stream", text="✅ right\n")
            wrong = V4.new_output("error", ename="WrongAnswer", evalue="❌ expected", traceback=[])
            check.update(execution_count=1, outputs=[right if answer == 10 * k else wrong])
    found.append(V4.new_markdown_cell("## Exercise 9 (5 minutes)\n\nWhy?"))
    marked(V4.new_markdown_cell, "exercise9_written", "Because." if ran else "", points=4)
    return found


def without(*words):
    return [c for c in cells() if not any(word in str(c.metadata) for word in words)]


def bare():
    """As a hosted notebook leaves it: no metadata."""
    found = cells()
    for cell in found:
        cell.metadata = nbformat.from_dict({})
    return found


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


class Course:
    """A course folder, filled step by step as nbgrader does."""

    def __init__(self, folder):
        self.folder = folder
        self.write("release", "", ONE, cells(ran=False))

    def write(self, step, student, lesson, content, name=""):
        path = self.folder / step / student / lesson / (name or f"{lesson}.ipynb")
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            nbformat.write(V4.new_notebook(cells=content), path)
        else:
            path.write_text(content, encoding="utf-8")
        return path

    def hand_in(self, student, content, lesson=ONE, graded=True):
        """Nothing is mended between handing in and grading: as without `add_missing_cells`."""
        self.write("submitted", student, lesson, content)
        if graded:
            self.write("autograded", student, lesson, content)

    def marks(self):
        made = classroom.class_reports(self.folder)
        return made, pd.read_csv(made.table, index_col="student", dtype=str, keep_default_na=False)

    def row(self, student):
        """Columns of exercises, points, of, waiting."""
        return self.marks()[1].loc[student].tolist()[:-1]

    def page(self, student):
        text = (self.folder / "reports" / f"{student}.html").read_text(encoding="utf-8")
        return BeautifulSoup(text, "html.parser").get_text(" ")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The page is looked at here, not its PDF."""
    monkeypatch.setattr("ivdlib.report.pdf.write", lambda html, path: False)


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path / "course")


WHOLE = ["2", "2", "2", "", "6", "10", "4"]


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


@pytest.mark.parametrize("lost", [bare, lambda: without("exercise1_solution")])
def test_a_page_shows_code_that_is_none_of_the_lessons(course, lost):
    course.hand_in("ann", [*lost(), V4.new_code_cell("x1 = my_way(10)")])
    course.marks()
    page = "".join(course.page("ann").split())
    assert "x1=my_way(10)" in page and "x2=20" in page and "check(x2" not in page


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


def test_a_check_that_nbgrader_put_back_counts(course):
    course.write("submitted", "ann", ONE, without("exercise1_test"))
    course.write("autograded", "ann", ONE, cells())
    assert course.row("ann") == WHOLE
    assert "missing from the copy, nbgrader put it back" in course.page("ann")


def test_without_a_release_the_source_tells_what_there_is(course):
    shutil.rmtree(course.folder / "release")
    course.hand_in("ann", without("exercise1_test"))
    with pytest.raises(DataError, match="holds no lesson that was handed out"):
        course.marks()
    source = cells(ran=False)
    source[3].source += "\n### BEGIN HIDDEN TESTS\nhidden()\n### END HIDDEN TESTS"
    course.write("source", "", ONE, source)
    course.hand_in("bela", cells())
    made, table = course.marks()
    assert table.loc["ann"].tolist()[:-1] == ["0", "2", "2", "", "4", "10", "4"]
    assert table.loc["bela"].tolist() == [*WHOLE, ""]


# --- who has no mark -----------------------------------------------------------------------------


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
        (merged, "x, 01_tiny: the marks of a merge stand in it, so it is no notebook"),
        (torn, "x, 01_tiny: it is no notebook that can be read; ask for a sound one"),
        (paper, "x, 01_tiny: there is no notebook, only answers.pdf"),
        (empty, "x, 01_tiny: the folder is empty"),
        (void, "x: the folder is empty"),
        (flat, "x: 01_tiny.ipynb is no folder of a lesson (01_tiny); rename it"),
        (other_folder, "x: Lesson 1 is no folder of a lesson (01_tiny); rename it"),
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


def test_marks_that_the_lecturer_entered_are_kept(course, capsys):
    course.hand_in("ann", cells())
    for _ in range(2):
        table = course.marks()[0].table
    assert "kept" not in capsys.readouterr().err
    entered = table.read_text(encoding="utf-8").replace(",4,", ",0,")
    table.write_text(entered, encoding="utf-8")
    course.marks()
    kept = table.parent / "saved" / "marks-1.csv"
    assert kept.read_text(encoding="utf-8") == entered
    assert f"kept: {table} was written or changed by somebody, and is now {kept}" in (
        capsys.readouterr().err
    )
    assert course.row("ann") == WHOLE


# --- several lessons -----------------------------------------------------------------------------


def test_of_counts_every_lesson_for_everybody(course):
    course.write("release", "", TWO, cells(TWO, ran=False))
    course.write("release", "", "03_later", cells("03_later", ran=False))  # handed in by nobody
    course.hand_in("ann", cells())
    course.hand_in("ann", cells(TWO), TWO)
    course.hand_in("only second", cells(TWO), TWO)
    course.hand_in("second not graded", cells())
    course.hand_in("second not graded", cells(TWO), TWO, graded=False)
    made, table = course.marks()
    assert len(table.columns) == 8 + 4
    assert set(table["of"]) == {"20"}
    blank, given = ["", "", "", ""], ["2", "2", "2", ""]
    columns = list(table.columns[:8])
    assert table.loc["ann", columns].tolist() == given + given
    assert table.loc["only second", columns].tolist() == blank + given
    assert table.loc["only second", ["points", "waiting"]].tolist() == ["6", "4"]
    assert table.loc["only second", "remarks"] == "01_tiny: not handed in"
    assert "6 of 20" in course.page("only second")
    assert "not handed in" in course.page("only second")
    assert table.loc["second not graded", columns].tolist() == given + blank
    assert table.loc["second not graded", ["points", "waiting"]].tolist() == ["6", "14"]
    assert made.left_out[0].startswith("second not graded, 02_small: nbgrader has not graded")
    assert "02_small: nbgrader has not graded it" in course.page("second not graded")


def test_one_lesson_alone(course):
    course.write("release", "", TWO, cells(TWO, ran=False))
    course.hand_in("ann", cells(), graded=False)
    course.hand_in("ann", cells(TWO), TWO)
    made = classroom.class_reports(course.folder, "2")
    assert made.left_out == []
    assert pd.read_csv(made.table)["of"].tolist() == [10]
    with pytest.raises(ConfigError, match="the course has no lesson 3; it has 01_tiny, 02_small"):
        classroom.class_reports(course.folder, "3")


def test_lessons_of_one_number_keep_columns_of_their_own(course):
    course.write("release", "", "01_other", cells("01_other", ran=False))
    course.hand_in("ann", cells())
    course.hand_in("ann", cells("01_other"), "01_other")
    table = course.marks()[1]
    assert "01_tiny/1" in table.columns and "01_other/1" in table.columns


def test_a_class_that_handed_in_nothing_is_refused(course, tmp_path):
    with pytest.raises(DataError, match="call nbgrader generate_assignment"):
        classroom.class_reports(tmp_path)
    with pytest.raises(DataError, match="nothing was handed in to .*; collect"):
        course.marks()


# --- what nbgrader has that our lessons do not ---------------------------------------------------


def gradebook(course, *cells, penalty=0.0, student="ann", lesson=ONE):
    """nbgrader's own gradebook: names of cells, the points that each has of two."""
    api = pytest.importorskip("nbgrader.api")
    with api.Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as book:
        book.update_or_create_assignment(lesson)
        book.update_or_create_notebook(lesson, lesson)
        for name, _ in cells:
            book.update_or_create_grade_cell(name, lesson, lesson, max_score=2, cell_type="code")
        book.update_or_create_student(student)
        book.update_or_create_submission(lesson, student)
        for name, points in cells:
            grade = book.find_grade(name, lesson, lesson, student)
            grade.auto_score, grade.needs_manual_grade = points, False
        notebook = book.find_submission_notebook(lesson, lesson, student)
        notebook.late_submission_penalty = penalty
        book.db.commit()


@pytest.mark.parametrize(("penalty", "points", "off"), [(1.5, "4.5", "1.5"), (9, "0", "6")])
def test_what_nbgrader_takes_off_for_being_late_is_off(course, monkeypatch, penalty, points, off):
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", beside)  # nbgrader calls alembic for a new gradebook
    course.hand_in("ann", cells()[:-2])
    course.hand_in("bela", cells())
    names = [f"lesson01_exercise{k}_test" for k in (1, 2, 3)]
    gradebook(course, *((name, 2.0) for name in names), penalty=penalty)
    made, table = course.marks()
    assert float(table.loc["ann", "points"]) == float(points)
    assert float(table.loc["bela", "points"]) == 6
    assert table.loc["ann", ["01/1", "01/2", "01/3"]].astype(float).tolist() == [2, 2, 2]
    told = f"01_tiny: handed in late, for which nbgrader takes {off} points off"
    assert told in table.loc["ann", "remarks"] and f"ann, {told}" in made.odd
    assert f"{points} of 10" in course.page("ann") and told in course.page("ann")


def task(points=5):
    grader = {"grade": False, "grade_id": "lesson01_task", "locked": True, "points": points,
              "schema_version": 3, "solution": False, "task": True}  # fmt: skip
    return [V4.new_markdown_cell("## Exercise 10 (9 minutes)"),
            V4.new_markdown_cell("Draw it.", metadata={"nbgrader": grader})]  # fmt: skip


def test_a_task_waits_for_the_lecturer(course):
    course.write("release", "", ONE, cells(ran=False) + task())
    course.hand_in("ann", [*cells(), *task(), V4.new_markdown_cell("my drawing")])
    course.hand_in("bela", cells())
    table = course.marks()[1]
    assert table.loc["ann"].tolist() == ["2", "2", "2", "", "", "6", "15", "9", ""]
    assert table.loc["bela"].tolist()[:-1] == ["2", "2", "2", "", "0", "6", "15", "4"]
    assert (
        "Exercise 10 (9 minutes): the cell of its answer is missing"
        in (table.loc["bela", "remarks"])
    )
    assert "my drawing" in course.page("ann")


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


def test_a_report_that_cannot_be_made_costs_one_student(course, capsys, monkeypatch):
    def page(copies, author, *rest, **more):
        if author.name == "bob":
            raise MemoryError
        return plain(copies, author, *rest, **more)

    plain = coursework.page
    monkeypatch.setattr(coursework, "page", page)
    for name in ("ann", "bob", "cleo"):
        course.hand_in(name, cells())
    assert cli.main(["report", "--class", str(course.folder)]) == 3
    told = capsys.readouterr()
    assert "bob: no report could be made: it does not fit into memory" in told.err
    assert "ann.html" in told.out and "cleo.html" in told.out
    table = pd.read_csv(course.folder / "reports" / "marks.csv", index_col="student", dtype=str)
    assert table.loc["bob", "points"] == table.loc["ann", "points"] == "6"
