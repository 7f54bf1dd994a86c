"""Scores of a predicted disc mask: Dice, surface distances, distance of the centres, volumes.

One rule for empty masks holds throughout: two empty masks agree (Dice 1, distances 0 mm); where one
of the two is empty, the disc is missed (Dice 0), and a distance is the diagonal of the volume, as
in the challenge (458.2 mm for 36 × 256 × 256 voxels of 2 × 1.25 × 1.25 mm).

Tables 1 to 3 of the paper are means of `dice` over whole volumes. The view of the challenge, disc
by disc, is in `ivdlib.evaluation.challenge`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ivdlib.data.masks import as_mask, box_of, check_spacing, surface_distances
from ivdlib.errors import DataError

MEASURES = ("dice", "asd_mm", "hd95_mm", "centre_distance_mm")
"""What two masks are compared by: overlap, then three distances in mm."""


def _pair(pred: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pred, truth = as_mask(pred, "the prediction"), as_mask(truth, "the truth")
    if pred.shape != truth.shape:
        raise DataError(
            f"the prediction has shape {pred.shape}, the truth {truth.shape}; "
            "bring both to the same grid first."
        )
    return pred, truth


def volume_pair(
    pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
    """Check two masks of a volume and its spacing; `DataError` where they do not fit."""
    pred, truth = _pair(pred, truth)
    if pred.ndim != 3:
        raise DataError(f"the masks have shape {pred.shape}; give whole volumes.")
    return pred, truth, check_spacing(spacing, 3)


def _dice(pred: np.ndarray, truth: np.ndarray) -> float:
    total = np.count_nonzero(pred) + np.count_nonzero(truth)
    return float(2.0 * np.count_nonzero(pred & truth) / total) if total else 1.0


def _centre_mm(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    return np.array([where.mean() for where in np.nonzero(mask)]) * spacing


def compare_masks(
    pred: np.ndarray, truth: np.ndarray, spacing: tuple[float, ...], diagonal: float
) -> dict[str, float]:
    """Score two checked masks (bool, one shape) by every measure of `MEASURES`."""
    if pred.any() and truth.any():
        near = box_of(pred | truth)
        pred, truth = pred[near], truth[near]
        offset = _centre_mm(pred, spacing) - _centre_mm(truth, spacing)
        distances = surface_distances(pred, truth, spacing)
        found = distances.mean(), np.percentile(distances, 95), np.linalg.norm(offset)
    else:
        found = (diagonal if pred.any() or truth.any() else 0.0,) * 3
    return dict(zip(MEASURES, (_dice(pred, truth), *map(float, found)), strict=True))


def at_edge(of: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    """Whether a box of a volume of this shape meets one of its edges."""
    return any(s.start == 0 or s.stop == n for s, n in zip(of, shape, strict=True))


def diagonal_mm(shape: Sequence[int], spacing: Sequence[float]) -> float:
    """Return the diagonal of a volume in mm: what a missed disc gets as distance."""
    spacing = check_spacing(spacing, len(shape))
    return float(np.linalg.norm(np.multiply(shape, spacing)))


def dice(pred: np.ndarray, truth: np.ndarray) -> float:
    """Compute the Dice overlap `2 |P ∩ T| / (|P| + |T|)`, from 0 to 1.

    Parameters
    ----------
    pred, truth : ndarray
        Masks of one shape (slice or volume), bool or 0 and 1.

    Returns
    -------
    float
        1 if both are empty, 0 if one is.

    Raises
    ------
    DataError
        If the shapes differ, or one of the two is not a mask.

    Examples
    --------
    >>> dice(np.array([[1, 1, 0, 0]]), np.array([[0, 1, 1, 0]]))
    0.5
    """
    return _dice(*_pair(pred, truth))


def _distance(measure: str, pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> float:
    pred, truth = _pair(pred, truth)
    diagonal = diagonal_mm(pred.shape, spacing)
    return compare_masks(pred, truth, check_spacing(spacing, pred.ndim), diagonal)[measure]


def asd_mm(pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> float:
    """Compute the average symmetric surface distance in mm.

    The surface is every voxel of the mask with a face on the outside. The distance from each voxel
    of either surface to the nearest voxel of the other is averaged over both surfaces together, so
    that each surface voxel counts the same (Heimann et al. 2009, IEEE TMI 28:1251). Some packages
    take the mean of two means instead, one a surface.

    Parameters
    ----------
    pred, truth : ndarray
        Masks of one shape.
    spacing : sequence of float
        Voxel size in mm, one per axis.

    Returns
    -------
    float
        0 if both masks are empty; the diagonal of the array in mm if one is.

    Raises
    ------
    DataError
        If the shapes differ, one of the two is not a mask, or the spacing does not fit.

    Examples
    --------
    >>> bar = np.pad(np.ones((4, 4, 4)), 3)
    >>> asd_mm(bar, bar, (1.0, 1.25, 1.25))
    0.0
    """
    return _distance("asd_mm", pred, truth, spacing)


def hd95_mm(pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> float:
    """Compute the 95 % Hausdorff distance in mm.

    The 95th percentile of the distances that `asd_mm` averages, those of both surfaces together.
    Some packages take the larger of two percentiles instead, one a surface. Parameters, empty masks
    and errors as in `asd_mm`.
    """
    return _distance("hd95_mm", pred, truth, spacing)


def centre_distance_mm(pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> float:
    """Compute the distance between the centroids of two masks in mm.

    Parameters, empty masks and errors as in `asd_mm`.
    """
    return _distance("centre_distance_mm", pred, truth, spacing)


def slice_dice(pred: np.ndarray, truth: np.ndarray, axis: int = 0) -> float:
    """Compute the mean Dice over slices, as papers on slices report it.

    Parameters
    ----------
    pred, truth : ndarray
        Masks of one shape.
    axis : int, default 0
        What is across the slices; 0 gives the sagittal ones of a canonical volume.

    Returns
    -------
    float
        Over the slices in which one of the masks holds anything; 1 if there are none. Slices that
        are empty in both would count as 1 and flatter.

    Raises
    ------
    DataError
        If the shapes differ, or one of the two is not a mask.
    """
    pred, truth = _pair(pred, truth)
    pairs = zip(np.moveaxis(pred, axis, 0), np.moveaxis(truth, axis, 0), strict=True)
    values = [_dice(p, t) for p, t in pairs if p.any() or t.any()]
    return float(np.mean(values)) if values else 1.0


def score_volume(
    pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]
) -> dict[str, float | bool]:
    """Score a prediction as one whole volume, the convention of Tables 1 to 3.

    Nothing is cleaned away: every voxel of both masks counts.

    Parameters
    ----------
    pred, truth : ndarray
        Masks (x, y, z) of one shape.
    spacing : sequence of float
        Voxel size in mm (x, y, z).

    Returns
    -------
    dict
        `dice`, `asd_mm`, `hd95_mm`, `centre_distance_mm` (of all discs together), `dice_slices`
        (see `slice_dice`), `pred_ml`, `truth_ml`, `overlap_ml`, `volume_difference_ml` (predicted
        less true), `touches_border` (of the truth). The pooled Dice of several scans is
        2 Σ `overlap_ml` / Σ (`pred_ml` + `truth_ml`).

    Raises
    ------
    DataError
        If the shapes differ, one of the two is not a mask, or the spacing does not fit.
    """
    pred, truth, spacing = volume_pair(pred, truth, spacing)
    return {
        **compare_masks(pred, truth, spacing, diagonal_mm(truth.shape, spacing)),
        "dice_slices": slice_dice(pred, truth),
        **volumes(pred, truth, spacing),
        "touches_border": bool(truth.any()) and at_edge(box_of(truth), truth.shape),
    }


def volumes(pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> dict[str, float]:
    """Give volumes in ml of checked masks: `pred_ml`, `truth_ml`, `overlap_ml` and the difference.

    Parameters
    ----------
    pred, truth : ndarray of bool
        Of one shape.
    spacing : sequence of float
        Voxel size in mm.
    """
    voxel_ml = float(np.prod(spacing)) / 1000.0
    masks = {"pred_ml": pred, "truth_ml": truth, "overlap_ml": pred & truth}
    found = {name: int(np.count_nonzero(mask)) * voxel_ml for name, mask in masks.items()}
    return found | {"volume_difference_ml": found["pred_ml"] - found["truth_ml"]}
