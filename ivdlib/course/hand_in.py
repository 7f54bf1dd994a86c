"""What a student hands in: lessons with answers, checks, points.

Points are those that nbgrader gave where it has graded; else those that the checks of the notebook
itself came to, and the page says so. What is asked, and what it is worth, comes from the lesson
that was handed out, never from the copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat

from ivdlib.course import course_folder, lesson_source, lesson_versions, lessons, workspace
from ivdlib.course.points import (
    BY_HAND,
    Copy,
    Result,
    given,
    graded_exercises,
    named,
    results,
    totals,
)
from ivdlib.errors import ConfigError, DataError
from ivdlib.links import need_content
from ivdlib.report import notebook, record
from ivdlib.report.lesson_names import NUMBER, number_of
from ivdlib.report.pages import fill, write_report
from ivdlib.report.record import Author


def hand_in(path: Path, author: Author, out: Path, *, code: bool = False) -> dict[str, Any]:
    """Write a student's lesson for handing in: answers, checks, points.

    Parameters
    ----------
    path : Path
        The student's copy, run; or a copy in nbgrader's course folder.
    author : Author
    out : Path
        Page and PDF without ending, see `report.write`.
    code : bool
        Whether code is shown that belongs to the lesson and not to an answer.

    Returns
    -------
    dict
        As `report.build`; `copy`: the `Copy`.

    Raises
    ------
    DataError
        If the notebook cannot be read or holds no exercise, or its grades cannot be read.
    """
    made = notebook.read_notebook(path)
    if not graded_exercises(made):
        raise DataError(
            f"{path} has no exercise, so there is nothing to hand in; take a copy that ivdlib "
            "start has made."
        )
    course = course_folder.course_of(path)
    if course:
        asked = course_folder.released(course).get(path.stem, graded_exercises(made))
        copy = course_folder.held(course, path, asked)
    else:
        # Of a lesson unknown here the copy itself is all there is.
        source = source_of_copy(made, path)
        name = source.stem if source else path.stem
        known = lesson_versions.notebook(source, "student") if source else made
        found = results(made, asked=graded_exercises(known), handed_in=made)
        copy = Copy(name, made, found, given=given(known) if source else None)
    return {**page([copy], author, out, code=code), "copy": copy}


def page(
    copies: Sequence[Copy],
    author: Author,
    out: Path,
    *,
    code: bool = False,
    more: Sequence[tuple[str, Result]] = (),
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the page of a student's copies. Returns as `report.build`.

    Parameters
    ----------
    copies : sequence of Copy
    author, out, code
        As for `hand_in`.
    more : sequence of tuple
        Further rows of results, by lesson: of what is not there.
    notes : sequence of str
        Further sentences on what is odd, without full stops.
    """
    shown = [
        notebook.body(copy.notebook, copy.lesson, _shown(copy, code), fold=False) for copy in copies
    ]
    rows = [*more, *((copy.lesson, result) for copy in copies for result in copy.results)]
    graded = all(copy.graded for copy in copies)
    by = "nbgrader" if graded else "the checks in this copy, not the lecturer"
    html = fill(
        "report/handin.html.j2",
        kind="coursework",
        name=shown[0]["title"] if len(copies) == 1 else author.name,
        facts=[*author.rows(), ("Points", _sum([r for _, r in rows], copies)),
               ("Points given by", by), ("Report", record.when())],
        notes=[*(told for copy in copies for told in copy.troubles()), *notes],
        results=[(number_of(name) or name, r.title, r.state, f"{r.most:g}",
                  "–" if r.points is None else f"{r.points:g}")
                 for name, r in sorted(rows, key=lambda row: row[0])],
        lessons=shown,
    )  # fmt: skip
    return write_report(out, html)


def source_of_copy(copy: nbformat.NotebookNode, path: Path) -> Path | None:
    """The source of the lesson that a notebook is a copy of; None of a lesson unknown here.

    It is told by the name of the file, else by a check that is the lesson's. The names of the cells
    say no more than which lesson that could be: others have a lesson 01, too.
    """
    if path.stem != number_of(path.stem) and (source := lesson_source.source_of(path.stem)):
        return source
    theirs = named(copy)
    numbers = [re.match(rf"lesson({NUMBER})_", ident) for ident in theirs]
    for number in dict.fromkeys(match[1] for match in numbers if match):
        if (source := lesson_source.source_of(number)) is None:
            continue
        asked = graded_exercises(lesson_versions.notebook(source, "student"))
        checks = {e.ident: e.check.strip() for e in asked if e.check}
        code = {(ident, cell.source.strip()) for ident, cells in theirs.items() for cell in cells}
        if code & checks.items():
            return source
    return None


def _shown(copy: Copy, code: bool) -> Callable[[nbformat.NotebookNode], bool]:
    """Which cells of a copy show their code: all, or those that are the student's."""
    return lambda cell: code or copy.is_own(cell)


def _sum(found: Sequence[Result], copies: Sequence[Copy]) -> str:
    points, most, waiting = totals(found)
    text = f"{points - sum(copy.penalty for copy in copies):g} of {most:g}"
    return f"{text}, {waiting:g} {BY_HAND}" if waiting else text


def is_path(wish: str) -> bool:
    """Whether `--lesson` names a file, and not a lesson."""
    return wish.endswith(".ipynb") or "/" in wish or "\\" in wish


def student_copy(number: str) -> Path:
    """The notebook that `--lesson` means: a file, or the student's own copy of a lesson.

    Raises
    ------
    ConfigError
        If there is no such lesson or file.
    """
    if is_path(number):
        need_content(number)
        if not (number.endswith(".ipynb") and Path(number).is_file()):
            raise ConfigError(f"there is no notebook {number}; name one that ends in .ipynb.")
        return Path(number)
    stem = lessons.find_lesson(number).stem
    if (path := workspace.copy_of(stem)) is None:
        raise ConfigError(
            f"there is no {stem}.ipynb of yours here or in {workspace.FOLDER}; ivdlib start puts "
            "the lessons there, or name a notebook."
        )
    need_content(path)
    return path
