"""Where data and reports lie: beside the checkout one stands in, else in the present folder."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from pathlib import Path

from ivdlib.errors import ConfigError, printable
from ivdlib.files import folder

LONGEST = 100
"""Letters of a name that becomes a folder's, and a part of longer names."""

FIRST = "00_start_here.py"
"""Source of the first lesson."""

_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""What Windows keeps for itself."""


def checkout() -> Path | None:
    """The checkout of ivdlib that one stands in; None outside, and in that of another project."""
    here = Path.cwd()
    return next((place for place in (here, *here.parents) if _is_ours(place)), None)


def _is_ours(place: Path) -> bool:
    """Whether `pyproject.toml` is ivdlib's, or a copy without it holds our lessons' sources."""
    notebooks = place / "notebooks"
    try:
        about = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return (place / "environment.yml").is_file() and (notebooks / "src" / FIRST).is_file()
    except (OSError, ValueError):
        return False
    project = about.get("project")
    named = isinstance(project, dict) and project.get("name") == "ivdlib"
    return named and notebooks.is_dir()


def root() -> Path:
    """The checkout that one stands in, else the present folder.

    So a notebook opened from `notebooks/` and a command given at the top find the same folders.
    """
    return checkout() or Path.cwd()


def sound_name(name: str) -> str:
    """Give a name for a folder that every system can have and every reader can tell from others.

    Raises
    ------
    ConfigError
        Where it is none: empty, too long, with signs that do not print or that paths are made of,
        with a point, dash or blank at its ends, a device of Windows, or with signs such as the
        wide letters of Unicode, which look like plain ones.
    """
    if (
        not name
        or len(name.encode(errors="replace")) > LONGEST
        or not name.isprintable()
        or set(name) & set('/\\<>:"|?*')
        or name[0] in ".- "
        or name[-1] in ". "
        or _DEVICE.fullmatch(name)
        or unicodedata.normalize("NFKC", name) != name
    ):
        raise ConfigError(
            f"{printable(name)[:LONGEST]!r} is no name for an experiment; use up to {LONGEST} "
            "letters, digits, - and _, and begin with a letter or digit."
        )
    return name


def data_folder() -> Path:
    """Folder for data, made where there is none."""
    return folder(root() / "data")


def reports_folder() -> Path:
    """Folder for experiments, made where there is none."""
    return folder(root() / "reports")
