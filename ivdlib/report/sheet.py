"""The exercise sheet of a lesson: tasks, points, room for answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from ivdlib.errors import DataError
from ivdlib.report import fill, lesson, write
from ivdlib.report.grades import EXERCISE, HEADING
from ivdlib.report.record import Author


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
