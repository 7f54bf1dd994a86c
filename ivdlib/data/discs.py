"""From a mask or labels to discs: components, specks, numbers, levels, the nearest disc.

Volumes are canonical: x left to right, y posterior to anterior, z inferior to superior, so the last
axis runs from caudal to cranial, and discs are numbered that way: 1 is the lowest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ivdlib.data.masks import as_mask, as_numbers, check_spacing, nearest
from ivdlib.errors import DataError

LEVELS = ("L5/S1", "L4/5", "L3/4", "L2/3", "L1/2", "T12/L1", "T11/12")
"""The seven levels that the numbered release of the challenge labels, from caudal to cranial."""

SPECK_FRACTION = 0.02
"""A piece below this part of the largest one is a speck: near 100 voxels of a challenge scan."""


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
    around = ndimage.generate_binary_structure(mask.ndim, mask.ndim)
    return by_height(*ndimage.label(mask, around))


def by_height(pieces: np.ndarray, count: int) -> np.ndarray:
    """Number pieces 1 to `count`, all of which are there, by the height of their centroids."""
    where = np.nonzero(pieces)
    found = pieces[where]
    size = np.bincount(found, minlength=count + 1)[1:]
    height = np.bincount(found, weights=where[-1], minlength=count + 1)[1:] / size
    number = np.zeros(count + 1, np.int32)
    number[1 + np.argsort(height, kind="stable")] = np.arange(1, count + 1)
    return number[pieces]


def clean_specks(
    mask: np.ndarray, min_voxels: int | None = None, share: float = SPECK_FRACTION
) -> np.ndarray:
    """Take small pieces out of a mask.

    The challenge's labels hold small spurious pieces beside the discs, and so do predictions.

    Parameters
    ----------
    mask : ndarray
        Canonical mask.
    min_voxels : int, optional
        The smallest piece that stays; by default `share` of the largest piece, a rule that needs no
        voxel size and never empties a mask.
    share : float, default `SPECK_FRACTION`
        See `min_voxels`.

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
    least = share * size.max() if min_voxels is None else min_voxels
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
    labels = as_numbers(labels, "the truth")
    if labels.max() > 255:  # as many values as there are, not as the largest says
        number = np.unique(np.append(0, labels), return_inverse=True)[1]
        labels = number[1:].reshape(labels.shape)
    labels = labels.astype(np.int32)
    pieces, count = np.zeros(labels.shape, np.int32), 0
    for value, near in enumerate(ndimage.find_objects(labels), start=1):
        if near is not None:
            mine = components(clean_specks(labels[near] == value))
            np.copyto(pieces[near], mine + count, where=mine > 0)
            count += int(mine.max())
    return by_height(pieces, count)


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
