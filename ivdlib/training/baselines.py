"""Rows that need no network: level atlas, threshold, voxel-wise logistic regression.

A network that does no better than these has learnt where discs lie, not what they look like.
Nothing here is chosen on test patients: see `atlas`; thresholds are those with the best mean Dice
over the training cases.

A case is anything with `name`, `subject`, `contrasts`, `discs`, `columns` and `spacing`, such as
`cases.Case`; of a test case, `discs` is never looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ivdlib.errors import DataError
from ivdlib.evaluation import metrics
from ivdlib.training.atlas import atlases_of, best_threshold, level_atlas, smooth

Images = Mapping[str, Mapping[str, np.ndarray]]
"""Volumes by case and image name: `images[case][name]`, float32 from 0 to 1."""

ATLAS = "level atlas"
THRESHOLD_ROW = "threshold"
LOGISTIC = "logistic regression"
LOGISTIC_ALL = "logistic regression, all contrasts"
ROWS = (ATLAS, THRESHOLD_ROW, LOGISTIC, LOGISTIC_ALL)

IMAGE_SIGMAS_MM = (1.5, 3.0)
"""Standard deviations of the smoothed copies of an image that the regression sees."""

VOXELS_PER_CASE = 20_000
"""Voxels drawn from each training case for the fit and its threshold."""

_CLIP = 0.01


def _image(case: Any, name: str, images: Images) -> np.ndarray:
    if name not in images.get(case.name, {}):
        raise DataError(f"image {name} of case {case.name} was not supplied to the baseline.")
    image, shape = images[case.name][name], next(iter(case.contrasts.values())).shape
    if image.shape != shape:
        raise DataError(
            f"image {name} of case {case.name} has shape {image.shape}, the case {shape}."
        )
    return image


def threshold(
    train_cases: Sequence[Any], test_cases: Sequence[Any], name: str, images: Images
) -> dict[str, np.ndarray]:
    """Predict discs by the brightness of a voxel alone: those above one value, or below it.

    Value and side are those with the best mean Dice on the training cases. Arguments and errors
    as of `reference_predictions`; masks by the name of the test case.
    """
    ways = []
    for turned in (np.asarray, lambda image: 1 - image):
        pairs = [(turned(_image(c, name, images)), c.discs) for c in train_cases]
        value = best_threshold(pairs)
        score = float(np.mean([metrics.dice(image >= value, truth) for image, truth in pairs]))
        ways.append((score, value, turned))
    _, value, turned = max(ways, key=lambda way: way[0])
    return {c.name: turned(_image(c, name, images)) >= value for c in test_cases}


def _features(
    case: Any, names: Sequence[str], images: Images, atlas: np.ndarray
) -> list[np.ndarray]:
    """Return the flat features of all voxels: log-odds of the atlas, images, smoothed images."""
    chance = np.clip(atlas, _CLIP, 1 - _CLIP)
    features = [np.log(chance / (1 - chance)).ravel()]
    for name in names:
        image = _image(case, name, images)
        smoothed = [smooth(image, sigma, case.spacing) for sigma in IMAGE_SIGMAS_MM]
        features += [volume.ravel() for volume in (image, *smoothed)]
    return features


def _classifier() -> Any:
    """What learns from scaled features; in lesson 01b, a student's step stands here."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=300)


def logistic(
    train_cases: Sequence[Any],
    test_cases: Sequence[Any],
    names: Sequence[str],
    images: Images,
    seed: int,
    atlases: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Predict discs voxel by voxel from the atlas and the intensities (logistic regression).

    The features of a voxel are the log-odds of the atlas, its intensity in each image, and that of
    the image after smoothing by `IMAGE_SIGMAS_MM`. The fit and the threshold use the same
    `VOXELS_PER_CASE` voxels of each training case.

    Parameters
    ----------
    train_cases, test_cases, images, seed
        As of `reference_predictions`.
    names : sequence of str
        The images to use together: one contrast, one fused contrast, or several.
    atlases : mapping of str to ndarray
        From `atlases_of`.

    Returns
    -------
    dict of str to ndarray of bool
        Mask by the name of the test case.

    Raises
    ------
    DataError
        If an image is missing or has another shape, or the voxels drawn hold no disc or nothing
        else.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

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
    model = make_pipeline(StandardScaler(), _classifier())
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
        One of `ROWS`; `LOGISTIC` is a fit for each image, `LOGISTIC_ALL` one fit on all images
        that are not fused, where there are several.
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
    atlases = atlases_of(train_cases, test_cases)
    names = list(images.get(train_cases[0].name, {}))
    if not names:
        raise DataError(f"no image of case {train_cases[0].name} was supplied to the baseline.")
    single = [name for name in names if "+" not in name]
    for case, mask in level_atlas(train_cases, test_cases, atlases).items():
        for name in names:
            yield ATLAS, case, name, mask
    for name in names:
        for case, mask in threshold(train_cases, test_cases, name, images).items():
            yield THRESHOLD_ROW, case, name, mask
        masks = logistic(train_cases, test_cases, [name], images, seed, atlases)
        for case, mask in masks.items():
            yield LOGISTIC, case, name, mask
    if len(single) > 1:
        masks = logistic(train_cases, test_cases, single, images, seed, atlases)
        for case, mask in masks.items():
            for name in single:
                yield LOGISTIC_ALL, case, name, mask
