"""A student's lesson for handing in, the exercise sheet, a class without grades."""

import nbformat
import pytest
import scripts
from bs4 import BeautifulSoup

from ivdlib import cli
from ivdlib.course import grades, hand_in, lesson_source, lesson_versions, lessons, sheet
from ivdlib.errors import ConfigError, DataError
from ivdlib.report.experiment import Author

V4 = nbformat.v4
ANN = Author("Ann", "Imaging", "12345")


def graded(ident, points=0, *, solution=False):
    marks = {"grade": points > 0, "solution": solution, "grade_id": ident, "points": points}
    return {"nbgrader": {**marks, "schema_version": 3, "locked": not solution}}


def said(text):
    return [nbformat.from_dict({"output_type": "stream", "name": "stdout", "text": text})]


def failed(sentence):
    error = {"output_type": "error", "ename": "WrongAnswer", "evalue": sentence,
             "traceback": [sentence]}  # fmt: skip
    return [nbformat.from_dict(error)]


@pytest.fixture
def notebook(tmp_path):
    """A lesson with four exercises: right, wrong, not answered, written."""
    cells = [
        V4.new_markdown_cell("# 07 · A lesson\n\nWhy."),
        V4.new_code_cell("work_of_the_lesson()", execution_count=1, outputs=said("42")),
    ]
    checks = (
        said("✅ 4 is right"),
        failed("❌ expected 4, got 5."),
        failed("❌ not answered yet."),
    )
    for k, output in enumerate(checks, start=1):
        cells += [
            V4.new_markdown_cell(f"## Exercise {k} (5 minutes)\n\nTask {k}?"),
            V4.new_code_cell(f"answer{k} = {k}", metadata=graded(f"s{k}", solution=True)),
            V4.new_code_cell("check()", execution_count=3, outputs=output,
                             metadata=graded(f"t{k}", 2)),
        ]  # fmt: skip
    cells += [
        V4.new_markdown_cell("## Exercise 4 (5 minutes)\n\nSay why."),
        V4.new_markdown_cell("Because I say so.", metadata=graded("w4", 3, solution=True)),
        V4.new_markdown_cell("## What we have done\n\nMuch."),
    ]
    path = tmp_path / "07_lesson.ipynb"
    nbformat.write(V4.new_notebook(cells=cells), path)
    return path


def results(made, book=None):
    """Of a copy that is all there is of its lesson."""
    return grades.results(made, book, asked=grades.exercises(made))


def test_results_say_points_and_state(notebook):
    found = results(nbformat.read(notebook, as_version=4))
    assert [(r.points, r.most, r.state) for r in found] == [
        (2, 2, "check passed"),
        (0, 2, "check failed"),
        (0, 2, "not answered"),
        (None, 3, "to be marked by hand"),
    ]
    assert [r.title for r in found] == [f"Exercise {k} (5 minutes)" for k in (1, 2, 3, 4)]


def test_nbgraders_points_go_before_those_of_the_checks(notebook):
    made = nbformat.read(notebook, as_version=4)
    found = results(made, {"t1": 1.5, "t2": 0.0, "w4": 2.0})
    assert [r.points for r in found] == [1.5, 0, 0, 2]
    assert results(made, {"w4": None})[3].points is None


def test_a_copy_that_never_ran_and_an_empty_answer(notebook):
    made = nbformat.read(notebook, as_version=4)
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "w4":
            cell.source = "*Your answer here.*"
    found = results(made)
    assert [r.state for r in found] == ["not run", "not run", "not run", "not answered"]
    assert sum(r.points for r in found) == 0


