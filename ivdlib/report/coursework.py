"""What students hand in: one lesson for themselves, a PDF and marks for the whole class.

Points are those that nbgrader gave where it has graded; else those that the checks of the notebook
itself came to, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from ivdlib import files, lessons, places
from ivdlib.errors import ConfigError, DataError
from ivdlib.links import need_content
from ivdlib.progress import track
from ivdlib.report import fill, grades, lesson, record, write
from ivdlib.report.grades import Result
from ivdlib.report.record import Author


def hand_in(
    notebooks: Sequence[Path],
    author: Author,
    out: Path,
    *,
    code: bool = False,
    course: Path | None = None,
) -> dict[str, Any]:
    """Write a student's lessons for handing in: answers, checks, points.

    Parameters
    ----------
    notebooks : sequence of Path
        The student's copies, run.
    author : Author
    out : Path
        Page and PDF without ending, see `report.write`.
    code : bool
        Whether code is shown that belongs to the lesson and not to an answer.
    course : Path, optional
        nbgrader's course folder; default the one that the first notebook lies in, if any.

    Returns
    -------
    dict
        As `report.build`; `results`: lists of `Result` by the name of the lesson.

    Raises
    ------
    DataError
        Where a notebook cannot be read or holds no exercise, or its grades cannot be read.
    """
    course = course or grades.course_of(notebooks[0])
    found, lessons_shown, graded = {}, [], course is not None
    for path in notebooks:
        made = lesson.read(path)
        book = grades.points(course, path) if course else None
        graded = graded and book is not None
        found[path.stem] = grades.results(made, book)
        if not found[path.stem]:
            raise DataError(
                f"{path} has no exercise, so there is nothing to hand in; take a student's copy, "
                "as they are in notebooks/exercises."
            )
        lessons_shown.append(lesson.body(made, path.stem, lambda cell: code or _answer(cell)))
    every = [result for one in found.values() for result in one]
    by = "nbgrader" if graded else "the checks in this copy, not the lecturer"
    html = fill(
        "report/handin.html.j2",
        kind="coursework",
        name=lessons_shown[0]["title"] if len(notebooks) == 1 else author.name,
        badges=[],
        facts=[*author.rows(), ("Points", _sum(every)), ("Points given by", by),
               ("Report", record.when())],
        results=[(stem[:2], r.title, r.state, f"{r.most:g}",
                  "–" if r.points is None else f"{r.points:g}")
                 for stem, one in found.items() for r in one],
        lessons=lessons_shown,
    )  # fmt: skip
    return {**write(out, html), "results": found}


def _answer(cell: nbformat.NotebookNode) -> bool:
    """Whether a student's answer stands in the cell."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def _sum(found: Iterable[Result]) -> str:
    points, most, waiting = grades.totals(found)
    text = f"{points:g} of {most:g}"
    return f"{text}, {waiting:g} {grades.BY_HAND}" if waiting else text


def student_copy(number: str) -> Path:
    """The notebook that `--lesson` means: a file, or a number's copy in `notebooks/exercises`.

    Raises
    ------
    ConfigError
        Where there is no such lesson or file.
    """
    if number.endswith(".ipynb") or "/" in number or "\\" in number:
        need_content(number)
        if not (number.endswith(".ipynb") and Path(number).is_file()):
            raise ConfigError(f"there is no notebook {number}; name one that ends in .ipynb.")
        return Path(number)
    path = places.root() / "notebooks" / "exercises" / lessons.find(number).name
    need_content(path)
    if not path.is_file():
        raise ConfigError(f"lesson {path.stem} has no exercises: {path} is not there.")
    return path


def class_reports(
    course: Path, number: str = "", author: Author | None = None, *, code: bool = False
) -> tuple[list[Path], Path]:
    """Write one PDF for each student, and a table of marks.

    Parameters
    ----------
    course : Path
        nbgrader's course folder, after `nbgrader autograde`.
    number : str, optional
        Only this lesson.
    author : Author, optional
        Its course stands on every title page; the name is the student's.
    code : bool
        See `hand_in`.

    Returns
    -------
    tuple
        Paths of the reports (PDF, or HTML where Pango is missing), in `course/reports/`; path of
        `marks.csv`: a row a student; a column an exercise (``02/1``: lesson and number), empty
        where it waits for the lecturer; `points`, `of`, `waiting`.

    Raises
    ------
    ConfigError
        Where the folder is not there.
    DataError
        Where nothing has been graded.
    """
    need_content(course)
    if not course.is_dir():
        raise ConfigError(f"there is no folder {course}; make course writes one for nbgrader.")
    wanted = lessons.find(number).stem if number else "*"
    copies: dict[str, list[Path]] = {}
    for path in sorted(course.glob(f"autograded/*/{wanted}/*.ipynb")):
        if path.stem == path.parent.name:
            copies.setdefault(path.parts[-3], []).append(path)
    if not copies:
        raise DataError(
            f"{course} holds no graded notebook (autograded/STUDENT/LESSON/LESSON.ipynb); call "
            "nbgrader autograde LESSON there first."
        )
    told, rows = [], []
    for student, paths in track(copies.items(), "reports", total=len(copies)):
        who = Author(student, author.course if author else "")
        made = hand_in(paths, who, course / "reports" / student, code=code, course=course)
        told.append(made["pdf"] or made["html"])
        rows.append({"student": _safe(student), **_marks(made["results"])})
    table = course / "reports" / "marks.csv"
    files.write_csv(table, pd.DataFrame(rows))
    return told, table


def _marks(found: Mapping[str, Sequence[Result]]) -> dict[str, float | None]:
    """Columns of a student's row."""
    marks: dict[str, float | None] = {}
    for stem, results_ in found.items():
        marks |= {f"{stem[:2]}/{k}": r.points for k, r in enumerate(results_, start=1)}
    every = grades.totals(r for results_ in found.values() for r in results_)
    return marks | dict(zip(("points", "of", "waiting"), every, strict=True))


def _safe(text: str) -> str:
    """Text that a spreadsheet takes for text: a leading `=` would be a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@") else text
