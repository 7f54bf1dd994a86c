"""From a mask to discs: components, levels, the nearest disc, and a spine mask made from discs.

Volumes are canonical: x left to right, y posterior to anterior, z inferior to superior, so the last
axis runs from caudal to cranial, and discs are numbered that way: 1 is the lowest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ivdlib.errors import DataError

LEVELS = ("L5/S1", "L4/5", "L3/4", "L2/3", "L1/2", "T12/L1", "T11/12")
"""The seven levels that the numbered release of the challenge labels, from caudal to cranial."""

SPECK_FRACTION = 0.02
"""A piece below this part of the largest one is a speck: near 100 voxels of a challenge scan."""

DISC_SPACING_MM = 36.4
"""Mean distance from disc to disc in 16 challenge scans; used where there is only one disc."""

SPINE_HALF_AXES_MM = (25.0, 20.0)
"""Half-axes of the tube of `spine_from_discs`: left-right, anterior-posterior."""

_SAME_LEVEL_MM = 10.0
_TREE_POINTS = 200_000


def as_mask(volume: np.ndarray, name: str = "the mask") -> np.ndarray:
    """Check that an array is a mask, and return it as bool.

    Parameters
    ----------
    volume : ndarray
        Two or three axes, values 0 and 1 (any number type) or bool.
    name : str
        What to call it in the error.

    Returns
    -------
    ndarray of bool

    Raises
    ------
    DataError
        If the array is empty, has other axes, holds NaN, or values other than 0 and 1.
    """
    volume = np.asarray(volume)
    if volume.ndim not in (2, 3) or volume.size == 0:
        raise DataError(f"{name} has shape {volume.shape}; give a slice or a volume.")
    if volume.dtype.kind not in "buif":
        raise DataError(f"{name} holds {volume.dtype} values; give numbers, 0 and 1.")
    if volume.dtype.kind == "b":
        return volume
    if volume.dtype.kind == "f" and np.isnan(volume).any():
        raise DataError(f"{name} holds NaN; give 0 and 1 only.")
    mask = volume == 1
    if not (mask | (volume == 0)).all():
        raise DataError(f"{name} holds values beside 0 and 1; choose a label or a threshold first.")
    return mask


def check_spacing(spacing: Sequence[float], axes: int) -> tuple[float, ...]:
    """Return the spacing in mm as floats, one for each axis.

    Raises
    ------
    DataError
        If there are not `axes` values, or one of them is not a positive finite number.
    """
    try:
        values = tuple(float(value) for value in spacing)
    except (TypeError, ValueError):
        values = ()
    if len(values) != axes or not all(np.isfinite(v) and v > 0 for v in values):
        raise DataError(f"spacing {spacing!r} is not {axes} positive lengths in mm, one per axis.")
    return values


def box(mask: np.ndarray) -> tuple[slice, ...]:
    """Return the smallest box that holds every true voxel of `mask`, which must not be empty."""
    edges = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        where = np.flatnonzero(mask.any(axis=others))
        edges.append(slice(int(where[0]), int(where[-1]) + 1))
    return tuple(edges)


def nearest(
    of: np.ndarray, to: np.ndarray, spacing: tuple[float, ...]
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Find, for each voxel of one checked mask, the nearest voxel of another that is not empty.

    Parameters
    ----------
    of, to : ndarray of bool
        Masks of one shape.
    spacing : tuple of float
        Voxel size in mm.

    Returns
    -------
    distance : ndarray of float, shape (n,)
        Distance in mm between voxel centres, for the n voxels of `of` in array order.
    where : tuple of ndarray of int, one per axis
        Index of the nearest voxel of `to`; among equally near ones, any.
    """
    # A tree costs time for each point, a distance transform for each voxel of the box round both.
    if np.count_nonzero(of) <= _TREE_POINTS:
        from scipy.spatial import KDTree

        targets = np.argwhere(to)
        tree = KDTree(targets * spacing, compact_nodes=False, balanced_tree=False)
        distance, found = tree.query(np.argwhere(of) * spacing)
        return distance, tuple(targets[found].T)
    near = box(of | to)
    distance, where = ndimage.distance_transform_edt(
        ~to[near], sampling=spacing, return_indices=True
    )
    of = of[near]
    starts = [s.start for s in near]
    return distance[of], tuple(w[of] + start for w, start in zip(where, starts, strict=True))


