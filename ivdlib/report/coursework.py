"""What students hand in and lecturers hand out: one lesson, its exercise sheet, a whole class.

Points are those that nbgrader gave where it has graded; else those that the checks of the notebook
itself came to, and the page says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from ivdlib import files, lessons, places
from ivdlib.errors import ConfigError, DataError
from ivdlib.progress import track
from ivdlib.report import fill, lesson, record, write
from ivdlib.report.record import Author

EXERCISE = re.compile(r"^#+ *(Exercise \d+[^\n]*)", re.M)
HEADING = re.compile(r"^#+ ", re.M)
UNTOUCHED = ("*Your answer here.*", "")
"""What stands in a cell for a written answer before one writes."""

BY_HAND = "to be marked by hand"


@dataclass(frozen=True)
class Result:
    """One exercise of a notebook.

    Attributes
    ----------
    ident : str
        nbgrader's name of the cell that is graded.
    title : str
        Heading of the exercise.
    most : float
        Points it is worth.
    points : float or None
        None: not graded yet.
    state : str
        In words.
    """

    ident: str
    title: str
    most: float
    points: float | None
    state: str


def results(
    notebook: nbformat.NotebookNode, book: Mapping[str, float | None] | None = None
) -> list[Result]:
    """Results of a notebook's exercises, in order.

    Parameters
    ----------
    notebook : NotebookNode
    book : mapping, optional
        Points by `ident` as nbgrader's gradebook has them; None where it awaits the lecturer.
    """
    found, title = [], ""
    for cell in notebook.cells:
        if heading := EXERCISE.search(cell.source if cell.cell_type == "markdown" else ""):
            title = heading[1].strip()
        grader = cell.metadata.get("nbgrader", {})
        if not grader.get("grade"):
            continue
        ident, most = str(grader.get("grade_id", "")), float(grader.get("points", 0))
        points, state = _checked(cell, most, bool(grader.get("solution")))
        if book and ident in book:
            points = book[ident]
            state = BY_HAND if points is None else f"graded; {state}"
        found.append(Result(ident, title or ident, most, points, state))
    return found


def _checked(cell: nbformat.NotebookNode, most: float, written: bool) -> tuple[float | None, str]:
    """Points by the outputs of a cell (None: not for a machine to say), and its state in words."""
    if written:
        untouched = cell.source.strip() in UNTOUCHED
        return (0.0, "not answered") if untouched else (None, BY_HAND)
    outputs = cell.get("outputs", [])
    if cell.get("execution_count") is None and not outputs:
        return 0.0, "not run"
    for output in outputs:
        if output.output_type == "error":
            unanswered = "not answered yet" in output.get("evalue", "")
            return 0.0, "not answered" if unanswered else "check failed"
    return most, "check passed"


# --- one lesson ------------------------------------------------------------------------------


def hand_in(
    notebooks: Sequence[Path],
    author: Author,
    out: Path,
    *,
    code: bool = False,
    course: Path | None = None,
) -> dict[str, Any]:
    """Write a student's lessons for handing in: answers, checks, points.

    Parameters
    ----------
    notebooks : sequence of Path
        The student's copies, run.
    author : Author
    out : Path
        Page and PDF without ending, see `report.write`.
    code : bool
        Whether code is shown that belongs to the lesson and not to an answer.
    course : Path, optional
        nbgrader's course folder; default the one that the first notebook lies in, if any.

    Returns
    -------
    dict
        As `report.build`; `results`: lists of `Result` by the name of the lesson.

    Raises
    ------
    DataError
        Where a notebook cannot be read or holds no exercise, or its grades cannot be read.
    """
    course = course or course_of(notebooks[0])
    found, lessons_shown, graded = {}, [], course is not None
    for path in notebooks:
        made = lesson.read(path)
        book = grades(course, path) if course else None
        graded = graded and book is not None
        found[path.stem] = results(made, book)
        if not found[path.stem]:
            raise DataError(
                f"{path} has no exercise, so there is nothing to hand in; take a student's copy, "
                "as they are in notebooks/exercises."
            )
        lessons_shown.append(lesson.body(made, path.stem, lambda cell: code or _answer(cell)))
    every = [result for one in found.values() for result in one]
    by = "nbgrader" if graded else "the checks in this copy, not the lecturer"
    html = fill(
        "report/handin.html.j2",
        kind="coursework",
        name=lessons_shown[0]["title"] if len(notebooks) == 1 else author.name,
        badges=[],
        facts=[*author.rows(), ("Points", _sum(every)), ("Points given by", by),
               ("Report", record.when())],
        results=[(stem[:2], r.title, r.state, f"{r.most:g}",
                  "–" if r.points is None else f"{r.points:g}")
                 for stem, one in found.items() for r in one],
        lessons=lessons_shown,
    )  # fmt: skip
    return {**write(out, html), "results": found}


def _answer(cell: nbformat.NotebookNode) -> bool:
    """Whether a student's answer stands in the cell."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def _sum(found: Iterable[Result]) -> str:
    found = list(found)
    text = f"{sum(r.points or 0 for r in found):g} of {sum(r.most for r in found):g}"
    waiting = sum(r.most for r in found if r.points is None)
    return f"{text}, {waiting:g} {BY_HAND}" if waiting else text


