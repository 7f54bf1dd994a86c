"""Exercises from one source: the check, the student's version, and the whole way through nbgrader.

The lessons themselves train networks; a small made-up source stands in for them here.
"""

import csv
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pandas as pd
import pytest
import scripts
from bs4 import BeautifulSoup
from nbclient import NotebookClient
from small_source import NAME, SOURCE

from ivdlib.course import class_reports
from ivdlib.course.one_lesson import execute_lesson
from ivdlib.errors import ConfigError
from ivdlib.report.experiment import Author

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks" / "src").glob("*.py"))
POINTS = {"exercise1": 2.0, "exercise2": 3.0, "exercise3": 4.0}


@pytest.fixture(scope="module")
def build():
    return scripts.load("build")


@pytest.fixture
def source(tmp_path) -> Path:
    """The small source in a folder like `notebooks`."""
    path = tmp_path / "src" / f"{NAME}.py"
    path.parent.mkdir()
    path.write_text(SOURCE, encoding="utf-8")
    return path


def tagged(text: str, tag: str) -> list:
    """Cells of a notebook's text that bear a tag."""
    cells = nbformat.reads(text, as_version=4).cells
    return [cell for cell in cells if tag in cell.metadata.get("tags", [])]


def test_a_lesson_folds_its_answers_and_shows_no_marks(build, source):
    text = build.render_lesson(source)
    assert "BEGIN SOLUTION" not in text
    assert "nbgrader" not in text
    first, second = tagged(text, "solution")
    assert first.source == (
        "# A solution\nsize = mask.size  # stands outside the marks\n"
        "as_numbers = mask.astype(int)\nanswer = as_numbers.sum()"
    )
    assert first.metadata["jupyter"] == second.metadata["jupyter"] == {"source_hidden": True}
    (written,) = tagged(text, "written")
    assert written.source.startswith('<details class="solution"><summary>')
    assert "**too good**" in written.source
    assert text.count("*To work on it: `my_lessons/01_small.ipynb`, ") == 3
    assert "fold it" not in text and "folded" not in text  # what one program folds, another shows


def test_students_get_stubs_that_assign_none(build, source):
    text = build.render_lesson(source, "student")
    assert "BEGIN SOLUTION" not in text
    assert "To work on it" not in text
    first, second = tagged(text, "solution")
    assert first.source == (
        "size = mask.size  # stands outside the marks\nanswer = None\n# YOUR CODE HERE"
    )
    assert second.source == (
        'def overlap(a, b):\n    """Dice of two masks."""\n'
        "    value = None\n    # YOUR CODE HERE\n    return value"
    )
    (written,) = tagged(text, "written")
    assert written.source == "*Your answer here.*"
    cells = nbformat.reads(text, as_version=4).cells
    below = cells[cells.index(written) + 1].source
    assert '# model_answers.show("01", 3)' in below  # nothing is shown before one asks for it


def test_cells_bear_what_nbgrader_wants(build, source):
    text = build.render_lesson(source, "student")
    cells = nbformat.reads(text, as_version=4).cells
    marked = {c.metadata.nbgrader.grade_id: c for c in cells if "nbgrader" in c.metadata}
    assert list(marked) == [
        *("lesson01_exercise1_solution", "lesson01_exercise1_test"),
        *("lesson01_exercise2_solution", "lesson01_exercise2_test"),
        "lesson01_exercise3_written",
    ]
    solution, test, *_, written = (cell.metadata for cell in marked.values())
    assert all(cell.metadata.nbgrader.schema_version == 3 for cell in marked.values())
    folded = marked["lesson01_exercise1_test"].source
    assert folded.startswith("# The check: run this cell\nexercises.check(")
    assert test.jupyter.source_hidden
    assert (test.nbgrader.locked, test.editable, test.deletable) == (True, False, False)
    assert (test.nbgrader.grade, test.nbgrader.solution, test.nbgrader.points) == (True, False, 2)
    assert (solution.nbgrader.grade, solution.nbgrader.solution) == (False, True)
    assert "points" not in solution.nbgrader
    assert (written.nbgrader.grade, written.nbgrader.solution) == (True, True)
    assert written.nbgrader.points == 4
    assert "editable" not in solution
    assert "editable" not in written


