"""nbgrader's course folder: what was handed out and in, what was graded, and what was not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from nbformat import NotebookNode

from ivdlib.course.points import (
    Copy,
    Exercise,
    given,
    graded_exercises,
    marks,
    named,
    results,
    totals,
)
from ivdlib.errors import DataError
from ivdlib.report import edits
from ivdlib.report.notebook import read_notebook

STRANGER = (
    "none of the lesson's cells was recognised; it may be another notebook, or its metadata is "
    "lost; look through it"
)


def course_of(notebook: Path) -> Path | None:
    """The course folder that nbgrader's copy of a notebook lies in: STEP/STUDENT/LESSON below."""
    parents = notebook.resolve().parents
    inside = len(parents) > 3 and parents[2].name in {"autograded", "submitted", "feedback"}
    return parents[3] if inside and (parents[3] / "gradebook.db").is_file() else None


def grading(course: Path, notebook: Path) -> tuple[dict[str, float | None] | None, float]:
    """What nbgrader's gradebook says of a copy.

    Returns
    -------
    dict of str to float or None
        Points by the name of the graded cell, None if it waits for the lecturer; None instead of
        the dict if no gradebook knows of the copy.
    float
        Points that are taken off because it came late.

    Raises
    ------
    DataError
        If nbgrader is not installed, or its gradebook cannot be read.
    """
    if not (course / "gradebook.db").is_file():
        return None, 0.0
    try:
        from nbgrader.api import Gradebook, MissingEntry
    except ImportError as error:
        raise DataError(
            f"{course} holds nbgrader's grades, but nbgrader is not installed: "
            "pip install 'ivdlib[teach]'."
        ) from error
    student, assignment = notebook.resolve().parts[-3:-1]
    try:
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
            graded = book.find_submission_notebook(notebook.stem, assignment, student)
            points = {g.name: None if g.needs_manual_grade else float(g.score)
                      for g in graded.grades}  # fmt: skip
            return points, float(graded.late_submission_penalty or 0)
    except MissingEntry:
        return None, 0.0
    except MemoryError:
        raise
    except Exception as error:  # SQLAlchemy's errors are of many kinds
        raise DataError(
            f"the gradebook of {course} cannot be read ({str(error).splitlines()[0][:100]}); call "
            "nbgrader autograde again."
        ) from error


def released(course: Path) -> dict[str, list[Exercise]]:
    """What each lesson asks, by its name: from `release/`, else from `source/`.

    Raises
    ------
    DataError
        If neither folder holds a lesson with exercises, or one cannot be read.
    """
    found: dict[str, list[Exercise]] = {}
    for step in ("release", "source"):
        for path in sorted(course.glob(f"{step}/*/*.ipynb")):
            name = path.stem
            if name != path.parent.name or name in found:
                continue
            asked = graded_exercises(read_notebook(path))
            if step == "source":  # with hidden tests, which students do not get
                asked = [replace(exercise, check="") for exercise in asked]
            if asked:
                found[name] = asked
    if not found:
        raise DataError(
            f"{course} holds no lesson that was handed out (release/LESSON/LESSON.ipynb), so "
            "nothing says what there was to do; call nbgrader generate_assignment LESSON there."
        )
    return dict(sorted(found.items()))


def uncounted(course: Path) -> dict[str, str]:
    """Of each assignment with notebooks that are not counted: a sentence on them.

    Marks are those of ``LESSON/LESSON.ipynb``, as all lessons of ours are.
    """
    told = {}
    for name, parts in _parts(course).items():
        rest = [part for part in parts if part != f"{name}.ipynb"]
        if rest and len(rest) < len(parts):
            told[name] = f"{name} has {len(parts)} notebooks; only {name}.ipynb is counted"
        elif rest:
            told[name] = f"{name} has no notebook {name}.ipynb; {', '.join(rest)} is not counted"
    return told


def _parts(course: Path) -> dict[str, list[str]]:
    """Names of the notebooks of each assignment, from `release/`, else from `source/`."""
    found: dict[str, list[str]] = {}
    for step in ("source", "release"):
        there: dict[str, list[str]] = {}
        for path in sorted(course.glob(f"{step}/*/*.ipynb")):
            there.setdefault(path.parent.name, []).append(path.name)
        found |= there
    return found


