"""Marks of a class from the files of a course folder, whatever students did to their copies."""

import os
import shutil
import sys
import warnings
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from small_course import ONE, TWO, WHOLE, bare, cells, without

from ivdlib import cli
from ivdlib.course import class_reports
from ivdlib.course import hand_in_page as coursework
from ivdlib.errors import ConfigError, DataError, DataWarning
from ivdlib.report import pdf

pytestmark = pytest.mark.usefixtures("quick")

V4 = nbformat.v4


@pytest.mark.parametrize("lost", [bare, lambda: without("exercise1_solution")])
def test_a_page_shows_code_that_is_none_of_the_lessons(course, lost):
    course.hand_in("ann", [*lost(), V4.new_code_cell("x1 = my_way(10)")])
    course.marks()
    page = "".join(course.page("ann").split())
    assert "x1=my_way(10)" in page and "x2=20" in page and "check(x2" not in page


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
    made = class_reports.class_reports(course.folder, "2")
    assert made.left_out == []
    assert pd.read_csv(made.table)["of"].tolist() == [10]
    with pytest.raises(ConfigError, match="the course has no lesson 3; it has 01_tiny, 02_small"):
        class_reports.class_reports(course.folder, "3")


def test_a_class_that_handed_in_nothing_is_refused(course, tmp_path):
    with pytest.raises(DataError, match="call nbgrader generate_assignment"):
        class_reports.class_reports(tmp_path)
    with pytest.raises(DataError, match="nothing was handed in to .*; collect"):
        course.marks()


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


def times(course):
    return {p.name: p.stat().st_mtime_ns for p in (course.folder / "reports").glob("*.html")}


@pytest.fixture
def with_pdf(monkeypatch):
    def write_pdf(html, path):
        path.write_bytes(b"%PDF-")
        return True

    monkeypatch.setattr("ivdlib.report.pdf.write_pdf", write_pdf)


def test_called_again_it_goes_on_from_what_is_done(course, with_pdf, capsys):
    for name in ("ann", "bob", "cleo", "dora"):
        course.hand_in(name, cells())
    table = course.marks()[1]
    before = times(course)
    (course.folder / "reports" / "bob.pdf").unlink()
    course.hand_in("cleo", cells(answers=(10, 20, 31)))
    page = course.folder / "reports" / "dora.html"
    page.write_text(page.read_text(encoding="utf-8") + "a lecturer's note", encoding="utf-8")
    before["dora.html"] = page.stat().st_mtime_ns
    again = course.marks()[1]
    changed = {name for name, time in times(course).items() if time != before[name]}
    assert changed == {"bob.html", "cleo.html"}
    assert again.drop("cleo").equals(table.drop("cleo"))
    assert again.loc["cleo", "points"] == "4" and "kept" not in capsys.readouterr().err


def test_without_a_font_it_is_made_again_and_everybody_is_told(course, monkeypatch, with_pdf):
    def write_pdf(html, path):
        warnings.warn(f"{path.name} shows boxes", DataWarning, stacklevel=2)
        return plain(html, path)

    plain = pdf.write_pdf
    monkeypatch.setattr("ivdlib.report.pdf.write_pdf", write_pdf)
    for name in ("ann", "bob"):
        course.hand_in(name, cells())
    for _ in range(2):
        with pytest.warns(DataWarning) as told:
            course.marks()
        assert [str(one.message) for one in told] == ["ann.pdf shows boxes", "bob.pdf shows boxes"]


@pytest.mark.slow
def test_a_large_class_side_by_side_comes_to_the_same(course, capsys):
    for n in range(class_reports.ALONE + 2):
        course.hand_in(f"s{n:02d}", cells())
    course.write("autograded", "s03", ONE, "<<<<<<< broken")
    assert cli.main(["report", "--class", str(course.folder)]) == 3
    told = capsys.readouterr()
    assert told.out.count("report: ") == class_reports.ALONE + 1
    assert "warning: not graded: s03, 01_tiny:" in told.err
    table = pd.read_csv(course.folder / "reports" / "marks.csv", index_col="student", dtype=str)
    assert table.index.tolist() == [f"s{n:02d}" for n in range(class_reports.ALONE + 2)]
    assert set(table["points"].drop("s03")) == {"6"} and pd.isna(table.loc["s03", "points"])
