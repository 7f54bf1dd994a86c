"""What a lesson's source, `notebooks/src/NN_name.py`, says of its exercises, and its rules.

`notebooks/INSTRUCTOR.md` has them for lecturers.
"""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from ivdlib import provenance
from ivdlib.errors import ConfigError
from ivdlib.report.lesson_names import lessons_in, number_of

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
CELL_TYPES = {"solution": "code", "test": "code", "written": "markdown"}
_HEADING = re.compile(r"Exercise (\d+) \(\d+ minutes?\)")


def source_of(lesson: str) -> Path | None:
    """The source of a lesson, by its name or number; None if there is none."""
    found = lessons_in(provenance.brought("notebooks/src"), ".py")
    return next((p for p in found if lesson in (p.stem, number_of(p.stem))), None)


@dataclass(frozen=True)
class Part:
    """What a cell is to an exercise.

    Attributes
    ----------
    role : str
        `question`, or one of `CELL_TYPES`.
    grade_id : str
        Name of the cell for nbgrader, such as `lesson01_exercise2_test`.
    points : int
        Of a test or a written answer; 0 for the others.
    names : tuple of str
        What a solution assigns and its check needs.
    """

    role: str
    grade_id: str
    points: int = 0
    names: tuple[str, ...] = ()


def exercises(cells: list[NotebookNode], lesson: str) -> dict[int, Part]:
    """Find the exercises among the cells of a source.

    Parameters
    ----------
    cells : list of cells
    lesson : str
        Name of the source without its ending, `NN_name`.

    Returns
    -------
    dict of int to Part
        By place in `cells`; cells of no exercise are left out.

    Raises
    ------
    ConfigError
        If an exercise does not follow the rules of INSTRUCTOR.md.
    """
    parts, asked = {}, ""
    for index, cell in enumerate(cells):
        role = _role(cell)
        heads = re.findall(r"^## (.*)$", cell.source, re.M) if cell.cell_type == "markdown" else []
        if heads:
            match = _HEADING.fullmatch(heads[-1].strip())
            asked = match[1] if match else ""
            if asked and not role:
                parts[index] = Part(
                    "question", f"lesson{number_of(lesson)}_exercise{asked}_question"
                )
        if role:
            parts[index] = _part(cells, index, role, asked, lesson)
        elif "BEGIN SOLUTION" in cell.source or "END SOLUTION" in cell.source:
            raise ConfigError(
                f"{lesson}: there are marks of a solution in a cell that is tagged neither "
                f"solution nor written ({cell.source.splitlines()[0]}); tag it."
            )
    _refuse_loose_ends(parts, lesson)
    _refuse_overwriting(parts, cells, lesson)
    return parts


def _role(cell: NotebookNode) -> str:
    return next((tag for tag in cell.metadata.get("tags", []) if tag in CELL_TYPES), "")


def _part(cells: list[NotebookNode], index: int, role: str, asked: str, lesson: str) -> Part:
    """Read one tagged cell; `asked` is the number of the exercise under whose heading it stands."""
    cell, where = cells[index], f"{lesson}, exercise {asked or '?'}, the cell tagged {role}"
    if not asked:
        raise ConfigError(f"{where}: put it below a heading such as: ## Exercise 1 (5 minutes)")
    if cell.cell_type != CELL_TYPES[role]:
        raise ConfigError(f"{where}: make it a {CELL_TYPES[role]} cell.")
    grade_id = f"lesson{number_of(lesson)}_exercise{asked}_{role}"
    if role == "solution":
        if index + 1 == len(cells) or _role(cells[index + 1]) != "test":
            raise ConfigError(f"{where}: let a cell tagged test come right after it.")
        names = _names(cell.source, cells[index + 1].source, where)
        return Part(role, grade_id, names=names)
    if role == "test" and (not index or _role(cells[index - 1]) != "solution"):
        raise ConfigError(f"{where}: put it right after a cell tagged solution.")
    if role == "written":
        split(cell.source, where)
    points = cell.metadata.get("points")
    if type(points) is not int or points < 1:
        raise ConfigError(f'{where}: say what it is worth: # %% tags=["{role}"] points=2')
    return Part(role, grade_id, points)


def _refuse_loose_ends(parts: dict[int, Part], lesson: str) -> None:
    ids = [part.grade_id for part in parts.values()]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ConfigError(
            f"{lesson} has two cells {twice[0]}: number its exercises 1, 2, 3, and give each one "
            "solution with its test, one written answer, or both."
        )
    for part in parts.values():
        stem = part.grade_id.removesuffix("question")
        if part.role == "question" and not {stem + "solution", stem + "written"} & set(ids):
            raise ConfigError(
                f"{lesson}: below the heading of {stem.rstrip('_')} there is no cell tagged "
                "solution or written; add one."
            )


def _refuse_overwriting(parts: dict[int, Part], cells: list[NotebookNode], lesson: str) -> None:
    """A check that assigns an answer's name makes a right answer wrong when it runs again."""
    answers = {name for part in parts.values() for name in part.names}
    for index, part in parts.items():
        if part.role != "test":
            continue
        if taken := sorted(answers & set(_assigned(ast.parse(cells[index].source)))):
            raise ConfigError(
                f"{lesson}: the check {part.grade_id} assigns {', '.join(taken)}, which is an "
                "answer; give it another name."
            )


def split(text: str, where: str) -> tuple[list[str], list[str], list[str], str]:
    """Lines before, between and after the two marks, and the indent of the first mark."""
    lines = text.splitlines()
    marks = [n for n, line in enumerate(lines) if re.search("(BEGIN|END) SOLUTION", line)]
    if [lines[n].strip() for n in marks] != [BEGIN, END]:
        raise ConfigError(f"{where}: put its answer between one line {BEGIN} and one line {END}.")
    first, last = marks
    indent = lines[first][: -len(BEGIN)]
    return lines[:first], lines[first + 1 : last], lines[last + 1 :], indent


def _names(solution: str, test: str, where: str) -> tuple[str, ...]:
    """Names that a solution assigns between its marks and that are read after it."""
    before, inside, after, indent = split(solution, where)
    try:
        answer = ast.parse(textwrap.dedent("\n".join(inside)))
        rest = ast.parse("\n".join([*before, f"{indent}pass", *after, test]))
    except SyntaxError as error:
        raise ConfigError(f"{where}: without its marks it is not Python ({error.msg}).") from error
    read = {node.id for node in _nodes(rest, ast.Name) if isinstance(node.ctx, ast.Load)}
    names = tuple(name for name in _assigned(answer) if name in read)
    if not names:
        raise ConfigError(
            f"{where}: its check reads nothing that it assigns; let both use one name."
        )
    return names


def _assigned(tree: ast.AST) -> list[str]:
    """Names of the variables and functions that code makes; loops and imports do not count."""
    found = [node.name for node in _nodes(tree, ast.FunctionDef)]
    for node in _nodes(tree, ast.Assign, ast.AnnAssign, ast.AugAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            names = _nodes(target, ast.Name)
            found += [name.id for name in names if isinstance(name.ctx, ast.Store)]
    return list(dict.fromkeys(found))


def _nodes(tree: ast.AST, *kinds: type[ast.AST]) -> list[ast.AST]:
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]
