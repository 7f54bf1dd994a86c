"""One source of a lesson, three notebooks: for readers, for students, for nbgrader."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from ivdlib.course.lesson_source import BEGIN, END, Part, exercises, split
from ivdlib.report import edits

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

GLOSSARY = "glossary.md"
"""The page of terms, in `notebooks`; lessons link to it."""

CODE_STUB = "# YOUR CODE HERE"
TEXT_STUB = "*Your answer here.*"
FOLDED_SOLUTION, FOLDED_TEST = "# A solution", "# The check: run this cell"
"""First lines of folded cells: JupyterLab shows them, so they must not be the answer. They speak of
no folding, for GitHub and plain nbconvert do none."""
FOLDED_ANSWER = '<details class="solution"><summary>A model answer</summary>'

COMPARE = """\
from ivdlib.course import model_answers
# Have you written your answer? Then remove the # below and compare it with a model answer.
# model_answers.show("{lesson}", {exercise})"""
"""Below a written exercise in a student's version; nothing is shown before one asks for it."""

SETUP = """\
# If ivdlib is missing, this cell installs it from the folder that holds this notebook.
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("ivdlib") is None:
    above = (Path.cwd() / "here").resolve().parents
    checkout = next((p for p in above if (p / "ivdlib/__init__.py").is_file()), None)
    if checkout is None:
        raise SystemExit(
            "ivdlib is not installed in this Python, and this notebook is not inside a checkout of "
            "it. Choose the kernel of the Python that has it, or put the whole repository here "
            "(git clone, or unpack its ZIP) and open the notebook inside it."
        )
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    if subprocess.run([*pip, "--editable", f"{checkout}[lessons]"]).returncode:
        raise SystemExit("pip could not install ivdlib; the lines above say why.")
    sys.path.insert(0, str(checkout))  # this kernel has read its paths already
"""
"""First code of every notebook: VS Code and hosted notebooks may run a Python without ivdlib."""


def _for_readers(cell: NotebookNode, part: Part, lesson: str) -> None:
    """Fold the answer away, as far as a program does; its marks go."""
    cell.metadata.pop("points", None)
    if part.role == "question":
        place = f"my_lessons/{lesson}.ipynb"
        cell.source += f"\n\n*To work on it: `{place}`, which `ivdlib start` puts there.*"
    elif part.role != "test":
        before, inside, after, _ = split(cell.source, lesson)
        if part.role == "solution":
            before.insert(0, FOLDED_SOLUTION)
            cell.metadata["jupyter"] = {"source_hidden": True}
        else:
            inside = [FOLDED_ANSWER, "", *inside, "", "</details>"]
        cell.source = "\n".join([*before, *inside, *after])


def _for_nbgrader(cell: NotebookNode, part: Part, lesson: str) -> None:
    """Add what nbgrader wants to know; the answers stay, between their marks.

    In front of a solution its names become None: that line is left when nbgrader takes the answer.
    """
    if part.role == "question":
        return
    cell.metadata.pop("points", None)
    cell.metadata["nbgrader"] = {
        "grade": part.role != "solution",
        "grade_id": part.grade_id,
        "locked": part.role == "test",
        "schema_version": 3,
        "solution": part.role != "test",
        "task": False,
    }
    if part.points:
        cell.metadata["nbgrader"]["points"] = part.points
    cell.metadata["deletable"] = False
    if part.role == "test":
        # Folded, since the expected value can be read there; the tag lets "Run all" go on.
        cell.source = f"{FOLDED_TEST}\n{cell.source}"
        cell.metadata["jupyter"] = {"source_hidden": True}
        cell.metadata["editable"] = False
        cell.metadata["tags"].append("raises-exception")
    if part.role == "solution":
        before, inside, after, indent = split(cell.source, lesson)
        nothing = [f"{indent}{name} = None" for name in part.names]
        marked = [indent + BEGIN, *inside, indent + END]
        cell.source = "\n".join([*before, *nothing, *marked, *after])


def _for_students(cell: NotebookNode, part: Part, lesson: str) -> None:
    """Take the answers out, as nbgrader does when it makes an assignment."""
    _for_nbgrader(cell, part, lesson)
    if part.role in ("solution", "written"):
        before, _, after, indent = split(cell.source, lesson)
        stub = indent + (CODE_STUB if part.role == "solution" else TEXT_STUB)
        cell.source = "\n".join([*before, stub, *after])


VERSIONS = {"lesson": _for_readers, "student": _for_students, "nbgrader": _for_nbgrader}


def render_lesson(source: Path, version: str = "lesson") -> str:
    """Text of a notebook made from `source`: no outputs, and the same bytes every time.

    Parameters
    ----------
    source : path
        `NN_name.py`.
    version : {"lesson", "student", "nbgrader"}
        With the answers folded, without them, or with them between their marks.

    Raises
    ------
    ConfigError
        If an exercise of the source does not follow the rules.
    """
    return nbformat.writes(notebook(source, version)) + "\n"


def notebook(source: Path, version: str = "lesson") -> NotebookNode:
    """As `render_lesson`, the notebook itself."""
    made = jupytext.read(source)
    made.metadata = nbformat.from_dict(METADATA)
    made.nbformat, made.nbformat_minor = 4, 5
    parts = exercises(made.cells, source.stem)
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number:02d}"  # jupytext draws random ones
        cell.metadata.pop("lines_to_next_cell", None)  # a note of jupytext's to itself
        if number in parts:
            VERSIONS[version](cell, parts[number], source.stem)
    if version == "student":
        _invite_to_compare(made, parts)
    _insert_setup(made)
    edits.stamp(made)
    nbformat.validate(made)
    return made


def _invite_to_compare(made: NotebookNode, parts: dict[int, Part]) -> None:
    """Put a cell below each written exercise that shows the model answer when it is asked for."""
    for index in sorted(parts, reverse=True):
        if (part := parts[index]).role == "written":
            lesson, exercise, _ = part.grade_id.removeprefix("lesson").split("_")
            number = exercise.removeprefix("exercise")
            cell = nbformat.v4.new_code_cell(COMPARE.format(lesson=lesson, exercise=number))
            cell["id"] = f"compare-{index:02d}"
            made.cells.insert(index + 1, cell)


def has_exercises(source: Path) -> bool:
    """Whether a source holds exercises in the format of INSTRUCTOR.md.

    Raises
    ------
    ConfigError
        As `render_lesson` does.
    """
    return bool(exercises(cells_of(source), source.stem))


def cells_of(source: Path) -> list[NotebookNode]:
    """Cells of a source, answers between their marks."""
    return jupytext.read(source).cells


def _insert_setup(notebook: NotebookNode) -> None:
    """Put `SETUP`, folded, behind the parameters, where papermill puts those it was given."""
    cell = nbformat.v4.new_code_cell(SETUP.rstrip(), id="setup")
    cell.metadata = {"tags": ["setup"], "jupyter": {"source_hidden": True}}
    tags = [c.metadata.get("tags", []) for c in notebook.cells]
    place = next((n for n, mine in enumerate(tags, start=1) if "parameters" in mine), 0)
    notebook.cells.insert(place, cell)