def student_copy(number: str) -> Path:
    """The notebook that `--lesson` means: a file, or a number's copy in `notebooks/exercises`.

    Raises
    ------
    ConfigError
        Where there is no such lesson or file.
    """
    if number.endswith(".ipynb") or "/" in number or "\\" in number:
        if not (number.endswith(".ipynb") and Path(number).is_file()):
            raise ConfigError(f"there is no notebook {number}; name one that ends in .ipynb.")
        return Path(number)
    path = places.root() / "notebooks" / "exercises" / lessons.find(number).name
    if not path.is_file():
        raise ConfigError(f"lesson {path.stem} has no exercises: {path} is not there.")
    return path


# --- the sheet -------------------------------------------------------------------------------


def sheet(notebook: Path, author: Author, out: Path) -> dict[str, Any]:
    """Write the exercise sheet of a lesson: tasks, points, room for answers. Returns as `build`.

    Parameters
    ----------
    notebook : Path
        The student's copy; its outputs are left out.
    author : Author
        Of the sheet: the lecturer, the course.
    out : Path
        Page and PDF without ending.

    Raises
    ------
    DataError
        Where the notebook cannot be read or holds no exercise.
    """
    made = lesson.read(notebook)
    title = next((c.source.splitlines()[0].lstrip("# ") for c in made.cells if c.source), "")
    tasks = list(_tasks(made))
    if not tasks:
        raise DataError(f"{notebook} has no exercise; there is no sheet to make of it.")
    total = sum(task["points"] for task in tasks)
    html = fill(
        "report/sheet.html.j2",
        kind="exercises",
        name=title,
        badges=[],
        facts=[("Lecturer" if what == "Author" else what, text) for what, text in author.rows()],
        total=f"{total:g}",
        tasks=tasks,
        stem=notebook.stem,
    )
    return write(out, html)


def _tasks(notebook: nbformat.NotebookNode) -> Iterator[dict[str, Any]]:
    """Each exercise: its text and given code as HTML, its points, whether it is a written one."""
    current: list[nbformat.NotebookNode] = []
    number = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and HEADING.search(cell.source):
            current = [cell] if EXERCISE.search(cell.source) else []
        elif current and not cell.metadata.get("nbgrader", {}).get("grade"):
            current.append(cell)
        elif current:
            number += 1
            grader = cell.metadata["nbgrader"]
            part = nbformat.v4.new_notebook(cells=[_bare(c) for c in current])
            html = lesson.body(part, f"task{number}", lambda _: True)["html"]
            yield {
                "html": html,
                "points": float(grader.get("points", 0)),
                "written": bool(grader.get("solution")),
            }
            current = []


