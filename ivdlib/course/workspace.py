"""A folder of a student's own for the lessons: git leaves it alone, and nothing is written over."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from ivdlib import files, provenance
from ivdlib.course import lesson_source, lesson_versions, lessons
from ivdlib.errors import ConfigError
from ivdlib.report import edits

FOLDER = "my_lessons"
"""Its name, unless another one is given."""


@dataclass
class Started:
    """What was done with each lesson.

    Attributes
    ----------
    folder : Path
    made, newer, kept : list of Path
        Lessons that were not there; that have changed and lie beside the student's, under another
        name; that are there as they should be.
    """

    folder: Path
    made: list[Path] = field(default_factory=list)
    newer: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)


def start(folder: Path | None = None) -> Started:
    """Put the lessons, without answers, into a folder where a student works in them.

    What is there stays. A lesson that has changed since comes beside it as ``NN_name-new.ipynb``;
    one in which nobody has worked makes room for it.

    Parameters
    ----------
    folder : Path, optional
        Default: `FOLDER` in the checkout that one stands in, else in the present folder.

    Raises
    ------
    ConfigError
        If there are no lessons; for a folder within the `notebooks` that they come from.
    CannotWrite
        If a file cannot be written.
    """
    todo = [path.stem for path in lessons.series()]
    folder = (provenance.root() / FOLDER) if folder is None else folder
    taken = provenance.brought("notebooks")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; name a folder for your lessons.")
    if folder.resolve() == taken.resolve() or taken.resolve() in folder.resolve().parents:
        raise ConfigError(
            f"{folder} belongs to ivdlib, where git would see your answers and an update replace "
            "them; name another folder, or none."
        )
    ignore = files.folder(folder) / ".gitignore"
    if not ignore.exists():
        files.write_text(ignore, "*\n", newline="\n")
    done = Started(folder)
    _put_beside(done.folder, taken / lesson_versions.GLOSSARY)
    for stem in todo:
        source = lesson_source.source_of(stem)
        if source is not None:
            _put(done, stem, lesson_versions.notebook(source, "student"))
    return done


def _put(done: Started, stem: str, lesson: nbformat.NotebookNode) -> None:
    """Write a lesson where nothing of anybody's is lost."""
    text = nbformat.writes(lesson) + "\n"
    for name in (stem, f"{stem}-new", *(f"{stem}-new-{n}" for n in range(2, 100))):
        path = done.folder / f"{name}.ipynb"
        if not path.exists():
            files.write_text(path, text, newline="\n")
            (done.made if name == stem else done.newer).append(path)
            return
        there = edits.read_or_none(path)
        if edits.mark(there) == edits.mark(lesson):
            done.kept.append(path)
            return
        if there is not None and not edits.touched(there):
            files.write_text(path, text, newline="\n")
            done.made.append(path)
            return
    raise ConfigError(f"{done.folder} holds a hundred versions of {stem}; move some elsewhere.")


def _put_beside(folder: Path, page: Path) -> None:
    """Write a page that the lessons link to; one in which a student has made notes stays."""
    if not page.is_file():
        return
    text = page.read_text(encoding="utf-8")
    for place in (folder / page.name, folder / f"{page.stem}-new{page.suffix}"):
        if not place.exists() or place.read_text(encoding="utf-8", errors="replace") == text:
            files.write_text(place, text, newline="\n")
            return


def copy_of(stem: str) -> Path | None:
    """The student's copy of a lesson: in the folder one stands in, else in `FOLDER`; or None."""
    places = (Path.cwd(), provenance.root() / FOLDER)
    return next((p for place in places if (p := place / f"{stem}.ipynb").is_file()), None)
