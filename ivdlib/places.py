"""Where data and reports lie: beside the checkout one stands in, else in the present folder."""

from __future__ import annotations

from pathlib import Path

from ivdlib.files import folder


def root() -> Path:
    """The nearest folder upwards with `environment.yml` and `notebooks`; else the present one.

    So a notebook opened from `notebooks/` and a command given at the top find the same folders.
    """
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / "environment.yml").is_file() and (place / "notebooks").is_dir():
            return place
    return here


def data_folder() -> Path:
    """Folder for data, made where there is none."""
    return folder(root() / "data")


def reports_folder() -> Path:
    """Folder for experiments, made where there is none."""
    return folder(root() / "reports")
