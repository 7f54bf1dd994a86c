"""Files that stand beside the images: where they are, and `dataset.json` (corrections).

`subjects.csv` is read in `subjects`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any

from ivdlib.data.case_files import CaseFiles
from ivdlib.data.orientation import check_axcodes
from ivdlib.errors import DataError
from ivdlib.files import read_json
from ivdlib.links import need_content

DECLARABLE = ("axcodes", "discs", "spine")
"""Keys of `dataset.json` that are read; it may hold others."""


ABOUT = {"axcodes": "orient|ax(is|es|code)", "discs": "dis[ck]|ivd|labels?$", "spine": "vertebra"}
"""What other keys are called that may mean these."""


@dataclass(frozen=True)
class DatasetNotes:
    """What `dataset.json` declares; `everything` is the whole file."""

    path: Path | None = None
    axcodes: tuple[str, str, str] | None = None
    discs: frozenset[int] | None = None
    spine: frozenset[int] | None = None
    everything: dict[str, Any] = field(default_factory=dict)

    @property
    def misspelt(self) -> dict[str, str]:
        """Keys that are not read, but look like one that is → that one; inner ones with a dot."""
        found = {f"{above}{key}": key for above, key in _inner_keys(self.everything)}
        for shown in self.everything:
            word = shown.strip().lower()
            right = difflib.get_close_matches(word, DECLARABLE, 1, 0.75)
            right += [key for key, about in ABOUT.items() if re.search(about, word)]
            if shown not in DECLARABLE and right:
                found[shown] = right[0]
        return found


def _inner_keys(content: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Keys of `DECLARABLE` that stand within another one, where nobody reads them."""
    for key, value in content.items():
        if above and key in DECLARABLE:
            yield above, key
        if isinstance(value, dict):
            yield from _inner_keys(value, f"{above}{key}.")


def find_beside(name: str, folder: Path, cases: list[CaseFiles], *, above: bool) -> Path | None:
    """Find a file such as `subjects.csv` in `folder`, or on the way down to the cases.

    Parameters
    ----------
    name : str
    folder : Path
        The folder that was asked for.
    cases : list of CaseFiles
        Found in it.
    above : bool
        Look one level above `folder` too (for the folder of a single case).

    Returns
    -------
    Path or None

    Raises
    ------
    DataError
        If several stand below `folder`, so that none holds for all cases.
    """
    for place in (folder, folder.resolve().parent) if above else (folder,):
        if _is_there(place / name):
            return place / name
    nearest = {path.parent for case in cases for path in case.paths.values()}
    between = {p for one in nearest for p in (one, *one.parents) if folder in p.parents}
    found = sorted(place / name for place in between if _is_there(place / name))
    if len(found) > 1:
        raise DataError(
            f"{folder} holds more than one {name} ({', '.join(map(str, found))}); "
            f"load the folders one by one, or put one {name} into {folder}."
        )
    return found[0] if found else None


def _is_there(path: Path) -> bool:
    """Whether there is such a file; one whose content was not fetched must not be passed over."""
    need_content(path)
    return path.is_file()


def declared_beside(folder: Path, cases: list[CaseFiles], *, above: bool) -> DatasetNotes:
    """Find `dataset.json`, read and check it; without one the declaration is empty.

    Parameters
    ----------
    folder, cases, above
        As for `find_beside`.

    Returns
    -------
    DatasetNotes

    Raises
    ------
    DataError
        As `find_beside`, and if the file is not a JSON object, the axis codes are unknown, or a
        label set is not a list of whole numbers from 1 to 255.
    """
    path = find_beside("dataset.json", folder, cases, above=above)
    if path is None:
        return DatasetNotes()
    content = read_json(path)
    if not isinstance(content, dict):
        raise DataError(f"{path} must hold one JSON object, as in {{'axcodes': ['R', 'P', 'S']}}.")
    axcodes = content.get("axcodes")
    return DatasetNotes(
        path,
        None if axcodes is None else check_axcodes(axcodes, str(path)),
        label_set(content.get("discs"), f"{path}: discs"),
        label_set(content.get("spine"), f"{path}: spine"),
        content,
    )


def label_set(values: Any, where: str) -> frozenset[int] | None:
    """Check label values such as ``{1, 2, 3}``; None stays None.

    Raises
    ------
    DataError
        If they are not one or more whole numbers from 1 to 255.
    """
    if values is None:
        return None
    if isinstance(values, str | bytes | dict) or not hasattr(values, "__iter__"):
        values = [None]
    values = list(values)
    whole = all(isinstance(v, Integral) and not isinstance(v, bool) for v in values)
    if not values or not whole or not all(1 <= v <= 255 for v in values):
        raise DataError(f"{where} must be a list of label values, whole numbers from 1 to 255.")
    return frozenset(int(value) for value in values)
