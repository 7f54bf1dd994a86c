"""Where a NIfTI header puts its voxels: units, spacing, its two forms, what is odd about them.

A header may hold two affines: the *sform*, any affine, and the *qform*, spacing and a rotation. As
nibabel does, the sform counts where both are set. Lengths stand in the unit that the header names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ivdlib.data.geometry import AFFINE_TOLERANCE_MM, check_affine, compare_grids, spacing_mm
from ivdlib.data.orientation import axcodes_of
from ivdlib.data.remarks import Remark
from ivdlib.errors import DataError

MM_PER_UNIT = {1: ("metres", 1e3), 3: ("microns", 1e-3)}
"""Units by their NIfTI code; mm (2) and unknown (0, most files) are read as they stand."""

EDGES_MM = (0.01, 100.0)
"""Voxel edges outside these are no scan of a body, but lengths in another unit than is said."""

QUATERNION_ROUNDING = 4 * float(np.finfo(np.float32).eps)
"""How far the numbers of a qform may be off by their rounding, and that of who computed them."""

NO_FORM = Remark(
    "neither sform nor qform is set, so axes and position are a guess from the spacing alone",
    "export the scan again with its geometry, or declare axcodes in dataset.json",
)


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where the voxels lie.

    Attributes
    ----------
    affine : ndarray, (4, 4)
        Voxels → world, mm.
    qform : ndarray, (4, 4), or None
        What the header's other form says, in mm, where it says otherwise.
    notes : tuple of Remark
        What was converted, chosen or guessed.
    """

    affine: np.ndarray
    qform: np.ndarray | None = None
    notes: tuple[Remark, ...] = ()


def check_pixdim(header: Any, where: str) -> None:
    """Refuse a spacing that is not above zero, as it stands in the file.

    Parameters
    ----------
    header : nibabel header
        Unmended: nibabel makes a zero 1 and a negative number positive while it loads.
    where : str
        File, for the message.

    Raises
    ------
    DataError
    """
    spacing = header["pixdim"][1:4]
    if not np.all(np.isfinite(spacing)) or np.any(spacing <= 0):
        raise DataError(
            f"{where} has the spacing {', '.join(f'{s:g}' for s in spacing)} mm in its header, "
            "but it must be above zero along each axis; write the file's geometry anew."
        )


def read_geometry(header: Any, shape: tuple[int, int, int], where: str) -> Geometry:
    """Read the geometry of a header, in mm.

    Parameters
    ----------
    header : nibabel header
    shape : tuple of 3 ints
    where : str
        File, for the messages.

    Returns
    -------
    Geometry

    Raises
    ------
    DataError
        If the affine is unusable, or its voxels are too small or too large for a body.
    """
    unit, scale = MM_PER_UNIT.get(int(header["xyzt_units"]) & 7, ("", 1.0))
    to_mm = np.diag([scale, scale, scale, 1.0])
    affine = to_mm @ header.get_best_affine()
    check_affine(affine, where)
    edges = spacing_mm(affine)
    if min(edges) < EDGES_MM[0] or max(edges) > EDGES_MM[1]:
        raise DataError(
            f"{where} has voxels of {' x '.join(f'{e:g}' for e in edges)} mm"
            f"{f' (its header counts in {unit})' if unit else ''}, as no scan of a body has; "
            "write lengths and unit into the header anew (xyzt_units: mm)."
        )
    notes = []
    if unit:
        what = f"lengths stand in {unit} and are converted to mm"
        notes.append(Remark(what, "write the unit mm into the header if they are millimetres"))
    if not header["sform_code"] and not header["qform_code"]:
        notes.append(NO_FORM)
    if header["sform_code"]:
        notes += _about_pixdim(header["pixdim"][1:4] * scale, edges, shape)
    qform = _other_form(header, affine, to_mm)
    if qform is not None:
        notes += _about_qform(affine, qform, shape)
        qform = None if compare_grids(qform, shape, affine).same else qform
    return Geometry(affine, qform, tuple(notes))