@pytest.mark.parametrize("version", ["lesson", "student", "nbgrader"])
def test_same_bytes_every_time(build, source, version):
    assert build.render_lesson(source, version) == build.render_lesson(source, version)


def answers(source: Path) -> list[str]:
    """Lines between the marks of a source, and what each of them assigns."""
    found, inside = [], False
    for line in source.read_text(encoding="utf-8").splitlines():
        line = line.strip("# ")
        if line in ("BEGIN SOLUTION", "END SOLUTION"):
            inside = line.startswith("BEGIN")
        elif inside:
            found += [line, line.partition(" = ")[2]]
    return [text for text in found if len(text) > 12]


def leaks(build, source: Path) -> list[str]:
    """Parts of answers that stand in a student's version."""
    cells = nbformat.reads(build.render_lesson(source, "student"), as_version=4).cells
    text = "\n".join(cell.source for cell in cells)
    return [answer for answer in answers(source) if answer in text]


def test_no_answer_is_left_in_the_students_version(build, source):
    assert "as_numbers.sum()" in answers(source)
    assert "Because the score would be **too good**." in answers(source)
    assert leaks(build, source) == []
    told = SOURCE.replace("np.count_nonzero(mask)", "mask.astype(int).sum()")
    source.write_text(told, encoding="utf-8")
    assert leaks(build, source) == ["mask.astype(int)"]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_no_answer_of_a_lesson_is_left_in_its_exercises(build, lesson):
    assert leaks(build, lesson) == [], "let the check compute it in another way"


def test_a_missing_or_old_notebook_is_told(build, source, tmp_path):
    names = [f"{NAME}.ipynb"]
    assert build.out_of_step(tmp_path) == names
    for name, text in build.wanted(tmp_path).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert build.out_of_step(tmp_path) == []
    source.write_text(SOURCE.split("# %% [markdown]\n# ## Exercise 1")[0], encoding="utf-8")
    assert build.out_of_step(tmp_path) == names
    assert list(build.wanted(tmp_path)) == [f"{NAME}.ipynb"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("## Exercise 2", "## Exercise 1", "has two cells lesson01_exercise1_question: number its"),
        ("### BEGIN SOLUTION\nas_", "as_", "exercise 1, the cell tagged solution: put its answer"),
        ("### END SOLUTION\n\n# %% tags", "\n# %% tags", "1, the cell tagged solution: put its"),
        ("# ### BEGIN SOLUTION", "#", "exercise 3, the cell tagged written: put its answer"),
        ("### BEGIN SOLUTION\nas_", "### BEGIN SOLUTIONS\nas_", "put its answer between one line"),
        ('# %% tags=["solution"]\nsize', "# %%\nsize", "marks of a solution in a cell that is"),
        ('# %% tags=["test"] points=2', "# %%", "1, the cell tagged solution: let a cell tagged"),
        ('["test"] points=2', '["test"]', r'say what it is worth: # %% tags=\["test"\] points=2'),
        ('["test"] points=2', '["test"] points=0', "exercise 1, the cell tagged test: say what"),
        ('["written"] points=4', '["written"]', "exercise 3, the cell tagged written: say what"),
        ('# %% tags=["solution"]\nsize', '# %% tags=["test"] points=1\nsize', "right after a cell"),
        ("## Exercise 1 (2 minutes)", "## Exercise 1", r"exercise \?, the cell tagged solution"),
        ("# ## Exercise 3 (5 minutes)", "# ## Last words", r"exercise \?, the cell tagged written"),
        ("answer = as_", "amount = as_", "its check reads nothing that it assigns; let both use"),
        ("answer = as_numbers.sum()", "answer = (", "without its marks it is not Python"),
        ('[markdown] tags=["written"]', 'tags=["written"]', "tagged written: make it a markdown"),
        ("# ## What we have", "# ## Exercise 4 (2 minutes)\n# What we have",
         "below the heading of lesson01_exercise4 there is no cell tagged solution or written"),
    ],
)  # fmt: skip
def test_a_source_that_breaks_the_rules_is_refused(build, source, old, new, sentence):
    assert SOURCE.count(old) == 1
    source.write_text(SOURCE.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=sentence) as caught:
        build.render_lesson(source)
    assert str(caught.value).startswith(NAME)
    assert "\n" not in str(caught.value)


