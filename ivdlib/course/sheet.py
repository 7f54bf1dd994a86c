"""The exercise sheet of a lesson: tasks, points, room for answers, and nobody's answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from ivdlib.course import hand_in, lesson_source, lesson_versions, lessons, points
from ivdlib.course.points import EXERCISE, HEADING
from ivdlib.errors import ConfigError, DataError
from ivdlib.report.notebook import body, read_notebook
from ivdlib.report.pages import fill, write_report
from ivdlib.report.record import Author


def unanswered(wish: str) -> tuple[str, NotebookNode, str]:
    """The lesson that `--lesson` means, without answers: its name, itself, where it comes from.

    It is made from the source of the lesson, never from a copy in which answers may be saved. Only
    of a notebook whose lesson is unknown here are the cells emptied that are marked as answers.

    Raises
    ------
    ConfigError
        If there is no such lesson or file.
    DataError
        If the file is no notebook, or an answer may stand in it that no mark tells.
    """
    if hand_in.is_path(wish):
        path = hand_in.student_copy(wish)
        made = read_notebook(path)
        source = hand_in.source_of_copy(made, path)
        if source is None:
            return path.stem, _emptied(made, path), str(path)
    else:
        name = lessons.find_lesson(wish).stem
        source = lesson_source.source_of(name)
        if source is None:
            raise ConfigError(
                f"lesson {name} has no source in notebooks/src, from which its sheet is made; get "
                "the whole repository (git clone, or unpack its ZIP)."
            )
    return source.stem, lesson_versions.notebook(source, "student"), str(source)


def sheet(name: str, made: NotebookNode, author: Author, out: Path) -> dict[str, Any]:
    """Write the exercise sheet of a lesson: tasks, points, room for answers. Returns as `build`.

    Parameters
    ----------
    name : str
        Of the lesson.
    made : NotebookNode
        The lesson without answers, see `unanswered`; its outputs are left out.
    author : Author
        Of the sheet: the lecturer, the course.
    out : Path
        Page and PDF without ending.

    Raises
    ------
    DataError
        If the notebook holds no exercise.
    """
    title = next((c.source.splitlines()[0].lstrip("# ") for c in made.cells if c.source), "")
    tasks = list(_tasks(made))
    if not tasks:
        raise DataError(f"{name} has no exercise, so there is no sheet to make.")
    total = sum(task["points"] for task in tasks)
    html = fill(
        "report/sheet.html.j2",
        kind="exercises",
        name=title,
        facts=[("Lecturer" if what == "Author" else what, text) for what, text in author.rows()],
        total=f"{total:g}",
        tasks=tasks,
        stem=name,
    )
    return write_report(out, html)


def _exercises(notebook: NotebookNode) -> list[tuple[list[NotebookNode], list[NotebookNode]]]:
    """Each exercise: its cells from the heading on, and those of its cells that are graded."""
    found: list[tuple[list[NotebookNode], list[NotebookNode]]] = []
    pending: list[NotebookNode] = []
    inside = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and HEADING.search(cell.source):
            pending, inside = [cell], bool(EXERCISE.search(cell.source))
            if inside:
                found.append(([], []))
        elif inside and not points.is_graded(cell):
            pending.append(cell)
        elif inside:
            task = [cell] if points.marks(cell).get("task") else []  # its text is what is asked
            found[-1][0].extend([*pending, *task])
            found[-1][1].append(cell)
            pending = []
    return [(cells, graded) for cells, graded in found if graded]


def _tasks(notebook: NotebookNode) -> Iterator[dict[str, Any]]:
    """Each exercise: its text and given code as HTML, its points, whether it is a written one."""
    for number, (cells, graded) in enumerate(_exercises(notebook), start=1):
        part = nbformat.v4.new_notebook(cells=[_bare(cell) for cell in cells])
        marks = [points.marks(cell) for cell in graded]
        yield {
            "html": body(part, f"task{number}", lambda _: True)["html"],
            "points": sum(float(mark.get("points", 0)) for mark in marks),
            "written": any(mark.get("solution") or mark.get("task") for mark in marks),
        }


def _bare(cell: NotebookNode) -> NotebookNode:
    """A cell without outputs."""
    if cell.cell_type == "code":
        return nbformat.v4.new_code_cell(cell.source)
    return nbformat.v4.new_markdown_cell(cell.source)


def _emptied(notebook: NotebookNode, path: Path) -> NotebookNode:
    """A notebook whose answers are taken out, by their marks."""
    for cells, graded in _exercises(notebook):
        what = f"{cells[0].source.splitlines()[0].strip('# ')} of {path}"
        answers = [cell for cell in (*cells, *graded) if points.marks(cell).get("solution")]
        if not answers and not any(points.marks(cell).get("task") for cell in graded):
            raise DataError(
                f"{what} has no cell that is marked as its answer, so the answer may stand "
                "anywhere; mark it, or name the lesson by its number."
            )
        unmarked = [c for c in cells if c.cell_type == "code" and not points.marks(c)]
        if loose := next((c.source.strip() for c in unmarked if c.source.strip()), ""):
            raise DataError(
                f"{what} has code without a mark ({loose.splitlines()[0][:60]}), so an answer may "
                "stand in it; mark it read-only for nbgrader, move it above the exercise, or name "
                "the lesson by its number."
            )
        for cell in answers:
            code = cell.cell_type == "code"
            cell.source = lesson_versions.CODE_STUB if code else lesson_versions.TEXT_STUB
    return notebook