def _bare(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A cell without outputs."""
    if cell.cell_type == "code":
        return nbformat.v4.new_code_cell(cell.source)
    return nbformat.v4.new_markdown_cell(cell.source)


# --- nbgrader --------------------------------------------------------------------------------


def course_of(notebook: Path) -> Path | None:
    """The course folder that nbgrader's copy of a notebook lies in: STEP/STUDENT/LESSON below."""
    parents = notebook.resolve().parents
    inside = len(parents) > 3 and parents[2].name in {"autograded", "submitted", "feedback"}
    return parents[3] if inside and (parents[3] / "gradebook.db").is_file() else None


def grades(course: Path, notebook: Path) -> dict[str, float | None] | None:
    """Points by the name of the graded cell; None where this copy was not graded.

    Raises
    ------
    DataError
        Where nbgrader is not installed, or its gradebook cannot be read.
    """
    try:
        from nbgrader.api import Gradebook, MissingEntry
    except ImportError as error:
        raise DataError(
            f"{course} holds nbgrader's grades, and nbgrader is not installed: "
            "pip install 'ivdlib[teach]'."
        ) from error
    student, assignment = notebook.resolve().parts[-3:-1]
    try:
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
            graded = book.find_submission_notebook(notebook.stem, assignment, student).grades
            return {g.name: None if g.needs_manual_grade else float(g.score) for g in graded}
    except MissingEntry:
        return None
    except Exception as error:  # SQLAlchemy's errors are of many kinds
        raise DataError(
            f"the gradebook of {course} cannot be read ({str(error).splitlines()[0][:100]}); call "
            "nbgrader autograde again."
        ) from error


def class_reports(
    course: Path, number: str = "", author: Author | None = None, *, code: bool = False
) -> tuple[list[Path], Path]:
    """Write one PDF for each student, and a table of marks.

    Parameters
    ----------
    course : Path
        nbgrader's course folder, after `nbgrader autograde`.
    number : str, optional
        Only this lesson.
    author : Author, optional
        Its course stands on every title page; the name is the student's.
    code : bool
        See `hand_in`.

    Returns
    -------
    tuple
        Paths of the reports (PDF, or HTML where Pango is missing), in `course/reports/`; path of
        `marks.csv`: a row a student; a column an exercise (``02/1``: lesson and number), empty
        where it waits for the lecturer; `points`, `of`, `waiting`.

    Raises
    ------
    ConfigError
        Where the folder is not there.
    DataError
        Where nothing has been graded.
    """
    if not course.is_dir():
        raise ConfigError(f"there is no folder {course}; make course writes one for nbgrader.")
    wanted = lessons.find(number).stem if number else "*"
    copies: dict[str, list[Path]] = {}
    for path in sorted(course.glob(f"autograded/*/{wanted}/*.ipynb")):
        if path.stem == path.parent.name:
            copies.setdefault(path.parts[-3], []).append(path)
    if not copies:
        raise DataError(
            f"{course} holds no graded notebook (autograded/STUDENT/LESSON/LESSON.ipynb); call "
            "nbgrader autograde LESSON there first."
        )
    told, rows = [], []
    for student, paths in track(copies.items(), "reports", total=len(copies)):
        who = Author(student, author.course if author else "")
        made = hand_in(paths, who, course / "reports" / student, code=code, course=course)
        told.append(made["pdf"] or made["html"])
        rows.append({"student": _safe(student), **_marks(made["results"])})
    table = course / "reports" / "marks.csv"
    files.write_csv(table, pd.DataFrame(rows))
    return told, table


def _marks(found: Mapping[str, Sequence[Result]]) -> dict[str, float | None]:
    """Columns of a student's row."""
    marks: dict[str, float | None] = {}
    for stem, results_ in found.items():
        marks |= {f"{stem[:2]}/{k}": r.points for k, r in enumerate(results_, start=1)}
    every = [r for results_ in found.values() for r in results_]
    marks["points"] = sum(r.points or 0 for r in every)
    marks["of"] = sum(r.most for r in every)
    marks["waiting"] = sum(r.most for r in every if r.points is None)
    return marks


def _safe(text: str) -> str:
    """Text that a spreadsheet takes for text: a leading `=` would be a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@") else text
