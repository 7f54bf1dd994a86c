"""Whether somebody has worked in a notebook since it was made, and how that work is kept.

A made notebook bears a mark of its own cells, so no git is needed to tell a lesson of an older
version, which may be written over, from a student's answers, which may not.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ivdlib import files

KEY = "ivdlib"
_OURS = ("tags", "nbgrader", "jupyter", "deletable", "editable")
"""What of a cell's metadata is part of the lesson; the rest is notes of the program it ran in."""


def read(path: Path) -> NotebookNode | None:
    """Read a notebook; None where it is not one (any more), as after a merge that git gave up."""
    try:
        return nbformat.read(path, as_version=4)
    except (MemoryError, PermissionError):  # it may well be one
        raise
    except Exception:  # nbformat raises of many kinds, its own and those of JSON
        return None


def stamp(notebook: NotebookNode) -> None:
    """Mark a notebook as made, in place; last, for what changes afterwards counts as an edit."""
    notebook.metadata[KEY] = {"made": _digest(notebook)}


def mark(notebook: NotebookNode | None) -> str:
    """The mark that a notebook bears: the same wherever it was made from the same; "" for none."""
    return str((notebook or {}).get("metadata", {}).get(KEY, {}).get("made", ""))


def edited(notebook: NotebookNode | None) -> bool:
    """Whether its cells are no longer those that were made, as far as one can tell."""
    return notebook is None or mark(notebook) != _digest(notebook)


def touched(notebook: NotebookNode | None) -> bool:
    """Whether somebody edited it or ran it."""
    return edited(notebook) or any(
        cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells
    )


def _digest(notebook: NotebookNode) -> str:
    """Of all that a person writes or a lesson brings; empty cells, as Jupyter adds, are nothing."""
    cells = [
        [cell.cell_type, cell.source.rstrip(), cell.get("attachments", {}),
         {key: cell.metadata[key] for key in _OURS if key in cell.metadata}]
        for cell in notebook.cells
        if cell.source.strip() or cell.get("attachments")
    ]  # fmt: skip
    return files.sha256_json(cells)[:16]
