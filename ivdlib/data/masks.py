"""Masks and labels as arrays: checks, the box around one, the nearest voxel of another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ivdlib.errors import DataError

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


def as_numbers(volume: np.ndarray, name: str = "the labels") -> np.ndarray:
    """Check that an array is a mask or holds whole numbers from 0 on, and return it.

    Parameters
    ----------
    volume : ndarray
        Whole numbers from 0 on, such as another one in each disc; or as for `as_mask`.
    name : str
        What to call it in the error.

    Returns
    -------
    ndarray of bool or of integers

    Raises
    ------
    DataError
        As `as_mask`.
    """
    volume = np.asarray(volume)
    numbered = volume.dtype.kind in "ui" and volume.size and volume.min() >= 0
    return volume if numbered else as_mask(volume, name)


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


def box_of(mask: np.ndarray) -> tuple[slice, ...]:
    """Return the smallest box that holds every true voxel of `mask`, which must not be empty."""
    return ndimage.find_objects(mask.view(np.uint8), max_label=1)[0]


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
    near = box_of(of | to)
    distance, where = ndimage.distance_transform_edt(
        ~to[near], sampling=spacing, return_indices=True
    )
    of = of[near]
    starts = [s.start for s in near]
    return distance[of], tuple(w[of] + start for w, start in zip(where, starts, strict=True))


def surface_distances(
    a: np.ndarray, b: np.ndarray, spacing: tuple[float, ...], beyond: bool = False
) -> np.ndarray:
    """Distance in mm from each voxel of either surface to the other surface, both in one array.

    A mask's surface are its voxels with a face on the outside. `beyond` says whether the mask goes
    on beyond the edge of the array, so that an edge where it is cut is no surface. Empty where one
    of the two has no surface.
    """
    a, b = (mask & ~ndimage.binary_erosion(mask, border_value=beyond) for mask in (a, b))
    if not a.any() or not b.any():
        return np.zeros(0)
    return np.concatenate([nearest(a, b, spacing)[0], nearest(b, a, spacing)[0]])
