"""The level atlas: where discs lie, learnt from masks alone.

An atlas that is applied to a training case leaves out the masks of its own patient, and the
threshold is that with the best mean Dice over the training cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ivdlib.data.people import key
from ivdlib.errors import DataError, LeakageError

ATLAS_SIGMA_MM = 1.5
"""Standard deviation of the Gaussian that smooths the mean mask."""

_THRESHOLDS = np.arange(1, 20) / 20


def smooth(volume: np.ndarray, sigma_mm: float, spacing: Sequence[float]) -> np.ndarray:
    """Filter with a Gaussian of `sigma_mm`; float32."""
    return ndimage.gaussian_filter(volume.astype(np.float32), sigma_mm / np.asarray(spacing))


def _fit(volume: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Crop and pad a volume about its centre to `shape`."""
    cut, add = [], []
    for have, want in zip(volume.shape, shape, strict=True):
        start = max(have - want, 0) // 2
        cut.append(slice(start, start + want))
        before = max(want - have, 0) // 2
        add.append((before, max(want - have, 0) - before))
    return np.pad(volume[tuple(cut)], add)


def _check_images(train_cases: Sequence[Any], test_cases: Sequence[Any]) -> None:
    """Refuse training cases without masks, and a patient on both sides."""
    if not train_cases:
        raise DataError("there is no training case; an atlas needs at least one.")
    for case in train_cases:
        if case.discs is None:
            raise DataError(f"case {case.name} has no disc labels; leave it out of the training.")
    ours = {key(case.subject): str(case.subject) for case in train_cases}
    both = {key(case.subject) for case in test_cases} & ours.keys()
    if both:
        shown = ", ".join(sorted(ours[who] for who in both))
        raise LeakageError(
            f"subject {shown} is on both sides of the split; "
            "keep all cases of a subject on one side."
        )


def _others(cases: Sequence[Any], case: Any) -> Sequence[Any]:
    """Return the cases of other patients; with a single patient there are none, so all of them."""
    return [c for c in cases if key(c.subject) != key(case.subject)] or cases


def _crop(case: Any) -> str:
    value = case.columns.get("crop")
    return "" if value is None else str(value).strip()


def atlas_probability(train_cases: Sequence[Any], case: Any) -> np.ndarray:
    """Compute how often a voxel belonged to a disc in the training masks.

    If every case has a column `crop` (the level, counted from the sacrum), only crops of the
    same number count, or all of them if there is none; other shapes are padded and cropped about
    the centre. The mean mask is smoothed by `ATLAS_SIGMA_MM`.

    Parameters
    ----------
    train_cases : sequence of case
        Cases with masks; none of them may be of the patient of `case`.
    case : case
        The case to make the atlas for; its mask is not looked at.

    Returns
    -------
    ndarray of float32
        From 0 to 1, of the shape of `case`.
    """
    alike = list(train_cases)
    if _crop(case) and all(map(_crop, train_cases)):
        alike = [c for c in train_cases if _crop(c) == _crop(case)] or alike
    total = np.zeros(next(iter(case.contrasts.values())).shape, np.float32)
    for other in alike:
        total += _fit(other.discs, total.shape)
    return smooth(total / len(alike), ATLAS_SIGMA_MM, case.spacing)


def best_threshold(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the threshold (0.05, 0.10 … 0.95) with the best mean Dice.

    Parameters
    ----------
    pairs : iterable of (probability, truth)
        One pair of arrays for each training case.
    """
    edges = [-np.inf, *_THRESHOLDS, np.inf]
    scores = []
    for probability, truth in pairs:
        every = np.histogram(probability, edges)[0]
        inside = np.histogram(probability[truth], edges)[0]
        # From the top: how many voxels, and how many true ones, reach each threshold.
        found, hits = (np.cumsum(h[::-1])[::-1][1:] for h in (every, inside))
        total = found + inside.sum()
        scores.append(np.where(total > 0, 2 * hits / np.maximum(total, 1), 1.0))
    return float(_THRESHOLDS[np.argmax(np.mean(scores, axis=0))])


def atlases_of(train_cases: Sequence[Any], test_cases: Sequence[Any]) -> dict[str, np.ndarray]:
    """Return the atlas for every case; those of training cases leave out their own patient.

    Raises
    ------
    DataError
        If there is no training case, or one has no masks.
    LeakageError
        If a subject is on both sides.
    """
    _check_images(train_cases, test_cases)
    own = {c.name: atlas_probability(_others(train_cases, c), c) for c in train_cases}
    return own | {c.name: atlas_probability(train_cases, c) for c in test_cases}


def level_atlas(
    train_cases: Sequence[Any], test_cases: Sequence[Any], atlases: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Predict discs from the training masks alone, without any image: masks by test case.

    `atlases` is of `atlases_of`, which refuses cases that do not go together.
    """
    threshold = best_threshold((atlases[case.name], case.discs) for case in train_cases)
    return {case.name: atlases[case.name] >= threshold for case in test_cases}
