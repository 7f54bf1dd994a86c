"""What a student hands in: lessons with answers, checks, points.

Points are those that nbgrader gave where it has graded; else those that the checks of the notebook
itself came to, and the page says so. What is asked, and what it is worth, comes from the lesson
that was handed out, never from the copy.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat

from ivdlib.course import (
    course_folder,
    hand_in_page,
    lesson_source,
    lesson_versions,
    lessons,
    workspace,
)
from ivdlib.course.points import Copy, given, graded_exercises, named, results
from ivdlib.errors import ConfigError, DataError
from ivdlib.links import need_content
from ivdlib.report import notebook
from ivdlib.report.lesson_names import NUMBER, number_of
from ivdlib.report.record import Author


def hand_in(
    path: Path, author: Author, out: Path, *, whole: bool = False, code: bool = False
) -> dict[str, Any]:
    """Write what a student hands in of a lesson: answers, checks, points, on two pages.

    Parameters
    ----------
    path : Path
        The student's copy, run; or a copy in nbgrader's course folder.
    author : Author
    out : Path
        Page and PDF without ending, see `report.write`.
    whole : bool
        Whether the whole lesson is shown, and not only what the student did.
    code : bool
        Whether code is shown that belongs to the lesson; only of a whole one.

    Returns
    -------
    dict
        As `hand_in_page.page`; `copy`: the `Copy`.

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
        asked = graded_exercises(known)
        found = results(made, asked=asked, handed_in=made)
        copy = Copy(name, made, asked, found, given=given(known) if source else None)
    return {**hand_in_page.page([copy], author, out, whole=whole, code=code), "copy": copy}


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
