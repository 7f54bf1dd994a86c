"""Whether somebody has worked in a notebook since it was made, and how that work is kept.

A made notebook bears a mark of its own cells, so no git is needed to tell a lesson of an older
version, which may be written over, from a student's answers, which may not.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from ivdlib import files
from ivdlib.data.json_shape import misfit
from ivdlib.errors import DataError

KEY = "ivdlib"
_OURS = ("tags", "nbgrader", "jupyter", "deletable", "editable")
"""What of a cell's metadata is part of the lesson; the rest is notes of the program it ran in."""


def _is_graded_well(marks: Any) -> bool:
    """Whether the points and names that nbgrader notes can be read; what is no note is none."""
    return not isinstance(marks, Mapping) or not misfit(marks, {"points": float, "grade_id": str})


def _is_shown(data: Any) -> bool:
    """Whether what an output shows is text by its kind, or JSON where the kind says so."""
    return isinstance(data, Mapping) and all(
        isinstance(value, str) or "json" in kind for kind, value in data.items()
    )


_OUTPUT = {
    "output_type!": str, "name": str, "text": str, "ename": str, "evalue": str, "traceback": [str],
    "data": _is_shown, "metadata": {},
}  # fmt: skip
NOTEBOOK = {
    "metadata!": {},
    "cells!": [{
        "cell_type!": ["markdown", "code", "raw"].__contains__, "source!": str,
        "metadata!": {"tags": [str], "nbgrader": _is_graded_well}, "outputs": [_OUTPUT],
        "execution_count": (int, None), "attachments": {...: {...: str}},
    }],
}  # fmt: skip
"""What we need of a notebook, see `json_shape.misfit`; nbformat itself warns and goes on."""


def parsed(path: Path) -> NotebookNode:
    """Read a notebook; what is none raises errors of many kinds, nbformat's own and those of JSON.

    Raises
    ------
    ValueError
        If a part of it is missing or of another kind.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cells without ids, as older notebooks have
        found = nbformat.read(path, as_version=4)
    if odd := misfit(found, NOTEBOOK):
        raise ValueError(f"{odd} is missing or of another kind")
    return found


def opened(path: Path) -> NotebookNode:
    """Read a notebook.

    Raises
    ------
    DataError
        If the file cannot be read or is no notebook.
    """
    try:
        return parsed(path)
    except FileNotFoundError as error:
        raise DataError(f"the notebook {path} is not there.") from error
    except OSError as error:
        raise DataError(files.cannot("read", path, error)) from error
    except MemoryError:
        raise
    except Exception as error:
        why = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise DataError(
            f"{path} is no notebook that can be read ({why}); open it in JupyterLab and save it "
            "again."
        ) from error


def read_or_none(path: Path) -> NotebookNode | None:
    """Read a notebook; None if it is not one (any more), as after a merge that git gave up."""
    try:
        return parsed(path)
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
