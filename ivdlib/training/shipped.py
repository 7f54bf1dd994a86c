"""The weights that come with the package: each in a folder of its own in `ivdlib/weights`."""

from __future__ import annotations

import os
from pathlib import Path

from ivdlib.errors import DataError

WEIGHTS = "model.weights.h5"
"""Name of a training's weights file."""

FOLDER = Path(__file__).parents[1] / "weights"

USUAL = "fds_cnn"
"""What `predict` takes if nothing else is said."""


def names() -> tuple[str, ...]:
    """Names of the networks for discs that come with the package."""
    found = (path.parent.name for path in FOLDER.glob(f"*/{WEIGHTS}"))
    return tuple(sorted(set(found) - {"spine"}, key=lambda name: (name != USUAL, name)))


def find(weights: str | os.PathLike = USUAL) -> Path:
    """Where the weights of this name lie; anything else is a path, and given back.

    Raises
    ------
    DataError
        If it is neither: the message lists the names.
    """
    path = Path(weights)
    if path.is_file() or len(path.parts) != 1 or path.suffixes:
        return path
    if (shipped := FOLDER / path / WEIGHTS).is_file():
        return shipped
    known = ", ".join(names()) or "none in this copy"
    raise DataError(
        f"there are no weights {str(weights)!r}; give the path of a *.weights.h5 file, or the name "
        f"of weights that come with ivdlib: {known}."
    )