def held(course: Path, path: Path, asked: Sequence[Exercise]) -> Copy:
    """A copy that nbgrader graded, held against the lesson and against what was handed in.

    Raises
    ------
    DataError
        If it or the gradebook cannot be read.
    """
    copy, (points, penalty) = read_notebook(path), grading(course, path)
    student, name = path.parts[-3:-1]
    place = course / "submitted" / student / name / path.name
    handed_in = edits.read_or_none(place) if place.is_file() else None
    notes = []
    if place.is_file() and not _same_answers(handed_in, copy):
        notes.append(
            "what was handed in is not what was graded; call nbgrader autograde --force for it"
        )
    found = results(copy, points, asked=asked, handed_in=handed_in)
    if not _knows(handed_in or copy, asked):
        notes.append(STRANGER)
        found = [replace(result, trouble="") for result in found]
    off = min(penalty, totals(found)[0])  # as nbgrader: none below 0
    if penalty:
        notes.append(f"handed in late, for which nbgrader takes {off:g} points off")
    return Copy(
        name,
        copy,
        asked,
        found,
        graded=points is not None,
        notes=tuple(notes),
        penalty=off,
        given=_given(course, name),
    )


def _given(course: Path, name: str) -> frozenset[str] | None:
    """What a lesson brings; None if it is not there (any more)."""
    for step in ("release", "source"):
        path = course / step / name / f"{name}.ipynb"
        if path.is_file():
            return _brought(path, path.stat().st_mtime_ns)
    return None


@cache
def _brought(path: Path, changed: int) -> frozenset[str]:
    """As `points.given`, read once for the whole class, as long as the file has not `changed`."""
    return given(read_notebook(path))


def _knows(notebook: NotebookNode, asked: Sequence[Exercise]) -> bool:
    return bool(named(notebook).keys() & {n for e in asked for n in (e.ident, e.answer)})


def _same_answers(handed_in: NotebookNode | None, graded: NotebookNode) -> bool:
    """Whether the answers that were handed in are those that were graded."""
    if handed_in is None:
        return False
    theirs, ours = named(handed_in), named(graded)
    return all(
        theirs[name][-1].source.strip() == ours[name][-1].source.strip()
        for name in theirs.keys() & ours.keys()
        if marks(theirs[name][-1]).get("solution")
    )


def not_graded(course: Path, lessons: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Whoever handed something in that has no graded copy: student, lesson, why.

    The lesson is "" if that cannot be told.
    """
    parts, apart, known = _parts(course), uncounted(course), ", ".join(sorted(lessons))
    for place in _there(course / "submitted"):
        if not place.is_dir():
            yield place.name, "", "it lies in submitted/ itself, not in submitted/STUDENT/LESSON"
            continue
        inside = _there(place)
        if not inside:
            yield place.name, "", "the folder is empty"
        for path in inside:
            graded = course / "autograded" / place.name / path.name / f"{path.name}.ipynb"
            if path.name not in lessons:
                if path.name in apart:
                    yield place.name, "", apart[path.name]
                elif len(inside) == 1 or _notebooks(path):
                    why = f"{path.name} is not the folder of a lesson ({known}); rename it"
                    yield place.name, "", f"{why}, and call nbgrader autograde again"
            elif not graded.is_file():
                yield place.name, path.name, _why(path, parts.get(path.name, []))


def _why(folder: Path, parts: Collection[str]) -> str:
    """Why what was handed in for a lesson, of these notebooks, has no graded copy."""
    wanted, again = f"{folder.name}.ipynb", f"call nbgrader autograde {folder.name} again"
    if not (folder / wanted).is_file():
        names = [p.relative_to(folder).as_posix() for p in _notebooks(folder)]
        if names and set(names) <= set(parts):
            return f"only {', '.join(names)} was handed in, and {wanted} alone is counted"
        names = [name for name in names if name not in parts]
        if names:
            return f"it is named {', '.join(names)}, not {wanted}; rename it and {again}"
        rest = [path.name for path in _there(folder)]
        return f"there is no notebook, only {', '.join(rest)}" if rest else "the folder is empty"
    if edits.read_or_none(folder / wanted) is None:
        text = (folder / wanted).read_text(encoding="utf-8", errors="replace")
        merge = "it has the marks of a merge in it, so it" if "<<<<<<<" in text else "it"
        return f"{merge} is not a readable notebook; ask for a sound one and {again}"
    return f"nbgrader has not graded it, or stopped at it; {again} and read what it says"


def _notebooks(path: Path) -> list[Path]:
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [p for p in found if p.suffix.lower() == ".ipynb" and not _hidden(p, path)]


def _there(folder: Path) -> list[Path]:
    """What a student put into a folder: not what systems and nbgrader add."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in found if not _hidden(path, folder) and path.name != "timestamp.txt"]


def _hidden(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)
