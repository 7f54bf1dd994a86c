"""Score mask files: one pair, or a folder of predictions against a folder of cases."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib import challenge, metrics
from ivdlib.errors import DataError
from ivdlib.geometry import AFFINE_TOLERANCE_MM, corner_displacement_mm, spacing_mm
from ivdlib.layout import find_cases
from ivdlib.nifti import Image, read_labels
from ivdlib.orientation import canonical_affine, file_grid, to_canonical
from ivdlib.progress import track

SUFFIX = "_Discs.nii.gz"
"""Ending of the masks that `ivdlib predict` writes."""


def score_files(
    pred: str | os.PathLike, truth: str | os.PathLike, discs: Iterable[int] = (1,)
) -> dict[str, Any]:
    """Score a predicted mask file against a label file.

    Parameters
    ----------
    pred, truth : path of a NIfTI file
        On one grid.
    discs : iterable of int, default (1,)
        Label values that are disc, in both files.

    Returns
    -------
    dict
        As `challenge.score`, with `pred` and `truth`.

    Raises
    ------
    DataError
        Where a file cannot be read, the grids differ, or a file has labels but none of `discs`.
    """
    values = sorted(set(discs))
    predicted, labels = read_labels(pred), read_labels(truth)
    _same_grid(predicted, labels)
    grid = file_grid(labels.array.shape, labels.affine, labels.header)
    masks = [to_canonical(_mask(image, values), grid) for image in (predicted, labels)]
    scores = challenge.score(*masks, spacing_mm(canonical_affine(grid)))
    return {"pred": str(pred), "truth": str(truth), **scores}


def score_folders(
    pred: str | os.PathLike, truth: str | os.PathLike, discs: Iterable[int] = (1,)
) -> list[dict[str, Any]]:
    """Score every ``CASE_Discs.nii.gz`` of a folder against the labels of a folder of cases.

    Raises
    ------
    DataError
        Where there is no prediction, or one has no labelled case; else as `score_files`.
    """
    masks = {p.name.removesuffix(SUFFIX): p for p in sorted(Path(pred).glob(f"*{SUFFIX}"))}
    if not masks:
        raise DataError(f"{pred} holds no mask called CASE{SUFFIX}; run ivdlib predict first.")
    labels = {case.name: case.labels for case in find_cases(truth) if case.labels}
    odd = sorted(set(masks) - set(labels))
    if odd:
        raise DataError(f"{truth} has no labels for {', '.join(odd)}; score what is labelled only.")
    return [
        {"case": name, **score_files(path, labels[name], discs)}
        for name, path in track(masks.items(), "scoring", len(masks))
    ]


def conventions(scores: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Average the scores of several scans in each way that papers do.

    Parameters
    ----------
    scores : iterable of mapping
        From `challenge.score` or `score_files`, one a scan.

    Returns
    -------
    dict
        `dice_volumes`: mean over scans (Tables 1 to 3). `dice_slices`: of each scan's sagittal
        slices that hold a mask, then over scans. `dice_pooled`: of all voxels of all scans at
        once. `dice_discs`, `asd_mm_discs`, `hd95_mm_discs`, `centre_distance_mm_discs`: mean over
        the discs of a scan, then over the scans that have any (challenge-style).

    Raises
    ------
    DataError
        Where there are no scores.
    """
    scores = list(scores)
    if not scores:
        raise DataError("there are no scores to average.")
    volumes = [scan["volume"] for scan in scores]
    total = sum(v["pred_ml"] + v["truth_ml"] for v in volumes)
    found = {
        "dice_volumes": float(np.mean([v["dice"] for v in volumes])),
        "dice_slices": float(np.mean([v["dice_slices"] for v in volumes])),
        "dice_pooled": 2 * sum(v["overlap_ml"] for v in volumes) / total if total else 1.0,
    }
    means = [scan["mean_over_discs"] for scan in scores if scan["discs"]]
    for name in metrics.MEASURES if means else ():
        found[f"{name}_discs"] = float(np.mean([mean[name] for mean in means]))
    return found


def _same_grid(a: Image, b: Image) -> None:
    if a.array.shape != b.array.shape:
        raise DataError(
            f"{a.path} has {a.size} voxels and {b.path} has {b.size}; "
            "bring both masks to one grid first."
        )
    moved = corner_displacement_mm(a.affine, b.affine, a.array.shape)
    if moved > AFFINE_TOLERANCE_MM:
        raise DataError(
            f"{a.path} and {b.path} lie up to {moved:.1f} mm apart by their affines; "
            "bring both masks to one grid first."
        )


def _mask(image: Image, values: list[int]) -> np.ndarray:
    mask = np.isin(image.array, values)
    if image.array.any() and not mask.any():
        found = ", ".join(map(str, np.unique(image.array[image.array > 0])[:10]))
        raise DataError(
            f"{image.path} holds the labels {found} and none of {', '.join(map(str, values))}; "
            "name the disc values with --discs."
        )
    return mask