def _about_pixdim(
    pixdim: np.ndarray, edges: tuple[float, float, float], shape: tuple[int, int, int]
) -> Iterator[Remark]:
    """Say that the spacing stands twice in the header and differs; all in mm."""
    if not np.all(np.abs(pixdim - edges) * shape <= AFFINE_TOLERANCE_MM):
        said, used = (" x ".join(f"{edge:.4g}" for edge in some) for some in (pixdim, edges))
        yield Remark(
            f"pixdim says voxels of {said} mm and the sform {used} mm, and the sform is used",
            "find out which is right and write it over the other (nibabel: set_zooms, set_sform)",
        )


def _about_qform(
    affine: np.ndarray, qform: np.ndarray, shape: tuple[int, int, int]
) -> Iterator[Remark]:
    """Say that the forms differ in more than the voxel size, which `_about_pixdim` tells."""
    other = qform.copy()
    other[:3, :3] *= np.array(spacing_mm(affine)) / spacing_mm(qform)
    found = compare_grids(other, shape, affine)
    if found.same:
        return
    turn, declare = "", ""
    if found.turned:
        codes, others = (", ".join(axcodes_of(one)) for one in (affine, qform))
        turn = f" (by the sform the axes run to {codes}, by the qform to {others})"
        declare = ", or declare the true axes in dataset.json (axcodes)"
    yield Remark(
        f"sform and qform put a corner {found.corner_mm:.1f} mm apart{turn}, and the sform is used",
        "find out which is right and write it over the other (nibabel: set_sform, set_qform)"
        f"{declare}",
    )


def _other_form(header: Any, affine: np.ndarray, to_mm: np.ndarray) -> np.ndarray | None:
    """The qform in mm beside the sform that is used."""
    if not header["sform_code"] or not header["qform_code"]:
        return None
    try:
        qform = to_mm @ header.get_qform()
    except ValueError:  # its numbers are no rotation, as where nobody ever filled them in
        return None
    if _same_turn(header, affine):
        qform[:3, :3] = affine[:3, :3] * np.array(spacing_mm(qform)) / spacing_mm(affine)
    return qform


def _same_turn(header: Any, affine: np.ndarray) -> bool:
    """Whether the qform turns the axes as the sform does, apart from the rounding of its numbers.

    Three float32 stand for a turn. Near half a turn, as between RAS and LPS, their rounding alone
    moves a corner by half a millimetre.
    """
    own = header.copy()
    own.set_qform(affine, 1)
    turns = np.array([[float(h[f"quatern_{k}"]) for k in "bcd"] for h in (header, own)])
    off = min(np.abs(turns[0] - turns[1]).max(), np.abs(turns[0] + turns[1]).max())
    return header["pixdim"][0] == own["pixdim"][0] and off <= QUATERNION_ROUNDING


def in_scanner_space(array: np.ndarray, affine: np.ndarray) -> Any:
    """Make a NIfTI image whose two forms both say that its voxels lie in scanner mm."""
    import nibabel as nib

    image = nib.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    return image


def without_geometry(image: Any) -> str:
    """Say why a file's geometry means nothing; "" if it may mean something.

    Parameters
    ----------
    image : nifti.Image
    """
    if NO_FORM in image.geometry.notes:
        return "neither sform nor qform is set"
    if np.allclose(image.affine, np.eye(4), atol=1e-6):
        return "its affine is the identity, as an array gets that is saved without one"
    return ""


def qform_hint(image: Any, other: Any) -> str:
    """Say that two files agree after all, by the qform of one; "" where they do not.

    Parameters
    ----------
    image, other : nifti.Image
        An error is about the first.
    """
    of = f"the qform of {other.path.name} agrees, whose"
    for one, against, text in ((image, other, "its qform agrees, so its"), (other, image, of)):
        qform = one.geometry.qform
        if qform is not None and compare_grids(qform, image.array.shape, against.affine).same:
            return f", but {text} sform is likely wrong"
    return ""
