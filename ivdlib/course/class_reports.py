"""A class: one PDF a student, the table of marks, and whoever handed in and could not be graded."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ivdlib import files, provenance
from ivdlib.course import course_folder
from ivdlib.course.points import Exercise
from ivdlib.course.student_report import Assignment, HandedIn, Made, report_student
from ivdlib.errors import ConfigError, DataError, DataWarning
from ivdlib.links import need_content
from ivdlib.progress import Progress
from ivdlib.report import stamp
from ivdlib.report.lesson_names import is_meant
from ivdlib.report.record import Author


@dataclass(frozen=True)
class Reports:
    """What `class_reports` made and found.

    Attributes
    ----------
    paths : list of Path
        A report a student (PDF, or HTML where Pango is missing), in `course/reports/`.
    table : Path
        `marks.csv` there.
    left_out : list of str
        Who handed in what and has no mark for it, with why; without full stops.
    odd : list of str
        What copies did to the cells of their lesson, and which notebooks are not counted,
        likewise.
    """

    paths: list[Path]
    table: Path
    left_out: list[str]
    odd: list[str]


def class_reports(
    course: Path,
    number: str = "",
    author: Author | None = None,
    *,
    whole: bool = False,
    code: bool = False,
) -> Reports:
    """Write one PDF for each student, and a table of marks.

    Called again, it makes only what is missing or has changed.

    The table has a row for each who handed in; a column an exercise of the lesson that was handed
    out (``02/1``: lesson and number), empty where it waits for the lecturer or nothing was handed
    in; `points`, less what nbgrader takes off for being late; `of`, the same for all: of every
    lesson that somebody handed in; `waiting`; `remarks`.

    Parameters
    ----------
    course : Path
        nbgrader's course folder, after `nbgrader autograde`.
    number : str, optional
        Only this lesson.
    author : Author, optional
        Its course stands below every title; the name is the student's.
    whole, code : bool
        See `hand_in.hand_in`.

    Raises
    ------
    ConfigError
        If the folder or the lesson is not there.
    DataError
        If nothing was handed out or nothing handed in, or a gradebook cannot be read.
    """
    need_content(course)
    if not course.is_dir():
        raise ConfigError(
            f"there is no folder {course}; make course, called in the whole repository (git clone, "
            "or unpack its ZIP), writes one for nbgrader."
        )
    lessons = course_folder.released(course)
    asked = _only(lessons, number) if number else lessons
    students = _students(course, asked, lessons)
    if not students:
        raise DataError(
            f"nothing was handed in to {course} (submitted/STUDENT/LESSON/LESSON.ipynb); collect "
            "the copies, then call nbgrader autograde LESSON there."
        )
    seen = {name for one in students for name in (*one.graded, *dict(one.left_out))}
    asked = {name: exercises for name, exercises in asked.items() if name in seen} or asked
    apart = course_folder.uncounted(course)
    title = author.course if author else ""
    assignment = Assignment(course, asked, apart, title, whole=whole, code=code)
    made = sorted(_each(assignment, students), key=lambda one: one.name)
    for told in (told for one in made for told in one.warnings):
        warnings.warn(told, DataWarning, stacklevel=2)
    table = course / "reports" / "marks.csv"
    stamp.keep_changed(table)  # where the lecturer may have entered marks
    files.write_csv(table, pd.DataFrame([one.row for one in made]))
    stamp.note_made(table)
    odd = [told for lesson, told in apart.items() if lesson in asked or lesson not in lessons]
    odd += [f"{one.name}, {told}" for one in made for told in one.odd]
    return Reports([one.path for one in made if one.path], table, _left_out(made), odd)


ALONE = 8
"""Students for whom a second process takes longer to start than it saves."""


def _each(assignment: Assignment, students: Sequence[HandedIn]) -> Iterator[Made]:
    """What is made of each student, in any order; side by side if there are many."""
    workers = provenance.cores() if len(students) > ALONE else 1
    with Progress(len(students), "reports") as progress:
        if workers == 1:
            made = (report_student(assignment, student) for student in students)
        else:
            # joblib's processes need no `__main__` guard in the script that calls this
            from joblib import Parallel, delayed

            pool = Parallel(workers, backend="loky", return_as="generator_unordered")
            made = pool(delayed(report_student)(assignment, student) for student in students)
        try:
            for one in made:
                yield one
                progress.advance()
        except BrokenProcessPool as error:
            raise DataError(
                "a process that made a report was killed, perhaps for want of memory; call this "
                "again: it goes on from what is done."
            ) from error


def _only(asked: Mapping[str, Sequence[Exercise]], number: str) -> dict[str, Sequence[Exercise]]:
    found = {n: e for n, e in asked.items() if is_meant(number, n)}
    if not found:
        raise ConfigError(f"the course has no lesson {number}; it has {', '.join(asked)}.")
    return found


def _students(course: Path, asked: Collection[str], lessons: Collection[str]) -> list[HandedIn]:
    """Everybody who handed in or was graded, by name."""
    found: dict[str, HandedIn] = {}
    for name in asked:
        for path in sorted(course.glob(f"autograded/*/{name}/{name}.ipynb")):
            who = path.parts[-3]
            found.setdefault(who, HandedIn(who)).graded[name] = path
    for who, name, why in course_folder.not_graded(course, lessons):
        if not name or name in asked:
            found.setdefault(who, HandedIn(who)).left_out.append((name, why))
    return sorted(found.values(), key=lambda student: student.name)


def _left_out(made: Sequence[Made]) -> list[str]:
    """Who has no mark for what, with why; those of whom the same is to be said together."""
    told: dict[tuple[str, str], list[str]] = {}
    for one in made:
        for what in one.left_out:
            told.setdefault(what, []).append(one.name)
    return [
        f"{', '.join(names)}{f', {lesson}' if lesson else ''}: {why}"
        for (lesson, why), names in told.items()
    ]