def components(mask: np.ndarray) -> np.ndarray:
    """Find the connected pieces of a mask and number them from caudal to cranial.

    Voxels that share a face, an edge or a corner are connected (26 neighbours in a volume).

    Parameters
    ----------
    mask : ndarray
        Canonical; the last axis runs from caudal to cranial.

    Returns
    -------
    ndarray of int32
        0 outside, then 1, 2, … by the height of the centroid.

    Raises
    ------
    DataError
        If `mask` is not a mask.
    """
    mask = as_mask(mask)
    labels, count = ndimage.label(mask, ndimage.generate_binary_structure(mask.ndim, mask.ndim))
    where = np.nonzero(labels)
    found = labels[where]
    size = np.bincount(found, minlength=count + 1)[1:]
    height = np.bincount(found, weights=where[-1], minlength=count + 1)[1:] / size
    number = np.zeros(count + 1, np.int32)
    number[1 + np.argsort(height, kind="stable")] = np.arange(1, count + 1)
    return number[labels]


def clean_specks(mask: np.ndarray, min_voxels: int | None = None) -> np.ndarray:
    """Take small pieces out of a mask.

    The challenge's labels hold small spurious pieces beside the discs, and so do predictions.

    Parameters
    ----------
    mask : ndarray
        Canonical mask.
    min_voxels : int, optional
        The smallest piece that stays; by default `SPECK_FRACTION` of the largest piece, a rule that
        needs no voxel size and never empties a mask.

    Returns
    -------
    ndarray of bool

    Raises
    ------
    DataError
        If `mask` is not a mask.
    """
    labels = components(mask)
    size = np.bincount(labels.ravel())
    size[0] = 0
    least = SPECK_FRACTION * size.max() if min_voxels is None else min_voxels
    keep = size >= max(least, 1)
    return keep[labels]


def number_discs(labels: np.ndarray) -> np.ndarray:
    """Find the discs of a truth and number them from caudal to cranial.

    Discs are the connected pieces of one value without their specks: labels that give each disc a
    value of its own keep discs apart that touch.

    Parameters
    ----------
    labels : ndarray of bool or of integers
        Canonical; 0 outside the discs.

    Returns
    -------
    ndarray of int32
        As `components`.

    Raises
    ------
    DataError
        If `labels` is neither a mask nor holds whole numbers from 0 on.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "ui" or not labels.size or labels.min() < 0:
        return components(clean_specks(as_mask(labels, "the truth")))
    if labels.max() > 255:  # as many values as there are, not as the largest says
        number = np.unique(np.append(0, labels), return_inverse=True)[1]
        labels = number[1:].reshape(labels.shape)
    labels = labels.astype(np.int32)
    pieces = np.zeros(labels.shape, np.int32)
    height: list[float] = []
    for value, near in enumerate(ndimage.find_objects(labels), start=1):
        if near is None:
            continue
        mine = components(clean_specks(labels[near] == value))
        where = np.nonzero(mine)
        found = mine[where] + len(height)
        pieces[near][where] = found
        size = np.bincount(found)[len(height) + 1 :]
        total = np.bincount(found, weights=where[-1])[len(height) + 1 :]
        height += (near[-1].start + total / size).tolist()
    number = np.zeros(len(height) + 1, np.int32)
    number[1 + np.argsort(height, kind="stable")] = np.arange(1, len(height) + 1)
    return number[pieces]


def split_by_nearest_disc(
    pred: np.ndarray, truth_components: np.ndarray, spacing: Sequence[float]
) -> np.ndarray:
    """Divide a binary prediction among the discs of the truth.

    Each predicted voxel goes to the disc that holds the truth voxel nearest to it in mm. The
    challenge published no code for this step; it is our reading ("challenge-style").

    Parameters
    ----------
    pred : ndarray
        Predicted mask.
    truth_components : ndarray of int
        Numbered discs of the truth, of the same shape; see `components`.
    spacing : sequence of float
        Voxel size in mm, one per axis.

    Returns
    -------
    ndarray of int32
        The number of the nearest disc at each predicted voxel, 0 elsewhere.

    Raises
    ------
    DataError
        If the shapes differ, the truth holds no disc, or `pred` or `spacing` is not usable.
    """
    pred = as_mask(pred, "the prediction")
    truth = np.asarray(truth_components)
    if pred.shape != truth.shape:
        raise DataError(f"the prediction has shape {pred.shape}, the discs have {truth.shape}.")
    spacing = check_spacing(spacing, pred.ndim)
    if not truth.any():
        raise DataError("the truth holds no disc, so no voxel has a nearest one.")
    split = np.zeros(pred.shape, np.int32)
    split[pred] = truth[pred]
    stray = pred & (truth == 0)
    if stray.any():
        _, where = nearest(stray, truth > 0, spacing)
        split[stray] = truth[where]
    return split


def disc_levels(count: int) -> list[str]:
    """Name `count` discs from caudal to cranial.

    Only seven discs are known to be T11/12 … L5/S1 (the challenge's numbered release); with any
    other number the level of a disc is not known, and every name is empty.

    Examples
    --------
    >>> disc_levels(7)[:2], disc_levels(3)
    (['L5/S1', 'L4/5'], ['', '', ''])
    """
    return list(LEVELS) if count == len(LEVELS) else [""] * count


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
