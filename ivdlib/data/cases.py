"""Load cases from a folder and write masks back onto their own grid.

The layout is that of the challenge (`ivdlib.data.layout`); `subjects.csv` and `dataset.json` stand
beside the data (`ivdlib.data.dataset_notes`).
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable

import numpy as np

from ivdlib.data.case import Case
from ivdlib.data.case_files import CaseFiles
from ivdlib.data.geometry import mixed_spacings
from ivdlib.data.layout import find_cases
from ivdlib.data.nifti import write_mask
from ivdlib.data.orientation import from_canonical, memory_grid
from ivdlib.data.quality.checks import check_cases
from ivdlib.data.remarks import grouped, listed
from ivdlib.data.scans import Scans, look
from ivdlib.errors import DataError, DataWarning

__all__ = [
    "Case",
    "CaseFiles",
    "check_cases",
    "find_cases",
    "load_case",
    "load_cases",
    "save_mask",
    "to_file_grid",
]

_log = logging.getLogger("ivdlib")


def load_cases(
    folder: str | os.PathLike,
    *,
    discs: Iterable[int] | None = None,
    spine: Iterable[int] | None = None,
    derive_missing: bool = True,
    labels_required: bool = False,
    label_grid: str = "voxel",
    needed: Iterable[str] | None = None,
    masks: bool = True,
) -> list[Case]:
    """Load all cases of a folder.

    Parameters
    ----------
    folder : path
        Holds ``NN/NN_{wat,fat,inn,opp}.nii[.gz]`` and ``NN_Labels.nii[.gz]``, or a variant of it,
        such as ``NN/{wat,fat,inn,opp}.nii.gz``; see `ivdlib.data.layout`.
    discs : iterable of int, optional
        Label values that are disc. Default: what `dataset.json` declares, else {1}.
    spine : iterable of int, optional
        Label values that belong to the spine. Default: what `dataset.json` declares, else all
        values where there are more than `discs` (with a warning).
    derive_missing : bool, default True
        Derive a missing Dixon contrast from two others where that takes no guess
        (`dixon.FORMULAS`), with a warning, and mark it as derived; False refuses the case.
    labels_required : bool, default False
        Refuse a case without labels.
    label_grid : {"voxel", "affine"}, default "voxel"
        Labels whose affine differs from the scan's: take them voxel by voxel, with a warning, up to
        `geometry.LABEL_AFFINE_LIMIT_MM`; or resample them by the affines, nearest neighbour, and
        log that.
    needed : iterable of str, optional
        Contrasts that are enough: of a case with a file for each, no other is asked for or derived.
    masks : bool, default True
        False leaves labels and other masks unread, for scans that are to be segmented.

    Returns
    -------
    list of Case
        Sorted by name.

    Raises
    ------
    DataError
        At the first fault of a file, a case or the folder.
    ConfigError
        If `label_grid` is unknown.

    Warns
    -----
    DataWarning
        One for each thing mended, derived or assumed, with the cases it concerns.
    """
    options = {
        "discs": discs,
        "spine": spine,
        "derive_missing": derive_missing,
        "labels_required": labels_required,
        "label_grid": label_grid,
    }
    return _load(look(folder, needed, masks, above=False, **options))


def load_case(
    folder: str | os.PathLike,
    *,
    needed: Iterable[str] | None = None,
    masks: bool = True,
    **options,
) -> Case:
    """Load the one case of a folder, e.g. ``Training/03``.

    Parameters
    ----------
    folder : path
        `subjects.csv` and `dataset.json` may stand in it or one level above.
    needed, masks, **options
        As for `load_cases`.

    Returns
    -------
    Case

    Raises
    ------
    DataError
        As `load_cases`, and where the folder holds several cases.
    """
    scans = look(folder, needed, masks, above=True, **options)
    if (many := len(scans.files)) > 1:
        raise DataError(
            f"{folder} holds {many} cases ({listed([f.name for f in scans.files])}); "
            "give the folder of one of them, or use load_cases."
        )
    return _load(scans)[0]


def _load(scans: Scans) -> list[Case]:
    # with faults, no image is read for nothing
    cases, failed = [], {name: first for name, (first, *_) in scans.faults.items()}
    for files in () if failed else scans.files:
        try:
            cases.append(scans.load(files))
        except DataError as error:
            failed[files.name] = str(error)
            cases.clear()
    if failed:
        first, *others = failed
        more = (
            f" {len(others)} more cannot be used ({listed(others)}); mend this, call again, and "
            "theirs is told."
        )
        raise DataError(f"{failed[first]}{more if others else ''}")
    for where, note in grouped((case.name, note) for case in cases for note in case.notes):
        warnings.warn(f"{where}: {note}.", DataWarning, stacklevel=3)
    if mixed := mixed_spacings({case.name: case.spacing for case in cases})[0]:
        warnings.warn(f"{mixed}.", DataWarning, stacklevel=3)
    scans.say_left()
    for where, text in grouped((case.name, text) for case in cases for text in case.corrections):
        _log.info("%s: %s.", where, text)
    return cases


def to_file_grid(case: Case, volume: np.ndarray) -> np.ndarray:
    """Turn a canonical array of a case to the axes of the case's own files.

    Parameters
    ----------
    case : Case
    volume : ndarray of `case.shape`
        In the axes of the case's arrays (RAS+).

    Returns
    -------
    ndarray
        In the order and direction of the file's axes, dtype kept, nothing interpolated.

    Raises
    ------
    DataError
        If the shape is not that of the case.
    """
    if volume.shape != case.shape:
        raise DataError(
            f"case {case.name}: an array of shape {volume.shape} does not lie on the case's grid "
            f"of {case.shape} voxels."
        )
    return volume if case.grid is None else from_canonical(volume, case.grid)


def save_mask(case: Case, mask: np.ndarray, path: str | os.PathLike) -> None:
    """Write a mask on the grid of the case's own files.

    The affine and the forms and codes of the header are those of the case's first contrast, even
    where `dataset.json` corrects them in memory: the mask must lie on the file it came from.

    Parameters
    ----------
    case : Case
    mask : ndarray of `case.shape`
        Canonical; bool, or whole numbers from 0 to 255.
    path : path ending in ``.nii`` or ``.nii.gz``
        Written whole or not at all.

    Raises
    ------
    DataError
        If shape, values or ending do not fit, or the file cannot be written.
    """
    grid = case.grid or memory_grid(case.shape, case.affine)
    write_mask(to_file_grid(case, np.asarray(mask)), grid, path)
