"""Points of the exercises in a student's notebook: by nbgrader's gradebook, else by its checks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat

from ivdlib.errors import DataError

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
    title : str
        Heading of the exercise.
    most : float
        Points it is worth.
    points : float or None
        None: not graded yet.
    state : str
        In words.
    """

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
        Points by nbgrader's name of a cell, as its gradebook has them; None where it awaits
        the lecturer.
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
        found.append(Result(title or ident, most, points, state))
    return found


def totals(found: Iterable[Result]) -> tuple[float, float, float]:
    """Points, points that could be had, and those of them that wait for the lecturer."""
    found = list(found)
    waiting = sum(result.most for result in found if result.points is None)
    return sum(r.points or 0 for r in found), sum(r.most for r in found), waiting


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


def course_of(notebook: Path) -> Path | None:
    """The course folder that nbgrader's copy of a notebook lies in: STEP/STUDENT/LESSON below."""
    parents = notebook.resolve().parents
    inside = len(parents) > 3 and parents[2].name in {"autograded", "submitted", "feedback"}
    return parents[3] if inside and (parents[3] / "gradebook.db").is_file() else None


def points(course: Path, notebook: Path) -> dict[str, float | None] | None:
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
