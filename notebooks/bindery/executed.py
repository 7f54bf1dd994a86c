"""Lessons with their results: those that were run as they are now, and how the others are run."""

from __future__ import annotations

from pathlib import Path

from nbformat import NotebookNode

from ivdlib.course import lessons
from ivdlib.report import edits
from ivdlib.report.lesson_names import lessons_in

ROOT = Path(__file__).resolve().parents[2]
EXECUTED = ROOT / "reports" / "smoke" / "notebooks"


def _cells(notebook: NotebookNode | None) -> list[tuple]:
    """What stands in the cells, and their tags, but for what papermill puts between them."""
    cells = [] if notebook is None else notebook.cells
    found = [(cell.source, cell.metadata.get("tags", [])) for cell in cells]
    return [(source, tags) for source, tags in found if "injected-parameters" not in tags]


def is_in_step(path: Path, lesson: Path) -> bool:
    """Whether `path` is `lesson`, as it is now, with results."""
    return path.is_file() and _cells(edits.read_or_none(path)) == _cells(edits.opened(lesson))


def chosen(executed: Path = EXECUTED) -> dict[Path, bool]:
    """A notebook for each lesson, and whether it holds results: the plain one has to do if not."""
    found = {}
    for lesson in lessons_in(ROOT / "notebooks"):
        run = is_in_step(executed / lesson.name, lesson)
        found[executed / lesson.name if run else lesson] = run
    return found


def run_missing() -> None:
    """Run, with the profile smoke, each lesson whose results are missing or of an older version.

    Raises
    ------
    IvdlibError
        If a lesson fails.
    """
    for lesson in lessons_in(ROOT / "notebooks"):
        if not is_in_step(EXECUTED / lesson.name, lesson):
            print(f"running {lesson.stem}", flush=True)
            lessons.lesson(lesson.stem, {"reports_dir": str(EXECUTED.parents[1])})
