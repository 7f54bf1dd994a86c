"""Names of lessons: `01_data_loading`, `01b_learning`. The one place that knows their form.

A lesson's number is two digits, and a letter if the lesson came between two others later. Names
sort as lessons follow each other: `01_…`, `01b_…`, `02_…`.
"""

from __future__ import annotations

import re
from pathlib import Path

NUMBER = r"\d\d[a-z]?"
NAME = rf"{NUMBER}_\w+"


def number_of(name: str) -> str:
    """Number at the beginning of a lesson's name; nothing if it is no lesson's.

    Examples
    --------
    >>> number_of("01b_learning"), number_of("02"), number_of("thesis")
    ('01b', '02', '')
    """
    found = re.match(rf"({NUMBER})(_|$)", name)
    return found[1] if found else ""


def is_meant(wish: int | str, name: str) -> bool:
    """Whether somebody who says `wish` means the lesson `name`.

    Examples
    --------
    >>> [is_meant(wish, "01b_learning") for wish in ("1b", "01B", "01b_learning", "01", 1)]
    [True, True, True, False, False]
    """
    said = str(wish).strip()
    padded = re.sub(r"^\d(?!\d)", r"0\g<0>", said).lower()
    return said == name or padded == number_of(name) != ""


def lessons_in(folder: Path, ending: str = ".ipynb") -> list[Path]:
    """Lessons of a folder, in order; copies such as JupyterLab makes, `03_fds_cnn-Copy1`, are none.

    Parameters
    ----------
    folder : path
    ending : str
        Of their files. Executed lessons may also end in ``.failed.ipynb``.
    """
    named = re.compile(NAME + re.escape(ending))
    return sorted(path for path in folder.glob(f"*{ending}") if named.fullmatch(path.name))
