"""A student's lesson for handing in, the exercise sheet, a class without grades."""

import nbformat
import pytest
from bs4 import BeautifulSoup
from small_lesson import sheet_of

from ivdlib import cli
from ivdlib.course import hand_in, lesson_source, lesson_versions, sheet
from ivdlib.errors import ConfigError, DataError
from ivdlib.report.experiment import Author

V4 = nbformat.v4
ANN = Author("Ann", "Imaging", "12345")


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
    more = hand_in.hand_in(notebook, ANN, tmp_path / "out" / "ann", whole=True, code=True)
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
    assert hand_in.source_of_copy(made, path) is None
    copy = hand_in.hand_in(path, ANN, tmp_path / "o")["copy"]
    assert sum(r.most for r in copy.results) == 9 and copy.troubles() == []
    assert sheet.unanswered(str(path))[0] == "01_tiny"
    assert hand_in.source_of_copy(made, notebook.with_name("01.ipynb")) is None


def test_a_copy_of_ours_is_told_by_its_name_or_a_check(notebook):
    ours = lesson_source.source_of("01")
    student = lesson_versions.notebook(ours, "student")
    named = {c.metadata.get("nbgrader", {}).get("grade_id"): c.source for c in student.cells}
    path, made = foreign(notebook, "mine.ipynb", named["lesson01_exercise1_test"])
    assert hand_in.source_of_copy(made, path) == ours
    path, made = foreign(notebook, f"{ours.stem}.ipynb")
    assert hand_in.source_of_copy(made, path) == ours


def test_code_that_is_none_of_the_lessons_is_shown(checkout):
    path = checkout / "my_lessons" / "03_fds_cnn.ipynb"
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
    path = checkout / "my_lessons" / "03_fds_cnn.ipynb"
    made = nbformat.read(path, as_version=4)
    names = [c.metadata.get("nbgrader", {}).get("grade_id") for c in made.cells]
    test = made.cells[names.index("lesson03_exercise2_test")]
    test.metadata.nbgrader.points = 20
    del made.cells[names.index("lesson03_exercise1_test")]
    nbformat.write(made, checkout / "saved.ipynb")
    assert cli.main(["report", "--lesson", "saved.ipynb", "--out", "mine"]) == 0
    told = capsys.readouterr().err
    assert "Exercise 1 (4 minutes): the cell of its check is missing from the copy" in told
    assert "Exercise 2 (3 minutes): the copy says 20 points, the lesson says 2" in told
    page = (checkout / "mine.html").read_text(encoding="utf-8")
    assert "0 of 15" in page
    assert "is missing from the copy, which gives no points" in page


def test_which_notebook_a_lesson_means(notebook, checkout):
    assert hand_in.student_copy(str(notebook)) == notebook
    assert hand_in.student_copy("3") == checkout / "my_lessons" / "03_fds_cnn.ipynb"
    (checkout / "03_fds_cnn.ipynb").write_text("{}")  # where one stands goes first
    assert hand_in.student_copy("3") == checkout / "03_fds_cnn.ipynb"
    for place in (checkout, checkout / "my_lessons"):
        (place / "03_fds_cnn.ipynb").unlink()
    with pytest.raises(ConfigError, match="no 03_fds_cnn.ipynb of yours here or in my_lessons"):
        hand_in.student_copy("3")
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