def test_the_command_tells_it_in_one_sentence(build, monkeypatch, capsys):
    def refuse(folder):
        raise ConfigError("01_small: number them.")

    monkeypatch.setattr(build, "out_of_step", refuse)
    assert build.main(["--check"]) == 1
    assert capsys.readouterr().out == "01_small: number them.\n"
    assert build.main(["--nbgrader"]) == 2


@pytest.mark.slow
def test_the_lesson_passes_its_own_checks(build, source, tmp_path):
    (tmp_path / f"{NAME}.ipynb").write_text(build.render_lesson(source), encoding="utf-8")
    done = execute_lesson(tmp_path / f"{NAME}.ipynb", {"student": "ann"}, tmp_path / "done.ipynb")
    printed = [c.outputs[0].text for c in tagged(done.read_text(encoding="utf-8"), "test")]
    assert printed == ["✅ 4 is right\n", "✅ 0 is right\n✅ 1 is right\n"]


@pytest.mark.slow
def test_an_untouched_version_shows_a_sentence_and_goes_on(build, source):
    notebook = nbformat.reads(build.render_lesson(source, "student"), as_version=4)
    NotebookClient(notebook, kernel_name="python3").execute()
    shown = [c.outputs[0] for c in tagged(nbformat.writes(notebook), "test")]
    assert [out.output_type for out in shown] == ["error", "error"]
    sentence = "❌ not answered yet: write it in place of # YOUR CODE HERE"
    assert [one.traceback for one in shown] == [[f"{sentence}."]] * 2  # no hint before one tries
    assert notebook.cells[-1].outputs[0].text == "to the end\n"


RIGHT = {
    "lesson01_exercise1_solution": "answer = mask.sum()",
    "lesson01_exercise2_solution": "def overlap(a, b):\n    return 2 * (a & b).sum() / (a.sum() + "
    "b.sum())",
    "lesson01_exercise3_written": "It would have seen the answer.",
}
WRONG = {
    "lesson01_exercise1_solution": "answer = 5",
    "lesson01_exercise2_solution": "def overlap(a, b):\n    return (a & b).sum() / a.sum() + 1",
}
CHEATED = {**WRONG, "lesson01_exercise1_test": "pass", "lesson01_exercise2_test": "pass"}


