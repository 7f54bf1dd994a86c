"""A class: one PDF a student, the table of marks, and whoever handed in and could not be graded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ivdlib import errors, files
from ivdlib.course import course_folder, hand_in
from ivdlib.course.points import ABSENT, Copy, Exercise, Result, totals
from ivdlib.errors import CannotWrite, ConfigError, DataError
from ivdlib.links import need_content
from ivdlib.progress import track
from ivdlib.report import stamp
from ivdlib.report.lesson_names import is_meant, number_of
from ivdlib.report.record import Author


@dataclass
class Student:
    """What there is of one student.

    Attributes
    ----------
    copies : dict of str to Copy
        Graded copies, by the name of the lesson.
    left_out : list of tuple
        Lesson ("" where that cannot be told) and why what was handed in has no graded copy.
    """

    copies: dict[str, Copy] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def notes(self, uncounted: Mapping[str, str]) -> list[str]:
        """What was not graded or is not counted, each as a sentence without its full stop."""
        apart = [uncounted[name] for name in self.copies if name in uncounted]
        return apart + [f"{name}: {why}" if name else why for name, why in self.left_out]

    def missing(self, asked: Mapping[str, Sequence[Exercise]]) -> list[tuple[str, Result]]:
        """Results, by lesson, of the lessons that have no graded copy."""
        waiting = {name for name, _ in self.left_out}
        return [
            (name, Result(exercise.title, exercise.most, None, "not graded"))
            if waiting & {name, ""}
            else (name, Result(exercise.title, exercise.most, 0.0, ABSENT))
            for name, exercises in asked.items()
            if name not in self.copies
            for exercise in exercises
        ]


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
    course: Path, number: str = "", author: Author | None = None, *, code: bool = False
) -> Reports:
    """Write one PDF for each student, and a table of marks.

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
        Its course stands on every title page; the name is the student's.
    code : bool
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
    seen = {name for one in students.values() for name in (*one.copies, *dict(one.left_out))}
    asked = {name: exercises for name, exercises in asked.items() if name in seen} or asked
    apart = course_folder.uncounted(course)
    paths, rows = [], []
    for name, student in track(students.items(), "reports", total=len(students)):
        notes = student.notes(apart)
        rows.append(_row(name, student, asked, notes))
        if not student.copies:
            continue
        try:
            made = hand_in.page(
                list(student.copies.values()),
                Author(name, author.course if author else ""),
                course / "reports" / name,
                code=code,
                more=student.missing(asked),
                notes=notes,
            )
        except CannotWrite:
            raise
        except Exception as error:  # one report of many
            student.left_out.append(
                ("", f"no report could be made: {errors.why(error).rstrip('.')}")
            )
            continue
        paths.append(made["pdf"] or made["html"])
    table = course / "reports" / "marks.csv"
    stamp.keep_changed(table)  # where the lecturer may have entered marks
    files.write_csv(table, pd.DataFrame(rows))
    stamp.note_made(table)
    odd = [told for lesson, told in apart.items() if lesson in asked or lesson not in lessons]
    odd += [f"{name}, {t}" for name, s in students.items() for c in s.copies.values()
            for t in c.troubles()]  # fmt: skip
    return Reports(paths, table, _left_out(students), odd)


def _only(asked: Mapping[str, Sequence[Exercise]], number: str) -> dict[str, Sequence[Exercise]]:
    found = {n: e for n, e in asked.items() if is_meant(number, n)}
    if not found:
        raise ConfigError(f"the course has no lesson {number}; it has {', '.join(asked)}.")
    return found


def _students(
    course: Path, asked: Mapping[str, Sequence[Exercise]], lessons: Collection[str]
) -> dict[str, Student]:
    """Everybody who handed in or was graded, by name."""
    found: dict[str, Student] = {}
    for name, exercises in asked.items():
        for path in sorted(course.glob(f"autograded/*/{name}/{name}.ipynb")):
            student = found.setdefault(path.parts[-3], Student())
            try:
                student.copies[name] = course_folder.held(course, path, exercises)
            except DataError as error:
                student.left_out.append((name, str(error).rstrip(".")))
    for who, name, why in course_folder.not_graded(course, lessons):
        if not name or name in asked:
            found.setdefault(who, Student()).left_out.append((name, why))
    return dict(sorted(found.items()))


def _row(
    name: str, student: Student, asked: Mapping[str, Sequence[Exercise]], notes: Sequence[str]
) -> dict[str, object]:
    """A row of the table of marks."""
    short = {number_of(lesson) for lesson in asked} - {""}
    rest = student.missing(asked)
    marks: dict[str, object] = {"student": _safe(name)}
    every: list[Result] = []
    for lesson in asked:
        copy = student.copies.get(lesson)
        results = copy.results if copy else [result for other, result in rest if other == lesson]
        head = number_of(lesson) if len(short) == len(asked) else lesson
        for k, result in enumerate(results, start=1):
            marks[f"{head}/{k}"] = None if result.state == ABSENT else result.points
        every += results
    points, most, waiting = totals(every)
    penalty = sum(copy.penalty for copy in student.copies.values())
    absent = {other for other, result in rest if result.state == ABSENT}
    remarks = [told for copy in student.copies.values() for told in copy.troubles()]
    remarks += [*notes, *(f"{lesson}: {ABSENT}" for lesson in sorted(absent))]
    return {
        **marks,
        "points": points - penalty if student.copies else None,
        "of": most,
        "waiting": waiting,
        "remarks": "; ".join(remarks),
    }


def _left_out(students: Mapping[str, Student]) -> list[str]:
    """Who has no mark for what, with why; those of whom the same is to be said together."""
    told: dict[tuple[str, str], list[str]] = {}
    for name, student in students.items():
        for what in student.left_out:
            told.setdefault(what, []).append(name)
    return [
        f"{', '.join(names)}{f', {lesson}' if lesson else ''}: {why}"
        for (lesson, why), names in told.items()
    ]


def _safe(text: str) -> str:
    """Text that a spreadsheet takes for text: a leading `=` would be a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@") else text
