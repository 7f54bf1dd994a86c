"""Points of the exercises in a student's notebook: by nbgrader's gradebook, else by its checks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import nbformat

from ivdlib.course.lesson_versions import CODE_STUB

EXERCISE = re.compile(r"^#+ *(Exercise \d+[^\n]*)", re.M)
HEADING = re.compile(r"^#+ ", re.M)
UNTOUCHED = ("*Your answer here.*", "")
"""What stands in a cell for a written answer before one writes."""

UNANSWERED = ("not answered yet", "is not a function (yet)")
"""What checks say of an answer, or of a function, that is not there."""

NOT_RUN, NOT_ANSWERED = "not run", "not answered"
BY_HAND = "to be marked by hand"
ABSENT = "not handed in"


@dataclass(frozen=True)
class Exercise:
    """One exercise of a lesson as it was handed out.

    Attributes
    ----------
    ident : str
        nbgrader's name of the cell that is graded.
    title : str
        Heading of the exercise.
    most : float
        Points it is worth.
    written : bool
        Whether the answer is for the lecturer to mark: a text, or nbgrader's task, which is
        answered in cells of the student's own.
    answer : str
        nbgrader's name of the cell for the answer.
    check : str
        Code of the check as the students got it, "" where that is not known.
    question : str
        First paragraph of what is asked, as Markdown.
    """

    ident: str
    title: str
    most: float
    written: bool
    answer: str
    check: str
    question: str = ""


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
    trouble : str
        What is odd about this copy's cells, without a full stop; mostly nothing.
    """

    title: str
    most: float
    points: float | None
    state: str
    trouble: str = ""


@dataclass(frozen=True)
class Copy:
    """A student's copy of a lesson, held against the lesson.

    Attributes
    ----------
    lesson : str
        Name of the lesson.
    notebook : NotebookNode
        The copy.
    asked : sequence of Exercise
        Those of the lesson.
    results : list of Result
        Of each of these, in the same order.
    graded : bool
        Whether nbgrader's gradebook knows it.
    notes : tuple of str
        What is odd about it as a whole.
    penalty : float
        Points that nbgrader takes off because it came late.
    given : frozenset of str, optional
        What the lesson brings, see `given`; None if the lesson is not known.
    """

    lesson: str
    notebook: nbformat.NotebookNode
    asked: Sequence[Exercise]
    results: list[Result]
    graded: bool = False
    notes: tuple[str, ...] = ()
    penalty: float = 0.0
    given: frozenset[str] | None = None

    def is_own(self, cell: nbformat.NotebookNode) -> bool:
        """Whether the code of a cell is the student's: an answer, or none of the lesson's cells."""
        if marks(cell).get("solution"):
            return True
        is_known = self.given is None or marks(cell).get("grade_id")  # hidden tests change a check
        return not is_known and cell.source.strip() not in self.given

    def is_untouched(self, cell: nbformat.NotebookNode) -> bool:
        """Whether a cell is as the lesson brings it, or empty."""
        text = cell.source.strip()
        return text in UNTOUCHED or (self.given is not None and text in self.given)

    def troubles(self) -> list[str]:
        """All that is odd about it, each as a sentence without its full stop."""
        each = [f"{r.title}: {r.trouble}" for r in self.results if r.trouble]
        return [f"{self.lesson}, {told}" for told in each] + [
            f"{self.lesson}: {told}" for told in self.notes
        ]


def graded_exercises(lesson: nbformat.NotebookNode) -> list[Exercise]:
    """Exercises of a lesson, in order; of a cell that is there twice, one."""
    found: dict[str, Exercise] = {}
    title = answer = question = ""
    for cell in lesson.cells:
        if heading := EXERCISE.search(cell.source if cell.cell_type == "markdown" else ""):
            title, answer = heading[1].strip(), ""
            question = cell.source[heading.end() :].strip().partition("\n\n")[0]
        grader = marks(cell)
        ident, written = str(grader.get("grade_id", "")), bool(grader.get("solution"))
        if written:
            answer = ident
        if is_graded(cell):
            written = written or bool(grader.get("task"))
            most, check = float(grader.get("points", 0)), "" if written else cell.source
            made = Exercise(ident, title or ident, most, written, answer, check, question)
            found.setdefault(ident, made)
    return list(found.values())