def run_nbgrader(course: Path, *arguments: str) -> str:
    """What a command of nbgrader says; it knows nothing of this user's settings."""
    own = {name: str(course / ".jupyter") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    own["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=os.environ | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def submit(course: Path, student: str, notebook: Path, sources: dict[str, str], spoil=None) -> None:
    """Hand in a copy of `notebook` with other sources in some cells, by their grade_id."""
    copy = nbformat.read(notebook, as_version=4)
    for cell in copy.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = sources.get(grade_id, cell.source)
        if grade_id in sources and grade_id.endswith("test"):
            cell.metadata.nbgrader.points = 20
    if spoil:
        spoil(copy)
    path = course / "submitted" / student / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(copy, path)


def lose(*words: str):
    """Delete the cells whose metadata hold one of these words."""

    def spoil(copy) -> None:
        copy.cells = [c for c in copy.cells if not any(w in str(c.metadata) for w in words)]

    return spoil


def double(copy) -> None:
    """A check stands there twice."""
    place = next(n for n, c in enumerate(copy.cells) if "exercise1_test" in str(c.metadata))
    other = nbformat.from_dict(json.loads(json.dumps(copy.cells[place])))
    copy.cells.insert(place, nbformat.from_dict({**other, "id": "another"}))


def forget(copy) -> None:
    """All metadata of cells are gone, as hosted notebooks leave it."""
    for cell in copy.cells:
        cell.metadata = nbformat.from_dict({})


@pytest.fixture(scope="module")
def course(build, tmp_path_factory) -> Path:
    """A course: the assignment made, handed in by five students, graded, with feedback."""
    there = importlib.util.find_spec("nbgrader")
    scripts.need(there, "nbgrader is not installed: pip install -e .[teach]")
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "src").mkdir()
    (folder / "src" / f"{NAME}.py").write_text(SOURCE, encoding="utf-8")
    course = folder / "course"
    assert build.write_course(course, folder) == [NAME]
    run_nbgrader(course, "generate_assignment", NAME)
    released = course / "release" / NAME / f"{NAME}.ipynb"
    ours = folder / "ours.ipynb"
    ours.write_text(build.render_lesson(folder / "src" / f"{NAME}.py", "student"), encoding="utf-8")
    submit(course, "solved", released, RIGHT)
    submit(course, "solved_ours", ours, RIGHT)
    submit(course, "untouched", released, {})
    submit(course, "untouched_ours", ours, {})
    submit(course, "wrong", released, WRONG)
    submit(course, "cheated", released, CHEATED)
    submit(course, "deleted", released, RIGHT, lose("exercise1_test"))
    submit(course, "no exercise", released, RIGHT, lose("exercise1_"))
    submit(course, "doubled", released, RIGHT, double)
    submit(course, "hosted", released, RIGHT, forget)
    run_nbgrader(course, "autograde", NAME)
    path = course / "submitted" / "renamed" / NAME / f"{NAME} (1).ipynb"
    path.parent.mkdir(parents=True)
    shutil.copy(released, path)
    return course


def scores(course: Path) -> dict[str, tuple[float, float]]:
    """Points and possible points by student, from what nbgrader exports."""
    run_nbgrader(course, "export", "--to", "grades.csv")
    with open(course / "grades.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in rows}


@pytest.mark.long
def test_nbgrader_makes_the_same_version_for_students(build, course):
    released = nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    ours = nbformat.read(course.parent / "ours.ipynb", as_version=4)
    for cell in released.cells:
        for added in ("checksum", "cell_type"):
            cell.metadata.get("nbgrader", {}).pop(added, None)
    # What is graded does not offer the model answer.
    assert released.cells == [c for c in ours.cells if not c.id.startswith("compare-")]


@pytest.mark.long
def test_points_of_right_untouched_and_wrong_answers(course):
    whole = sum(POINTS.values())
    by_machine = whole - POINTS["exercise3"]  # a written answer waits for the lecturer
    assert scores(course) == {
        "solved": (by_machine, whole),
        "solved_ours": (by_machine, whole),
        "untouched": (0.0, whole),
        "untouched_ours": (0.0, whole),
        "wrong": (0.0, whole),
        "cheated": (0.0, whole),
        "deleted": (by_machine, whole),
        "no exercise": (by_machine - POINTS["exercise1"], whole),
        "doubled": (by_machine, whole),
        "hosted": (by_machine, whole),
    }


@pytest.mark.long
def test_written_answers_are_graded_by_hand_or_empty(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        place = ("lesson01_exercise3_written", NAME, NAME)
        assert book.find_grade(*place, "solved").needs_manual_grade
        assert not book.find_grade(*place, "untouched").needs_manual_grade
        assert not book.find_grade(*place, "untouched_ours").needs_manual_grade
        grade = book.find_grade(*place, "solved")
        grade.manual_score, grade.needs_manual_grade = POINTS["exercise3"], False
        book.db.commit()
    points, whole = scores(course)["solved"]
    assert points == whole == sum(POINTS.values())


@pytest.mark.long
def test_feedback_holds_the_sentences(course):
    run_nbgrader(course, "generate_feedback", NAME)
    pages = {
        path.parts[-3]: path.read_text(encoding="utf-8")
        for path in course.glob(f"feedback/*/{NAME}/{NAME}.html")
    }
    assert len(pages) == 10
    assert "❌ 5 is too large; hint: a mask can be summed." in pages["wrong"]
    assert "❌ 5 is too large; hint: a mask can be summed." in pages["cheated"]
    assert "❌ not answered yet" in pages["untouched"]
    assert "✅ 4 is right" in pages["solved"]
    assert "❌" not in pages["solved"]
    broken = [student for student, page in pages.items() if "(most recent call" in page]
    assert broken == ["no exercise"]  # its check, put back, finds no name


@pytest.mark.long
def test_a_report_for_each_student_and_a_table_of_marks(course):
    made = class_reports.class_reports(course, author=Author("Lecturer", "Imaging"))
    assert [path.stem for path in made.paths] == [
        *("cheated", "deleted", "doubled", "hosted", "no exercise"),
        *("solved", "solved_ours", "untouched", "untouched_ours", "wrong"),
    ]
    marks = pd.read_csv(made.table, index_col="student")
    columns = ["01/1", "01/2", "01/3", "points", "of", "waiting", "remarks"]
    assert list(marks.columns) == columns
    assert (marks["of"] == sum(POINTS.values())).all()
    for student in ("solved_ours", "deleted", "doubled", "hosted"):
        assert marks.loc[student, ["01/1", "01/2", "points", "waiting"]].tolist() == [2, 3, 5, 4]
    assert marks.loc["no exercise", ["01/1", "01/2", "points"]].tolist() == [0, 3, 3]
    assert marks.loc["wrong", ["01/1", "01/2", "points"]].tolist() == [0, 0, 0]
    assert marks.loc["cheated", "points"] == marks.loc["untouched", "points"] == 0
    assert marks.loc[["solved", "solved_ours", "untouched", "wrong"], "remarks"].isna().all()
    odd: dict[str, str] = {}
    for told in made.odd:
        odd[told.split(",")[0]] = odd.get(told.split(",")[0], "") + told
    assert list(odd) == ["cheated", "deleted", "doubled", "hosted", "no exercise"]
    assert "the copy says 20 points, the lesson says 2" in odd["cheated"]
    assert "nbgrader put it back" in odd["deleted"]
    assert "is there 2 times" in odd["doubled"]
    assert "none of the lesson's cells was recognised" in odd["hosted"]
    (left_out,) = made.left_out
    assert left_out.startswith(f"renamed, {NAME}: it is named {NAME} (1).ipynb, not {NAME}.ipynb")
    page = made.paths[-1].with_suffix(".html").read_text(encoding="utf-8")
    assert "nbgrader" in page and "Imaging" in page and "Lecturer" not in page
    assert "5 is too large" in page
    assert "answer = 5" in BeautifulSoup(page, "html.parser").get_text()


def test_a_course_folder_keeps_its_settings_and_stays_out_of_git(build, source, tmp_path):
    course = tmp_path / "course"
    build.write_course(course, tmp_path)
    (course / "nbgrader_config.py").write_text("# mine\n")
    (course / "source" / NAME / f"{NAME}.ipynb").unlink()
    assert build.write_course(course, tmp_path) == [NAME]
    assert (course / "nbgrader_config.py").read_text() == "# mine\n"
    assert (course / ".gitignore").read_text() == "*\n"
    made = jupytext.read(course / "source" / NAME / f"{NAME}.ipynb")
    assert json.dumps(made).count("BEGIN SOLUTION") == 3


def test_a_course_without_exercises_is_refused(build, source, tmp_path):
    source.write_text("# %% [markdown]\n# # 01 · Nothing\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="has exercises; INSTRUCTOR.md says how"):
        build.write_course(tmp_path / "course", tmp_path)
    assert not (tmp_path / "course").exists()
