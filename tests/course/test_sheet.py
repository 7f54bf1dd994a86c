"""The exercise sheet shows tasks and points, and nobody's answers."""

import nbformat
import pytest
from bs4 import BeautifulSoup
from small_lesson import graded, sheet_of

from ivdlib import cli
from ivdlib.course import lessons, points, sheet
from ivdlib.errors import DataError
from ivdlib.report.experiment import Author

V4 = nbformat.v4


def test_the_sheet_has_tasks_and_no_answers(notebook, tmp_path):
    made = sheet_of(notebook, Author("Prof. B"), tmp_path / "sheet")
    page = BeautifulSoup(made["html"].read_text(encoding="utf-8"), "html.parser")
    tasks = page.find_all("section", class_="task")
    assert len(tasks) == 4
    assert [t.find(class_="points").get_text() for t in tasks] == [*["2 points"] * 3, "3 points"]
    text = page.get_text(" ")
    assert "4 exercises, 9 points" in text
    assert "Task 1?" in text and "Say why." in text
    for hidden in (
        "Because I say so.",
        "answer1 = 1",
        "is right",
        "expected 4",
        "check()",
        "42",
        "Much.",
    ):
        assert hidden not in text
    assert "Lecturer" in page.header.get_text()


@pytest.mark.parametrize("lesson", lessons.series(), ids=lambda path: path.stem)
def test_every_lesson_has_a_sheet_with_all_its_points(lesson, tmp_path):
    name, made, place = sheet.unanswered(lesson.stem[:2])
    assert name == lesson.stem and place.endswith(f"src/{name}.py")
    wanted = [c.metadata.nbgrader.points for c in made.cells
              if c.metadata.get("nbgrader", {}).get("grade")]  # fmt: skip
    tasks = list(sheet._tasks(made))
    assert [task["points"] for task in tasks] == wanted
    assert 2 <= len(tasks) <= 6
    assert all("Exercise" in task["html"] for task in tasks)


@pytest.mark.parametrize(
    "wish", ["03", "notebooks/exercises/03_fds_cnn.ipynb", "elsewhere.ipynb", "03_fds_cnn.ipynb"]
)
def test_a_sheet_shows_nobodys_answers(checkout, tmp_path, capsys, wish):
    path = checkout / "notebooks" / "exercises" / "03_fds_cnn.ipynb"
    assert "MY ANSWER" in path.read_text(encoding="utf-8")
    if wish == "03_fds_cnn.ipynb":  # a copy without metadata is told by its name
        bare = nbformat.read(path, as_version=4)
        for cell in bare.cells:
            cell.metadata = nbformat.from_dict({})
        nbformat.write(bare, wish)
    elif wish == "elsewhere.ipynb":
        path.rename(wish)
    assert cli.main(["report", "--lesson", wish, "--blank", "--out", "sheet"]) == 0
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert "MY ANSWER" not in page
    assert page.count('class="task"') == 3
    assert "exercises of " in capsys.readouterr().out


def test_a_sheet_of_a_notebook_whose_answers_are_not_marked_is_refused(notebook):
    made = nbformat.read(notebook, as_version=4)
    made.cells = [c for c in made.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "s2"]
    made.cells.insert(6, V4.new_code_cell("answer2 = 2"))
    nbformat.write(made, notebook)
    with pytest.raises(
        DataError, match=r"Exercise 2 \(5 minutes\) of .* has no cell that is marked"
    ):
        sheet.unanswered(str(notebook))


@pytest.mark.parametrize("marked", [False, True])
def test_a_sheet_prints_no_code_that_bears_no_mark(notebook, marked):
    made = nbformat.read(notebook, as_version=4)
    where = {"nbgrader": {"grade": False, "solution": False, "locked": True, "grade_id": "given"}}
    working = V4.new_code_cell("working = 42", metadata=where if marked else {})
    made.cells.insert(3, working)
    nbformat.write(made, notebook)
    if marked:
        assert "working" in sheet._tasks(sheet.unanswered(str(notebook))[1]).__next__()["html"]
        return
    with pytest.raises(DataError, match=r"has code without a mark \(working = 42\), so an answer"):
        sheet.unanswered(str(notebook))


def test_a_sheet_has_all_that_gives_points(notebook, tmp_path):
    """Further checks below a heading, and nbgrader's tasks, which are asked in their own cell."""
    made = nbformat.read(notebook, as_version=4)
    marks = {"grade": False, "solution": False, "task": True, "locked": True, "points": 5}
    draw = V4.new_markdown_cell("Draw it.", metadata={"nbgrader": {**marks, "grade_id": "d"}})
    again = V4.new_code_cell("check_more()", metadata=graded("t1b", 1))
    head = V4.new_markdown_cell("## Exercise 9 (5 minutes)")
    made.cells[5:5] = [again, head, draw]
    nbformat.write(made, notebook)
    name, empty, _ = sheet.unanswered(str(notebook))
    tasks = list(sheet._tasks(empty))
    assert [task["points"] for task in tasks] == [3, 5, 2, 2, 3]
    assert [task["written"] for task in tasks] == [False, True, False, False, True]
    assert "Draw it." in tasks[1]["html"] and "check" not in "".join(t["html"] for t in tasks)
    asked = points.graded_exercises(made)
    assert sum(task["points"] for task in tasks) == sum(e.most for e in asked) == 15