def test_handing_in_shows_answers_checks_and_points(notebook, tmp_path):
    made = hand_in.hand_in(notebook, ANN, tmp_path / "out" / "ann")
    page = BeautifulSoup(made["html"].read_text(encoding="utf-8"), "html.parser")
    text = page.get_text(" ")
    head = page.header.get_text(" ")
    assert all(word in head for word in ("Ann", "Imaging", "12345"))
    assert "2 of 9, 3 to be marked by hand" in head
    assert "the checks in this copy" in head
    code = [block.get_text().strip() for block in page.find_all(class_="code")]
    assert code == ["answer1 = 1", "answer2 = 2", "answer3 = 3"]
    assert "Because I say so." in text
    assert "expected 4, got 5" in text and "✓ 4 is right" in text
    assert len(page.find_all("h1")) == 1
    if made["pdf"]:
        assert made["pdf"].read_bytes().startswith(b"%PDF-")
    more = hand_in.hand_in(notebook, ANN, tmp_path / "out" / "ann", code=True)
    page = BeautifulSoup(more["html"].read_text(encoding="utf-8"), "html.parser")
    assert "work_of_the_lesson()" in page.get_text()


def test_a_notebook_without_exercises_is_refused(tmp_path):
    path = tmp_path / "x.ipynb"
    nbformat.write(V4.new_notebook(cells=[V4.new_markdown_cell("# Only text")]), path)
    for make in (lambda: hand_in.hand_in(path, ANN, tmp_path / "o"),
                 lambda: sheet_of(path, ANN, tmp_path / "o")):  # fmt: skip
        with pytest.raises(DataError, match="has no exercise"):
            make()
    assert [p.name for p in tmp_path.iterdir()] == ["x.ipynb"]


