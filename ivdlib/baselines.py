"""Rows that need no network: a level atlas and a voxel-wise logistic regression.

A network that does no better than these has learnt where discs lie, not what they look like.
Nothing here is chosen on test patients: an atlas that is applied to a training case leaves out the
masks of its own patient, and thresholds are those with the best mean Dice over the training cases.

A case is anything with `name`, `subject`, `contrasts`, `discs`, `columns` and `spacing`, such as
`cases.Case`; of a test case, `discs` is never looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ivdlib.errors import DataError, LeakageError

Images = Mapping[str, Mapping[str, np.ndarray]]
"""Volumes by case and image name: `images[case][name]`, float32 from 0 to 1."""

ATLAS = "level atlas"
LOGISTIC = "logistic regression"
LOGISTIC_ALL = "logistic regression, all contrasts"

ATLAS_SIGMA_MM = 1.5
"""Standard deviation of the Gaussian that smooths the mean mask."""

IMAGE_SIGMAS_MM = (1.5, 3.0)
"""Standard deviations of the smoothed copies of an image that the regression sees."""

VOXELS_PER_CASE = 20_000
"""Voxels drawn from each training case for the fit and its threshold."""

_THRESHOLDS = np.arange(1, 20) / 20
_CLIP = 0.01


def _smooth(volume: np.ndarray, sigma_mm: float, spacing: Sequence[float]) -> np.ndarray:
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


def _check(train_cases: Sequence[Any], test_cases: Sequence[Any]) -> None:
    if not train_cases:
        raise DataError("there is no training case; an atlas needs at least one.")
    for case in train_cases:
        if case.discs is None:
            raise DataError(f"case {case.name} has no disc labels; leave it out of the training.")
    both = {case.subject for case in train_cases} & {case.subject for case in test_cases}
    if both:
        raise LeakageError(
            f"subject {', '.join(sorted(map(str, both)))} is on both sides of the split; "
            "keep all cases of a subject on one side."
        )


def _others(cases: Sequence[Any], case: Any) -> Sequence[Any]:
    """Return the cases of other patients; with a single patient there are none, so all of them."""
    return [c for c in cases if c.subject != case.subject] or cases


def _crop(case: Any) -> str:
    value = case.columns.get("crop")
    return "" if value is None else str(value).strip()


def atlas_probability(train_cases: Sequence[Any], case: Any) -> np.ndarray:
    """Compute how often a voxel belonged to a disc in the training masks.

    Where every case has a column `crop` (the level, counted from the sacrum), only crops of the
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
    return _smooth(total / len(alike), ATLAS_SIGMA_MM, case.spacing)


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


def _atlases(train_cases: Sequence[Any], test_cases: Sequence[Any]) -> dict[str, np.ndarray]:
    """Return the atlas for every case; those of training cases leave out their own patient."""
    _check(train_cases, test_cases)
    own = {c.name: atlas_probability(_others(train_cases, c), c) for c in train_cases}
    return own | {c.name: atlas_probability(train_cases, c) for c in test_cases}


