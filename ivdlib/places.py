"""Where data and reports lie: beside the checkout one stands in, else in the present folder."""

from __future__ import annotations

import tomllib
from pathlib import Path

from ivdlib.files import folder


def checkout() -> Path | None:
    """The checkout of ivdlib that one stands in; None outside, and in that of another project."""
    here = Path.cwd()
    return next((place for place in (here, *here.parents) if _is_ours(place)), None)


def _is_ours(place: Path) -> bool:
    """Whether its `pyproject.toml` is that of ivdlib: many projects have lessons and data."""
    try:
        about = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    project = about.get("project")
    named = isinstance(project, dict) and project.get("name") == "ivdlib"
    return named and (place / "notebooks").is_dir()


def root() -> Path:
    """The checkout that one stands in, else the present folder.

    So a notebook opened from `notebooks/` and a command given at the top find the same folders.
    """
    return checkout() or Path.cwd()


def data_folder() -> Path:
    """Folder for data, made where there is none."""
    return folder(root() / "data")


def reports_folder() -> Path:
    """Folder for experiments, made where there is none."""
    return folder(root() / "reports")