def sheet_of(wish, author, out):
    name, made, _ = sheet.unanswered(str(wish))
    return sheet.sheet(name, made, author, out)


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
    assert 2 <= len(tasks) <= 4
    assert all("Exercise" in task["html"] for task in tasks)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with lesson 03, its exercises answered and saved."""
    scripts.mark_checkout(tmp_path)
    place = tmp_path / "notebooks"
    (place / "src").mkdir(parents=True)
    (place / "exercises").mkdir()
    source = lesson_source.source_of("03")
    (place / "src" / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    text = lesson_versions.render(source)
    (place / f"{source.stem}.ipynb").write_text(text, encoding="utf-8")
    made = lesson_versions.notebook(source, "student")
    for n, cell in enumerate(made.cells):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = f"mine = {n}  # MY ANSWER"
    made.cells.append(V4.new_code_cell("more()  # MY ANSWER"))
    nbformat.write(made, place / "exercises" / f"{source.stem}.ipynb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
    asked = grades.exercises(made)
    assert sum(task["points"] for task in tasks) == sum(e.most for e in asked) == 15


def foreign(notebook, name, check="check_of_theirs()"):
    """A lesson of somebody else whose cells are named as ours are."""
    made = nbformat.read(notebook, as_version=4)
    for cell in made.cells:
        if marks := cell.metadata.get("nbgrader"):
            kind, number = marks["grade_id"]
            role = {"s": "solution", "t": "test", "w": "written"}[kind]
            marks["grade_id"] = f"lesson01_exercise{number}_{role}"
            if kind == "t":
                cell.source = check
    path = notebook.with_name(name)
    nbformat.write(made, path)
    return path, made


def test_a_lesson_that_is_not_ours_is_held_against_itself(notebook, tmp_path):
    path, made = foreign(notebook, "01_tiny.ipynb")
    assert hand_in.source_of(made, path) is None
    copy = hand_in.hand_in(path, ANN, tmp_path / "o")["copy"]
    assert sum(r.most for r in copy.results) == 9 and copy.troubles() == []
    assert sheet.unanswered(str(path))[0] == "01_tiny"
    assert hand_in.source_of(made, notebook.with_name("01.ipynb")) is None


def test_a_copy_of_ours_is_told_by_its_name_or_a_check(notebook):
    ours = lesson_source.source_of("01")
    student = lesson_versions.notebook(ours, "student")
    named = {c.metadata.get("nbgrader", {}).get("grade_id"): c.source for c in student.cells}
    path, made = foreign(notebook, "mine.ipynb", named["lesson01_exercise1_test"])
    assert hand_in.source_of(made, path) == ours
    path, made = foreign(notebook, f"{ours.stem}.ipynb")
    assert hand_in.source_of(made, path) == ours


def test_code_that_is_none_of_the_lessons_is_shown(checkout):
    path = checkout / "notebooks" / "exercises" / "03_fds_cnn.ipynb"
    made = nbformat.read(path, as_version=4)
    lost = next(c for c in made.cells if c.metadata.get("nbgrader", {}).get("solution"))
    lost.metadata = nbformat.from_dict({"tags": ["solution"]})
    nbformat.write(made, path)
    assert cli.main(["report", "--lesson", "03", "--out", "mine"]) == 0
    page = BeautifulSoup((checkout / "mine.html").read_text(encoding="utf-8"), "html.parser")
    code = [block.get_text().strip() for block in page.find_all(class_="code")]
    assert all("MY ANSWER" in block for block in code) and "more()  # MY ANSWER" in code
    assert lost.source in code
    assert "the cell of its answer is missing from the copy" in page.get_text()


def test_ones_own_copy_is_held_against_the_lesson_too(checkout, capsys):
    path = checkout / "notebooks" / "exercises" / "03_fds_cnn.ipynb"
    made = nbformat.read(path, as_version=4)
    names = [c.metadata.get("nbgrader", {}).get("grade_id") for c in made.cells]
    test = made.cells[names.index("lesson03_exercise2_test")]
    test.metadata.nbgrader.points = 20
    del made.cells[names.index("lesson03_exercise1_test")]
    nbformat.write(made, checkout / "saved.ipynb")
    assert cli.main(["report", "--lesson", "saved.ipynb", "--out", "mine"]) == 0
    told = capsys.readouterr().err
    assert "Exercise 1 (5 minutes): the cell of its check is missing from the copy" in told
    assert "Exercise 2 (5 minutes): the copy says 20 points, the lesson says 2" in told
    page = (checkout / "mine.html").read_text(encoding="utf-8")
    assert "0 of 6" in page
    assert "is missing from the copy, which gives no points" in page


def test_which_notebook_a_lesson_means(notebook):
    assert hand_in.student_copy(str(notebook)) == notebook
    assert hand_in.student_copy("3").parts[-3:] == ("notebooks", "exercises", "03_fds_cnn.ipynb")
    with pytest.raises(ConfigError, match="there is no lesson 17"):
        hand_in.student_copy("17")
    with pytest.raises(ConfigError, match=r"there is no notebook nowhere\.ipynb"):
        hand_in.student_copy("nowhere.ipynb")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "say what to report on"),
        (["smoke", "--lesson", "3"], "say what to report on"),
        (["--blank"], "say what to report on"),
        (["smoke", "--blank"], "--blank is the sheet of one lesson"),
        (["nowhere"], "there is no experiment nowhere in"),
        (["--compare", "nowhere"], "there is no experiment nowhere in"),
        (["--lesson", "x.ipynb"], "there is no notebook x.ipynb"),
        (["--class", "nowhere"], "there is no folder nowhere"),
        (["--lesson", "/tmp"], "there is no notebook /tmp"),
        (["x", "--reports", "nowhere"], "that folder is not there"),
    ],
)
def test_a_wrong_call_is_one_sentence(words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", *words]) == 1
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1


def test_the_command_writes_and_says_where(notebook, tmp_path, capsys):
    out = str(tmp_path / "mine")
    words = ["report", "--lesson", str(notebook), "--author", "Ann", "--out", out]
    assert cli.main(words) == 0
    assert f"page: {out}.html" in capsys.readouterr().out
    assert cli.main([*words, "--blank"]) == 0
    assert "Because I say so." not in (tmp_path / "mine.html").read_text(encoding="utf-8")