def level_atlas(
    train_cases: Sequence[Any],
    test_cases: Sequence[Any],
    *,
    atlases: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Predict discs from the training masks alone, without any image.

    Parameters
    ----------
    train_cases : sequence of case
        Cases with masks.
    test_cases : sequence of case
        Cases of other patients.
    atlases : mapping of str to ndarray, optional
        Atlas of each case where it is known already.

    Returns
    -------
    dict of str to ndarray of bool
        Mask by the name of the test case.

    Raises
    ------
    DataError
        If there is no training case, or one has no masks.
    LeakageError
        If a subject is on both sides.
    """
    atlases = _atlases(train_cases, test_cases) if atlases is None else atlases
    threshold = best_threshold((atlases[case.name], case.discs) for case in train_cases)
    return {case.name: atlases[case.name] >= threshold for case in test_cases}


def _features(
    case: Any,
    names: Sequence[str],
    images: Images,
    atlas: np.ndarray,
) -> list[np.ndarray]:
    """Return the flat features of all voxels: log-odds of the atlas, images, smoothed images."""
    chance = np.clip(atlas, _CLIP, 1 - _CLIP)
    features = [np.log(chance / (1 - chance)).ravel()]
    for name in names:
        if name not in images.get(case.name, {}):
            raise DataError(f"image {name} of case {case.name} was not supplied to the baseline.")
        image = images[case.name][name]
        if image.shape != atlas.shape:
            raise DataError(
                f"image {name} of case {case.name} has shape {image.shape}, the case {atlas.shape}."
            )
        smooth = [_smooth(image, sigma, case.spacing) for sigma in IMAGE_SIGMAS_MM]
        features += [volume.ravel() for volume in (image, *smooth)]
    return features


def logistic(
    train_cases: Sequence[Any],
    test_cases: Sequence[Any],
    names: Sequence[str],
    images: Images,
    seed: int = 0,
    *,
    atlases: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Predict discs voxel by voxel from the atlas and the intensities (logistic regression).

    The features of a voxel are the log-odds of the atlas, its intensity in each image, and that of
    the image after smoothing by `IMAGE_SIGMAS_MM`. The fit and the threshold use the same
    `VOXELS_PER_CASE` voxels of each training case.

    Parameters
    ----------
    train_cases : sequence of case
        Cases with masks.
    test_cases : sequence of case
        Cases of other patients.
    names : sequence of str
        The images to use together: one contrast, one fused contrast, or several.
    images : mapping
        `images[case][name]`, float32 volumes from 0 to 1.
    seed : int
        Seed of the choice of voxels.
    atlases : mapping of str to ndarray, optional
        Atlas of each case where it is known already.

    Returns
    -------
    dict of str to ndarray of bool
        Mask by the name of the test case.

    Raises
    ------
    DataError
        If an image is missing or has another shape, a mask is missing, or the voxels drawn hold no
        disc or nothing else.
    LeakageError
        If a subject is on both sides.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    atlases = _atlases(train_cases, test_cases) if atlases is None else atlases
    rng = np.random.default_rng(seed)
    drawn, truths = [], []
    for case in train_cases:
        size = case.discs.size
        pick = rng.choice(size, min(size, VOXELS_PER_CASE), replace=False)
        features = _features(case, names, images, atlases[case.name])
        drawn.append(np.stack([f[pick] for f in features], axis=1))
        truths.append(case.discs.ravel()[pick])
    truth = np.concatenate(truths)
    if truth.all() or not truth.any():
        raise DataError("the voxels drawn from the training masks are all alike; check the labels.")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    model.fit(np.concatenate(drawn), truth)
    threshold = best_threshold(
        (model.predict_proba(x)[:, 1], y) for x, y in zip(drawn, truths, strict=True)
    )
    masks = {}
    for case in test_cases:
        features = np.stack(_features(case, names, images, atlases[case.name]), axis=1)
        chance = model.predict_proba(features)[:, 1]
        masks[case.name] = (chance >= threshold).reshape(atlases[case.name].shape)
    return masks


def reference_predictions(
    train_cases: Sequence[Any],
    test_cases: Sequence[Any],
    images: Images,
    seed: int = 0,
) -> Iterator[tuple[str, str, str, np.ndarray]]:
    """Make the predictions of every row that needs no network, to be scored like a network's.

    Every row names an image, so that it fills the columns of a table as a network's row does: the
    atlas, which sees no image, gives the same mask for each of them, and the regression on all
    contrasts the same mask for each contrast.

    Parameters
    ----------
    train_cases, test_cases : sequence of case
        Cases of different patients; the training cases have masks.
    images : mapping
        `images[case][name]`, float32 volumes from 0 to 1, for all these cases.
    seed : int
        Seed of the choice of voxels.

    Yields
    ------
    row : str
        `ATLAS`, `LOGISTIC` (a fit for each image), or `LOGISTIC_ALL` (one fit on all images that
        are not fused, where there are several).
    case : str
        Name of the test case.
    image : str
        Name of the image.
    mask : ndarray of bool
        Prediction of the shape of the case.

    Raises
    ------
    DataError
        If an image is missing or has another shape, or a training mask is missing.
    LeakageError
        If a subject is on both sides.
    """
    atlases = _atlases(train_cases, test_cases)
    names = list(images.get(train_cases[0].name, {}))
    if not names:
        raise DataError(f"no image of case {train_cases[0].name} was supplied to the baseline.")
    single = [name for name in names if "+" not in name]
    for case, mask in level_atlas(train_cases, test_cases, atlases=atlases).items():
        for name in names:
            yield ATLAS, case, name, mask
    for name in names:
        masks = logistic(train_cases, test_cases, [name], images, seed, atlases=atlases)
        for case, mask in masks.items():
            yield LOGISTIC, case, name, mask
    if len(single) > 1:
        masks = logistic(train_cases, test_cases, single, images, seed, atlases=atlases)
        for case, mask in masks.items():
            for name in single:
                yield LOGISTIC_ALL, case, name, mask
