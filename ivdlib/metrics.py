"""Scores of a predicted disc mask: Dice, surface distance, distance of the centres.

One rule for empty masks holds throughout: two empty masks agree (Dice 1, distances 0 mm); where one
of the two is empty, the disc is missed (Dice 0), and a distance is the diagonal of the volume, as
in the challenge (458.2 mm for 36 × 256 × 256 voxels of 2 × 1.25 × 1.25 mm).

Tables 1 to 3 of the paper are means of `dice` over whole volumes; `disc_scores` is the view of the
challenge, disc by disc. No code of the challenge was published, so that view is "challenge-style".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ivdlib.discs import (
    as_mask,
    box,
    check_spacing,
    clean_specks,
    components,
    disc_levels,
    nearest,
    split_by_nearest_disc,
)
from ivdlib.errors import DataError


def _pair(pred: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pred, truth = as_mask(pred, "the prediction"), as_mask(truth, "the truth")
    if pred.shape != truth.shape:
        raise DataError(
            f"the prediction has shape {pred.shape}, the truth {truth.shape}; "
            "bring both to the same grid first."
        )
    return pred, truth


def _volume_pair(
    pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
    pred, truth = _pair(pred, truth)
    if pred.ndim != 3:
        raise DataError(f"the masks have shape {pred.shape}; give whole volumes.")
    return pred, truth, check_spacing(spacing, 3)


def _dice(pred: np.ndarray, truth: np.ndarray) -> float:
    total = np.count_nonzero(pred) + np.count_nonzero(truth)
    return float(2.0 * np.count_nonzero(pred & truth) / total) if total else 1.0


def _surface(mask: np.ndarray) -> np.ndarray:
    """Voxels of the mask with a face on the outside; beyond the edge of the array is outside."""
    return mask & ~ndimage.binary_erosion(mask)


def _asd(pred: np.ndarray, truth: np.ndarray, spacing: tuple[float, ...]) -> float:
    surface_p, surface_t = _surface(pred), _surface(truth)
    to_truth, _ = nearest(surface_p, surface_t, spacing)
    to_pred, _ = nearest(surface_t, surface_p, spacing)
    return float((to_truth.sum() + to_pred.sum()) / (to_truth.size + to_pred.size))


def _centre_mm(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    return np.array([where.mean() for where in np.nonzero(mask)]) * spacing


def _scores(
    pred: np.ndarray, truth: np.ndarray, spacing: tuple[float, ...], diagonal: float
) -> dict[str, float]:
    """Dice, surface distance and distance of the centres of two checked masks."""
    if pred.any() and truth.any():
        near = box(pred | truth)
        pred, truth = pred[near], truth[near]
        offset = _centre_mm(pred, spacing) - _centre_mm(truth, spacing)
        asd, centre = _asd(pred, truth, spacing), float(np.linalg.norm(offset))
    else:
        asd = centre = diagonal if pred.any() or truth.any() else 0.0
    return {"dice": _dice(pred, truth), "asd_mm": asd, "centre_distance_mm": centre}


def _at_edge(of: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    return any(s.start == 0 or s.stop == n for s, n in zip(of, shape, strict=True))


def _join(a: tuple[slice, ...], b: tuple[slice, ...]) -> tuple[slice, ...]:
    return tuple(
        slice(min(p.start, q.start), max(p.stop, q.stop)) for p, q in zip(a, b, strict=True)
    )


def diagonal_mm(shape: Sequence[int], spacing: Sequence[float]) -> float:
    """Return the diagonal of a volume in mm: what a missed disc gets as distance."""
    spacing = check_spacing(spacing, len(shape))
    return float(np.linalg.norm(np.multiply(shape, spacing)))


def dice(pred: np.ndarray, truth: np.ndarray) -> float:
    """Compute the Dice overlap 2 |P ∩ T| / (|P| + |T|), from 0 to 1.

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
    """
    return _dice(*_pair(pred, truth))


def asd_mm(pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> float:
    """Compute the average symmetric surface distance in mm.

    The surface is every voxel of the mask with a face on the outside. The distance from each voxel
    of either surface to the nearest voxel of the other is averaged over both surfaces together, so
    that each surface voxel counts the same (Heimann et al. 2009, IEEE TMI 28:1251).

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
    """
    pred, truth = _pair(pred, truth)
    diagonal = diagonal_mm(pred.shape, spacing)
    return _scores(pred, truth, check_spacing(spacing, pred.ndim), diagonal)["asd_mm"]


def centre_distance_mm(pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> float:
    """Compute the distance between the centroids of two masks in mm.

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
    """
    pred, truth = _pair(pred, truth)
    diagonal = diagonal_mm(pred.shape, spacing)
    return _scores(pred, truth, check_spacing(spacing, pred.ndim), diagonal)["centre_distance_mm"]


def disc_scores(
    pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]
) -> list[dict[str, Any]]:
    """Score a prediction disc by disc, in the manner of the challenge.

    The discs are the connected pieces of the truth without its specks (`discs.clean_specks`); each
    predicted voxel belongs to the disc nearest to it in mm. A disc with no predicted voxel is
    missed: Dice 0, and for the distances the diagonal of the volume.

    Parameters
    ----------
    pred, truth : ndarray
        Canonical masks (x, y, z) of one shape.
    spacing : sequence of float
        Voxel size in mm (x, y, z).

    Returns
    -------
    list of dict
        One for each disc of the truth from caudal to cranial, none if the truth is empty: `disc`
        (1 is the lowest), `level` ("" where not known), `dice`, `asd_mm`, `centre_distance_mm`,
        `missed`, `touches_border` (the true disc meets an edge of the volume, so that its surface
        there is the edge's).

    Raises
    ------
    DataError
        If the shapes differ, one of the two is not a mask, or the spacing does not fit.
    """
    pred, truth, spacing = _volume_pair(pred, truth, spacing)
    if not truth.any():
        return []
    diagonal = diagonal_mm(truth.shape, spacing)
    discs = components(clean_specks(truth))
    split = split_by_nearest_disc(pred, discs, spacing)
    levels = disc_levels(int(discs.max()))
    boxes_truth = ndimage.find_objects(discs)
    boxes_pred = ndimage.find_objects(split, max_label=len(levels))
    rows = []
    for i, (of_truth, of_pred) in enumerate(zip(boxes_truth, boxes_pred, strict=True)):
        near = of_truth if of_pred is None else _join(of_truth, of_pred)
        scores = _scores(split[near] == i + 1, discs[near] == i + 1, spacing, diagonal)
        rows.append(
            {
                "disc": i + 1,
                "level": levels[i],
                **scores,
                "missed": of_pred is None,
                "touches_border": _at_edge(of_truth, truth.shape),
            }
        )
    return rows


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
        `dice`, `asd_mm`, `centre_distance_mm` (of all discs together), `pred_ml`, `truth_ml`,
        `touches_border` (of the truth).

    Raises
    ------
    DataError
        If the shapes differ, one of the two is not a mask, or the spacing does not fit.
    """
    pred, truth, spacing = _volume_pair(pred, truth, spacing)
    voxel_ml = float(np.prod(spacing)) / 1000.0
    return {
        **_scores(pred, truth, spacing, diagonal_mm(truth.shape, spacing)),
        "pred_ml": int(np.count_nonzero(pred)) * voxel_ml,
        "truth_ml": int(np.count_nonzero(truth)) * voxel_ml,
        "touches_border": bool(truth.any()) and _at_edge(box(truth), truth.shape),
    }


def score(pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> dict[str, Any]:
    """Score a prediction both ways: as a whole volume, and disc by disc.

    Parameters
    ----------
    pred, truth : ndarray
        Canonical masks (x, y, z) of one shape.
    spacing : sequence of float
        Voxel size in mm (x, y, z).

    Returns
    -------
    dict
        `volume` (see `score_volume`), `discs` (see `disc_scores`) and `mean_over_discs`: the mean
        `dice`, `asd_mm` and `centre_distance_mm` over the discs, empty if the truth holds none.

    Raises
    ------
    DataError
        If the shapes differ, one of the two is not a mask, or the spacing does not fit.
    """
    discs = disc_scores(pred, truth, spacing)
    names = ("dice", "asd_mm", "centre_distance_mm") if discs else ()
    return {
        "volume": score_volume(pred, truth, spacing),
        "discs": discs,
        "mean_over_discs": {n: float(np.mean([row[n] for row in discs])) for n in names},
    }