def results(
    copy: nbformat.NotebookNode,
    book: Mapping[str, float | None] | None = None,
    *,
    asked: Sequence[Exercise],
    handed_in: nbformat.NotebookNode | None = None,
) -> list[Result]:
    """Results of a copy, in the order of the lesson.

    Parameters
    ----------
    copy : NotebookNode
    book : mapping, optional
        Points by nbgrader's name of a cell, as its gradebook has them; None if it awaits
        the lecturer.
    asked : sequence of Exercise
        What the lesson asks: it alone says which exercises there are and what each is worth.
    handed_in : NotebookNode, optional
        The copy before nbgrader mended it. Without it, what nbgrader mends is not seen.
    """
    cells = named(copy)
    found = []
    for exercise in asked:
        here = cells.get(exercise.ident)
        points, state = _checked(here[-1], exercise) if here else (0.0, "check missing")
        if book and exercise.ident in book:
            points = book[exercise.ident]
            if points is None and not here:  # nbgrader waits for what will never come
                points = 0.0
            state = BY_HAND if points is None else f"graded; {state}"
        if handed_in is None:  # nbgrader's copy has hidden tests in its checks
            exercise = replace(exercise, check="")
        trouble = _trouble(exercise, named(handed_in or copy), put_back=bool(here))
        found.append(Result(exercise.title, exercise.most, points, state, trouble))
    return found


def given(lesson: nbformat.NotebookNode) -> frozenset[str]:
    """What a lesson brings: texts of its cells, of those for answers as far as they are empty."""
    return frozenset(
        cell.source.strip()
        for cell in lesson.cells
        if CODE_STUB in cell.source or not marks(cell).get("solution")
    )


def marks(cell: nbformat.NotebookNode) -> Mapping[str, Any]:
    """What nbgrader notes of a cell; nothing where that is broken."""
    found = cell.metadata.get("nbgrader")
    return found if isinstance(found, Mapping) else {}


def is_graded(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell has points: a check, an answer that the lecturer marks, or a task."""
    grader = marks(cell)
    return bool(grader.get("grade") or grader.get("task"))


def named(notebook: nbformat.NotebookNode) -> dict[str, list[nbformat.NotebookNode]]:
    """Cells by nbgrader's name; of several, the last one is graded, as nbgrader does."""
    found: dict[str, list[nbformat.NotebookNode]] = {}
    for cell in notebook.cells:
        if ident := marks(cell).get("grade_id"):
            found.setdefault(str(ident), []).append(cell)
    return found


def _trouble(
    exercise: Exercise, cells: Mapping[str, list[nbformat.NotebookNode]], put_back: bool
) -> str:
    """What a copy has done to the cells of an exercise."""
    here, what = cells.get(exercise.ident, []), "answer" if exercise.written else "check"
    told = []
    if not here:
        back = "nbgrader put it back" if put_back else "which gives no points"
        told.append(f"the cell of its {what} is missing from the copy, {back}")
    if exercise.answer not in ("", exercise.ident, *cells):
        told.append("the cell of its answer is missing from the copy, or has lost its mark")
    if not here:
        return "; ".join(told)
    if len(here) > 1:
        told.append(f"the cell of its {what} is there {len(here)} times, the last one counts")
    if not exercise.written and len(answers := cells.get(exercise.answer, [])) > 1:
        told.append(f"the cell of its answer is there {len(answers)} times")
    points = marks(here[-1]).get("points", exercise.most)
    if points != exercise.most:
        told.append(f"the copy says {points} points, the lesson says {exercise.most:g}")
    if exercise.check and here[-1].source.strip() != exercise.check.strip():
        told.append("its check is not that of the lesson")
    return "; ".join(told)


def totals(found: Iterable[Result]) -> tuple[float, float, float]:
    """Points, points that could be had, and those of them that wait for the lecturer."""
    found = list(found)
    waiting = sum(result.most for result in found if result.points is None)
    return sum(r.points or 0 for r in found), sum(r.most for r in found), waiting


def _checked(cell: nbformat.NotebookNode, exercise: Exercise) -> tuple[float | None, str]:
    """Points by the outputs of a cell (None: not for a machine to say), and its state in words."""
    if exercise.written:
        untouched = cell.source.strip() in UNTOUCHED
        return (0.0, NOT_ANSWERED) if untouched else (None, BY_HAND)
    outputs = cell.get("outputs", [])
    if cell.get("execution_count") is None and not outputs:
        return 0.0, NOT_RUN
    for output in outputs:
        if output.output_type == "error":
            unanswered = any(words in output.get("evalue", "") for words in UNANSWERED)
            return 0.0, NOT_ANSWERED if unanswered else "check failed"
    return exercise.most, "check passed"
