"""A mask of the spine made from disc labels: a tube round a curve through the discs.

Volumes are canonical, as in `ivdlib.data.discs`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ivdlib.data.discs import clean_specks, components
from ivdlib.data.masks import as_mask, check_spacing
from ivdlib.errors import DataError

DISC_SPACING_MM = 36.4
"""Mean distance from disc to disc in 16 challenge scans; used where there is only one disc."""

SPINE_HALF_AXES_MM = (25.0, 20.0)
"""Half-axes of the tube of `spine_from_discs`: left-right, anterior-posterior."""

_SAME_LEVEL_MM = 10.0


def _centroids_mm(discs: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Return the disc centroids (n, 3) in mm, caudal first, pieces of one disc taken together."""
    labels = components(clean_specks(discs))
    index = range(1, int(labels.max()) + 1)
    points = np.array(ndimage.center_of_mass(labels > 0, labels, index)) * spacing
    size = np.bincount(labels.ravel())[1:]
    # A disc that is broken in two would bend the curve sharply: no two discs are this close.
    level = np.cumsum(np.diff(points[:, 2], prepend=points[0, 2]) >= _SAME_LEVEL_MM)
    weight = np.bincount(level, weights=size)
    return np.stack([np.bincount(level, weights=size * p) / weight for p in points.T], axis=1)


def spine_from_discs(discs: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Make a mask of the spine out of disc labels, for data that label nothing else.

    The paper's first network segments the spine (Sect. 2.2) without saying what it learns from.
    Here: a smooth curve (natural cubic spline over height) through the disc centroids, carried on
    in straight lines by one disc spacing beyond the first and the last disc; round it in each
    axial plane an ellipse of `SPINE_HALF_AXES_MM`; together with the discs themselves. One disc
    gives an upright tube that reaches `DISC_SPACING_MM` up and down.

    Parameters
    ----------
    discs : ndarray
        Canonical disc mask (x, y, z).
    spacing : sequence of float
        Voxel size in mm (x, y, z).

    Returns
    -------
    ndarray of bool
        Spine mask of the same shape.

    Raises
    ------
    DataError
        If there is no disc, or `discs` or `spacing` is not usable.
    """
    from scipy.interpolate import CubicSpline

    discs = as_mask(discs, "the disc mask")
    if discs.ndim != 3:
        raise DataError(f"the disc mask has shape {discs.shape}; give a volume.")
    spacing = check_spacing(spacing, 3)
    if not discs.any():
        raise DataError("the disc mask is empty, so no spine can be drawn through its discs.")
    points = _centroids_mm(discs, spacing)
    bottom, top = points[0, 2], points[-1, 2]
    beyond = (top - bottom) / (len(points) - 1) if len(points) > 1 else DISC_SPACING_MM
    height = np.arange(discs.shape[2]) * spacing[2]
    inside = np.clip(height, bottom, top)
    if len(points) > 1:
        curve = CubicSpline(points[:, 2], points[:, :2], bc_type="natural")
        centre = curve(inside) + curve(inside, 1) * (height - inside)[:, None]
    else:
        centre = np.repeat(points[:, :2], len(height), axis=0)
    x = (np.arange(discs.shape[0])[:, None] * spacing[0] - centre[:, 0]) / SPINE_HALF_AXES_MM[0]
    y = (np.arange(discs.shape[1])[:, None] * spacing[1] - centre[:, 1]) / SPINE_HALF_AXES_MM[1]
    tube = x[:, None] ** 2 + y[None] ** 2 <= 1
    tube &= (height >= bottom - beyond) & (height <= top + beyond)
    return tube | discs
