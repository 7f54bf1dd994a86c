"""Measure label images: disc by disc as on the real labels, and a rater's label beside the exact.

Arrays are canonical: the last axis runs from caudal to cranial.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial.distance import cdist

from ivdlib.data.discs import components, split_by_nearest_disc
from ivdlib.data.masks import surface_distances
from ivdlib.errors import DataError

FULL_SHAPE = (36, 256, 256)
"""Voxels of a whole scan; the real statistics are those of such scans."""


def name_discs(
    exact: np.ndarray, affine: np.ndarray, centres: dict[str, np.ndarray]
) -> tuple[np.ndarray, list[str]]:
    """Number the pieces of the exact label and say which level each one is.

    Parameters
    ----------
    exact : ndarray of bool
        Exact label.
    affine : ndarray, (4, 4)
        Voxels to mm.
    centres : dict of str to ndarray, (3,)
        True centre of each level in mm, from the truth.

    Returns
    -------
    discs : ndarray of int32
        0, or the number of the piece, from below.
    levels : list of str
        Level of piece 1, 2, …; the one whose centre lies nearest.

    Raises
    ------
    DataError
        If the truth names no disc, or two pieces are the same level.
    """
    from nibabel.affines import apply_affine

    if not centres:
        raise DataError("the truth names no disc; make the phantom again.")
    discs = components(exact)
    middles = ndimage.center_of_mass(exact, discs, range(1, int(discs.max()) + 1))
    places = apply_affine(affine, np.reshape(middles, (-1, 3)))
    names = list(centres)
    levels = [names[k] for k in cdist(places, [*centres.values()]).argmin(axis=1)]
    if len(set(levels)) < len(levels):
        raise DataError(
            f"the exact label has {len(levels)} pieces for {len(set(levels))} levels; "
            "make the phantom again."
        )
    return discs, levels


def disc_sizes(
    labels: np.ndarray,
    discs: np.ndarray,
    levels: list[str],
    spacing: tuple[float, float, float],
) -> list[dict[str, float | str]]:
    """Measure each disc of a label as the real labels were measured.

    Parameters
    ----------
    labels : ndarray of bool
        The label to measure.
    discs : ndarray of int
        Numbered discs that say which voxel belongs to which disc: the nearest one.
    levels : list of str
        Level of disc 1, 2, ….
    spacing : tuple of 3 floats
        Voxel edges in mm.

    Returns
    -------
    list of dict
        From below, for each disc that is there: `level`, `volume_ml`, `max_transverse_area_mm2`
        (of the plane with most of the disc), `z_extent_mm`, `centre_spacing_z_mm` (to the next
        disc of the list; NaN for the last).
    """
    split = split_by_nearest_disc(labels, discs, spacing) if labels.any() else np.zeros_like(discs)
    plane_mm2, rows, heights = spacing[0] * spacing[1], [], []
    for number, level in enumerate(levels, start=1):
        profile = np.count_nonzero(split == number, axis=(0, 1))
        planes = np.flatnonzero(profile)
        if not len(planes):
            continue
        heights.append(float(np.average(planes, weights=profile[planes])) * spacing[2])
        rows.append(
            {
                "level": level,
                "volume_ml": float(profile.sum() * plane_mm2 * spacing[2] / 1000),
                "max_transverse_area_mm2": float(profile.max() * plane_mm2),
                "z_extent_mm": float((planes[-1] - planes[0] + 1) * spacing[2]),
            }
        )
    for row, step in zip(rows, [*np.diff(heights), np.nan], strict=False):
        row["centre_spacing_z_mm"] = float(step)
    return rows


def label_extent(labels: np.ndarray) -> dict[str, float]:
    """Measure a whole label: pieces, share of the voxels, slices and planes that hold it.

    Parameters
    ----------
    labels : ndarray of bool

    Returns
    -------
    dict
        `components`; `foreground_percent`; `slices`; `z_low`, `z_high`: lowest and highest plane,
        counted as if there were 256 of them (NaN for an empty label).
    """
    planes = np.flatnonzero(labels.any(axis=(0, 1))) * (FULL_SHAPE[2] / labels.shape[2])
    ends = (float(planes[0]), float(planes[-1])) if len(planes) else (np.nan, np.nan)
    return {
        "components": int(components(labels).max()),
        "foreground_percent": 100 * float(labels.mean()),
        "slices": int(np.count_nonzero(labels.any(axis=(1, 2)))),
        "z_low": ends[0],
        "z_high": ends[1],
    }


def jitter_mm(
    labels: np.ndarray, exact: np.ndarray, spacing: tuple[float, float, float]
) -> tuple[float, float]:
    """How far two labels lie apart: mean and root mean square of the distances of their surfaces.

    Both surfaces count; the edge of the volume, where a label may be cut, is no surface.

    Parameters
    ----------
    labels, exact : ndarray of bool
    spacing : tuple of 3 floats
        Voxel edges in mm.

    Returns
    -------
    tuple of float
        Mean and root mean square in mm; NaN where one of the two has no surface.
    """
    apart = surface_distances(labels, exact, spacing, beyond=True)
    if not len(apart):
        return np.nan, np.nan
    return float(apart.mean()), float(np.sqrt(np.mean(apart**2)))
