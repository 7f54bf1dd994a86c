"""Score a prediction disc by disc, in the manner of the challenge.

The challenge (MICCAI 2018, IVDM3Seg) ranked by Dice, average surface distance and distance of the
centres, each a disc. No code of it was published: how a binary prediction is divided among the
discs, and what an empty one gets, is our reading, so all this is called "challenge-style".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ivdlib.data.discs import disc_levels, number_discs, split_by_nearest_disc
from ivdlib.data.masks import as_numbers
from ivdlib.evaluation.metrics import (
    MEASURES,
    at_edge,
    compare_masks,
    diagonal_mm,
    score_volume,
    volume_pair,
)


def _join(a: tuple[slice, ...], b: tuple[slice, ...]) -> tuple[slice, ...]:
    return tuple(
        slice(min(p.start, q.start), max(p.stop, q.stop)) for p, q in zip(a, b, strict=True)
    )


def disc_scores(
    pred: np.ndarray,
    truth: np.ndarray,
    spacing: Sequence[float],
    whole: Callable[[tuple[slice, ...]], bool] | None = None,
) -> list[dict[str, Any]]:
    """Score a prediction disc by disc, in the manner of the challenge.

    The discs are the connected pieces of the truth without its specks, those of each value where it
    has several (`discs.number_discs`); each predicted voxel belongs to the disc nearest to it in
    mm. A disc with no predicted voxel is missed: Dice 0, and for the distances the diagonal of the
    volume.

    Parameters
    ----------
    pred, truth : ndarray
        Canonical masks (x, y, z) of one shape. The truth may hold whole numbers from 0 on, such as
        another one in each disc.
    spacing : sequence of float
        Voxel size in mm (x, y, z).
    whole : callable, optional
        Says whether one tile of the prediction holds a whole box (`TileGrid.holds`): then `seam`
        says whether none holds the disc.

    Returns
    -------
    list of dict
        One for each disc of the truth from caudal to cranial, none if the truth is empty: `disc`
        (1 is the lowest), `level` ("" where not known), `dice`, `asd_mm`, `hd95_mm`,
        `centre_distance_mm`, `missed`, `touches_border` (the true disc meets an edge of the volume,
        so that its surface there is the edge's).

    Raises
    ------
    DataError
        If the shapes differ, one of the two is not a mask, or the spacing does not fit.
    """
    truth = as_numbers(truth, "the truth")
    pred, mask, spacing = volume_pair(pred, truth > 0, spacing)
    if not mask.any():
        return []
    diagonal = diagonal_mm(mask.shape, spacing)
    discs = number_discs(truth)
    split = split_by_nearest_disc(pred, discs, spacing)
    levels = disc_levels(int(discs.max()))
    boxes_truth = ndimage.find_objects(discs)
    boxes_pred = ndimage.find_objects(split, max_label=len(levels))
    rows = []
    for i, (of_truth, of_pred) in enumerate(zip(boxes_truth, boxes_pred, strict=True)):
        near = of_truth if of_pred is None else _join(of_truth, of_pred)
        scores = compare_masks(split[near] == i + 1, discs[near] == i + 1, spacing, diagonal)
        rows.append(
            {
                "disc": i + 1,
                "level": levels[i],
                **scores,
                "missed": of_pred is None,
                "touches_border": at_edge(of_truth, mask.shape),
                **({"seam": not whole(of_truth)} if whole else {}),
            }
        )
    return rows


def score(pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> dict[str, Any]:
    """Score a prediction both ways: as a whole volume, and disc by disc.

    Parameters
    ----------
    pred, truth : ndarray
        As for `disc_scores`.
    spacing : sequence of float
        Voxel size in mm (x, y, z).

    Returns
    -------
    dict
        `volume` (see `metrics.score_volume`), `discs` (see `disc_scores`), `mean_over_discs`: the
        mean of each of `metrics.MEASURES` over the discs, empty if the truth holds none; and
        `astray`: how many connected `pieces` of the prediction touch no disc of the truth, though
        they count for the nearest one, and their `ml`.

    Raises
    ------
    DataError
        If the shapes differ, one of the two is not a mask, or the spacing does not fit.

    Examples
    --------
    >>> truth = np.pad(np.ones((2, 4, 8)), 3)
    >>> score(truth, truth, (2.0, 1.25, 1.25))["mean_over_discs"]["dice"]
    1.0
    """
    discs, mask = disc_scores(pred, truth, spacing), as_numbers(truth, "the truth") > 0
    names = MEASURES if discs else ()
    return {
        "volume": score_volume(pred, mask, spacing),
        "discs": discs,
        "mean_over_discs": {n: float(np.mean([row[n] for row in discs])) for n in names},
        "astray": _astray(np.asarray(pred) > 0, mask, spacing),
    }


def _astray(pred: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> dict[str, float]:
    """Pieces of a prediction that touch no disc."""
    pieces, count = ndimage.label(pred, np.ones((3, 3, 3)))
    touch = np.bincount(pieces[truth], minlength=count + 1)[1:] > 0
    voxels = np.bincount(pieces.ravel(), minlength=count + 1)[1:][~touch].sum()
    return {"pieces": int((~touch).sum()), "ml": float(voxels * np.prod(spacing) / 1000)}
