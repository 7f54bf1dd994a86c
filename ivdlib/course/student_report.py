"""One student of a class: the report, the row in the table of marks, and what is odd."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ivdlib import errors, files, provenance
from ivdlib.course import course_folder, hand_in_page
from ivdlib.course.points import ABSENT, Copy, Exercise, Result, totals
from ivdlib.errors import CannotWrite, DataError
from ivdlib.report import stamp
from ivdlib.report.lesson_names import number_of
from ivdlib.report.record import Author

LeftOut = tuple[str, str]
"""A lesson ("" if that cannot be told), and why what was handed in for it has no mark."""


@dataclass(frozen=True)
class Assignment:
    """What is the same for a whole class.

    Attributes
    ----------
    course : Path
        nbgrader's course folder.
    asked : mapping of str to sequence of Exercise
        What each lesson asks, by its name.
    uncounted : mapping of str to str
        A sentence on each assignment with notebooks that are not counted.
    title : str
        Of the course, for the pages.
    whole, code : bool
        See `hand_in.hand_in`.
    """

    course: Path
    asked: Mapping[str, Sequence[Exercise]]
    uncounted: Mapping[str, str]
    title: str = ""
    whole: bool = False
    code: bool = False


@dataclass
class HandedIn:
    """What there is of one student.

    Attributes
    ----------
    name : str
    graded : dict of str to Path
        Graded copies, by the name of the lesson.
    left_out : list of LeftOut
    """

    name: str
    graded: dict[str, Path] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass
class Made:
    """What was made of it.

    Attributes
    ----------
    name : str
        The student's.
    row : dict
        Of the table of marks.
    left_out : list of LeftOut
    odd : list of str
        What the copies did to the cells of their lessons, without full stops.
    path : Path or None
        The report.
    warnings : list of str
        Of making it.
    """

    name: str
    row: dict[str, object]
    left_out: list[LeftOut]
    odd: list[str] = field(default_factory=list)
    path: Path | None = None
    warnings: list[str] = field(default_factory=list)


def report_student(assignment: Assignment, student: HandedIn) -> Made:
    """Write the report of one student, unless it is there and nothing has changed.

    Raises
    ------
    CannotWrite
        If a file cannot be written; whatever else goes wrong costs this student's report alone.
    """
    copies, left_out = _copies(assignment, student)
    apart = [assignment.uncounted[name] for name in copies if name in assignment.uncounted]
    notes = apart + [f"{name}: {why}" if name else why for name, why in left_out]
    missing = _missing(assignment.asked, copies, left_out)
    made = Made(student.name, _row(student.name, assignment, copies, missing, notes), left_out)
    made.odd = [told for copy in copies.values() for told in copy.troubles()]
    if not copies:
        return made
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            made.path = _written(assignment, student, copies, missing, notes, told)
        except CannotWrite:
            raise
        except Exception as error:  # one report of many
            why = f"no report could be made: {errors.why(error).rstrip('.')}"
            made.left_out.append(("", why))
    made.warnings = [str(one.message) for one in told]
    return made


def _copies(assignment: Assignment, student: HandedIn) -> tuple[dict[str, Copy], list[LeftOut]]:
    """Graded copies that can be read, and why others have no mark."""
    copies, left_out = {}, list(student.left_out)
    for name, path in student.graded.items():
        try:
            copies[name] = course_folder.held(assignment.course, path, assignment.asked[name])
        except DataError as error:
            left_out.append((name, str(error).rstrip(".")))
    return copies, left_out


def _missing(
    asked: Mapping[str, Sequence[Exercise]], graded: Mapping[str, Copy], left_out: list[LeftOut]
) -> list[tuple[str, Result]]:
    """Results, by lesson, of the lessons that have no graded copy."""
    waiting = {name for name, _ in left_out}
    return [
        (name, Result(exercise.title, exercise.most, None, "not graded"))
        if waiting & {name, ""}
        else (name, Result(exercise.title, exercise.most, 0.0, ABSENT))
        for name, exercises in asked.items()
        if name not in graded
        for exercise in exercises
    ]


def _written(
    assignment: Assignment,
    student: HandedIn,
    copies: Mapping[str, Copy],
    missing: Sequence[tuple[str, Result]],
    notes: Sequence[str],
    told: Sequence[warnings.WarningMessage],
) -> Path:
    """The path of the report, which is made if it is not there of the same."""
    out = assignment.course / "reports" / student.name
    page, document = out.with_name(f"{out.name}.html"), out.with_name(f"{out.name}.pdf")
    digest = files.sha256_json([
        provenance.versions()["ivdlib"], assignment.title, assignment.whole, assignment.code, notes,
        [(name, files.sha256_file(student.graded[name]), copy.penalty, copy.graded, copy.notes,
          [asdict(result) for result in copy.results]) for name, copy in copies.items()],
        [(name, asdict(result)) for name, result in missing],
    ])  # fmt: skip
    if stamp.is_made_of(page, document, digest):
        return document
    made = hand_in_page.page(
        list(copies.values()),
        Author(student.name, assignment.title),
        out,
        whole=assignment.whole,
        code=assignment.code,
        more=missing,
        notes=notes,
    )
    if made["pdf"] and not told:  # what is not whole is made again when it is asked for again
        stamp.note_origin(page, digest)
    return made["pdf"] or made["html"]


def _row(
    name: str,
    assignment: Assignment,
    copies: Mapping[str, Copy],
    missing: Sequence[tuple[str, Result]],
    notes: Sequence[str],
) -> dict[str, object]:
    """A row of the table of marks."""
    asked = assignment.asked
    short = {number_of(lesson) for lesson in asked} - {""}
    marks: dict[str, object] = {"student": _safe(name)}
    every: list[Result] = []
    for lesson in asked:
        copy = copies.get(lesson)
        results = copy.results if copy else [r for other, r in missing if other == lesson]
        head = number_of(lesson) if len(short) == len(asked) else lesson
        for k, result in enumerate(results, start=1):
            marks[f"{head}/{k}"] = None if result.state == ABSENT else result.points
        every += results
    points, most, waiting = totals(every)
    penalty = sum(copy.penalty for copy in copies.values())
    absent = {other for other, result in missing if result.state == ABSENT}
    remarks = [told for copy in copies.values() for told in copy.troubles()]
    remarks += [*notes, *(f"{lesson}: {ABSENT}" for lesson in sorted(absent))]
    return {
        **marks,
        "points": points - penalty if copies else None,
        "of": most,
        "waiting": waiting,
        "remarks": "; ".join(remarks),
    }


def _safe(text: str) -> str:
    """Text that a spreadsheet takes for text: a leading `=` would be a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@") else text
