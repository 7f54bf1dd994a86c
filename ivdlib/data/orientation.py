"""Canonical axes (RAS+) in memory and the exact way back to a file's own grid.

nibabel is imported inside the functions: it costs more than the whole rest of `import ivdlib`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ivdlib.data.geometry import redirect_axes, spacing_mm
from ivdlib.errors import DataError

AXCODES = ("LR", "PA", "IS")
"""The two letters of each world axis, negative direction first."""


@dataclass(frozen=True, eq=False)
class FileGrid:
    """A file's own grid, and how its axes lie.

    Attributes
    ----------
    shape : tuple of 3 ints
        Voxels along the file's axes.
    affine : ndarray, (4, 4)
        As the file says, in mm.
    header : nibabel header
        Holds the unit, codes and forms that a mask on this grid must repeat.
    orientation : ndarray, (3, 2)
        World axis and direction of each array axis, after a declared correction.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray
    header: Any
    orientation: np.ndarray


def check_axcodes(codes: Any, where: str) -> tuple[str, str, str]:
    """Check axis codes such as ``["R", "P", "S"]`` or ``"RPS"``.

    Parameters
    ----------
    codes : sequence of 3 letters
        For each array axis the side of the body it runs to: R or L, A or P, S or I.
    where : str
        File, for the message.

    Returns
    -------
    tuple of 3 str

    Raises
    ------
    DataError
        If a letter is unknown or a world axis does not come exactly once.
    """
    letters = tuple(codes) if isinstance(codes, str | list | tuple) else ()
    found = sorted(i for code in letters for i, pair in enumerate(AXCODES) if code in tuple(pair))
    if len(letters) != 3 or found != [0, 1, 2]:
        raise DataError(
            f"{where}: axcodes {codes!r} are unknown; give three letters, one of R/L, A/P and S/I "
            'each, in the order of the array axes, e.g. ["R", "P", "S"].'
        )
    return letters


def file_grid(
    shape: tuple[int, int, int],
    affine: np.ndarray,
    header: Any,
    axcodes: tuple[str, str, str] | None = None,
) -> FileGrid:
    """Make the grid of a file, its axes as the header says or as declared.

    Parameters
    ----------
    shape : tuple of 3 ints
    affine : ndarray, (4, 4)
    header : nibabel header
    axcodes : tuple of 3 str, optional
        The true directions, where the header is wrong.

    Returns
    -------
    FileGrid
    """
    from nibabel.orientations import axcodes2ornt, io_orientation

    orientation = axcodes2ornt(axcodes, AXCODES) if axcodes else io_orientation(affine)
    return FileGrid(shape, affine, header, orientation)


def memory_grid(shape: tuple[int, int, int], affine: np.ndarray) -> FileGrid:
    """Make the grid of an array that comes from no file, with a new header (sform "scanner")."""
    import nibabel as nib

    header = nib.Nifti1Header()
    header.set_data_shape(shape)
    header.set_sform(affine, code="scanner")
    header.set_zooms(spacing_mm(affine))  # some readers take the spacing from here alone
    header.set_xyzt_units("mm")
    return file_grid(shape, affine, header)


def axcodes_of(affine: np.ndarray) -> tuple[str, str, str]:
    """Axis codes that an affine says, e.g. ``("R", "A", "S")``."""
    from nibabel.orientations import aff2axcodes

    return aff2axcodes(affine, AXCODES)


def declared_affine(grid: FileGrid) -> np.ndarray:
    """Affine (4 × 4, mm) of the file with its declared axes; spacing and first voxel stay."""
    from nibabel.orientations import io_orientation

    return redirect_axes(grid.affine, io_orientation(grid.affine), grid.orientation)


def canonical_affine(grid: FileGrid) -> np.ndarray:
    """Affine (4 × 4, mm) of the canonical array, declared axes included."""
    from nibabel.orientations import inv_ornt_aff

    return declared_affine(grid) @ inv_ornt_aff(grid.orientation, grid.shape)


def to_canonical(array: np.ndarray, grid: FileGrid) -> np.ndarray:
    """Turn an array on the file's grid to RAS+ axes: contiguous, never interpolated."""
    from nibabel.orientations import apply_orientation

    return np.ascontiguousarray(apply_orientation(array, grid.orientation))


def from_canonical(array: np.ndarray, grid: FileGrid) -> np.ndarray:
    """Undo `to_canonical`: an RAS+ array back onto the file's own grid."""
    from nibabel.orientations import apply_orientation, axcodes2ornt, ornt_transform

    back = ornt_transform(axcodes2ornt("RAS", AXCODES), grid.orientation)
    return np.ascontiguousarray(apply_orientation(array, back))
