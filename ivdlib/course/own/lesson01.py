"""Lesson 01: `fuse`, which makes a fused contrast of two pictures of a scan.

`right` is written in another way than the solution in the lesson.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ivdlib.course.own.task import Arguments, Task


def _stretched(image: np.ndarray) -> np.ndarray:
    """Min–max over all of an image; NaN where it is the same everywhere."""
    return (image - image.min()) / (image.max() - image.min())


def fuse(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The sum of two images, its smallest value brought to 0 and its largest to 1."""
    total = np.float64(first) + second
    ends = total.min(), total.max()
    return np.interp(total, ends, (0.0, 1.0)) if ends[0] < ends[1] else 0.0 * total


def _small_spine(rng: np.random.Generator) -> Arguments:
    """Fat and opposed phase of three slices of a column: the discs are dark in one of them."""
    _, ap, si = np.indices((3, 24, 40))
    column, is_disc = (ap > 7) & (ap < 18), si % 13 < 4
    water = np.where(column, np.where(is_disc, 0.9, 0.45), 0.12)
    fat = np.where(column, np.where(is_disc, 0.05, 0.4), 0.08)
    gain = 300 * np.array([0.6, 1.0, 0.8])[:, np.newaxis, np.newaxis]  # slices differ in brightness
    water, fat = (gain * (image + rng.uniform(0, 0.04, image.shape)) for image in (water, fat))
    return fat, np.abs(water - fat)


def _fuse_inputs(rng: np.random.Generator) -> list[Arguments]:
    """The smallest first; in the second one the sum is the same everywhere."""
    few = rng.integers(0, 9, (2, 1, 3)).astype(float)
    few[0, 0, :2] = 1.0, 9.0
    dim, bright = rng.uniform(2, 3, (3, 4, 5)), rng.uniform(0, 500, (3, 4, 5))
    return [
        (np.array([[[2.0, 4, 6]], [[3, 1, 8]]]) + few[:, :, ::-1], few),
        (few, 12.0 - few),
        (dim, bright),
        (rng.integers(40, 90, (4, 3, 2)) + 0.5, rng.integers(0, 60, (4, 3, 2)) + 0.25),
        _small_spine(rng),
    ]


_FORMULAS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "you stretched each slice on its own: take the smallest and the largest value "
    "of all slices together; otherwise a slice of noise becomes as bright as one with discs": (
        lambda a, b: np.stack([_stretched(plane) for plane in a + b])
    ),
    "with axis=0 you compare a voxel only with those at the same place in the other slices; take "
    "the smallest and the largest value of the whole scan": lambda a, b: (
        (a + b - (a + b).min(axis=0)) / np.ptp(a + b, axis=0)
    ),
    "you brought each image to 0 to 1 before adding, so the result goes beyond 1; add first, then "
    "bring the sum to 0 to 1": lambda a, b: _stretched(a) + _stretched(b),
    "you brought each image to 0 to 1 before adding, and the sum again afterwards, so a dim image "
    "counts as much as a bright one; add the values as they are, then bring the sum to 0 to 1": (
        lambda a, b: _stretched(_stretched(a) + _stretched(b))
    ),
    "you brought each image to 0 to 1 and took the mean, so a dim image counts as much as a bright "
    "one; add the values as they are, then bring the sum to 0 to 1": lambda a, b: (
        (_stretched(a) + _stretched(b)) / 2
    ),
    "the sum is right, but min–max is missing: bring it to the range from 0 to 1": (
        lambda a, b: a + b
    ),
    "that is the mean of the two; take the sum, and bring it to the range from 0 to 1": (
        lambda a, b: (a + b) / 2
    ),
    "you subtracted the second image; add the two": lambda a, b: _stretched(a - b),
    "you took the difference of the two images; add them": lambda a, b: _stretched(np.abs(a - b)),
    "you multiplied the two images; add them": lambda a, b: _stretched(a * b),
    "you took the brighter of the two values in each voxel; add them": (
        lambda a, b: _stretched(np.maximum(a, b))
    ),
    "your result does not depend on the second image": lambda a, b: _stretched(a),
    "your result does not depend on the first image": lambda a, b: _stretched(b),
    "you divided by the largest value alone, so the smallest does not become 0: subtract the "
    "smallest first": lambda a, b: (a + b) / (a + b).max(),
    "brackets are missing: image - min / (max - min) divides before it subtracts": (
        lambda a, b: a + b - (a + b).min() / np.ptp(a + b)
    ),
    "brackets are missing: (image - min) / max - min subtracts the last min after the division": (
        lambda a, b: (a + b - (a + b).min()) / (a + b).max() - (a + b).min()
    ),
    "smallest and largest must be those of the sum; you added up those of the two images": (
        lambda a, b: (a + b - a.min() - b.min()) / (a.max() + b.max() - a.min() - b.min())
    ),
    "your result has mean 0 and standard deviation 1 (a z-score); min–max brings the smallest "
    "value to 0 and the largest to 1": lambda a, b: (a + b - (a + b).mean()) / (a + b).std(),
    "you cut off what lies beyond 0 and 1; min–max moves and stretches all values": (
        lambda a, b: np.clip(a + b, 0, 1)
    ),
    "the largest value should become 1, not 255": lambda a, b: 255 * _stretched(a + b),
    "per cent? The largest value should become 1, not 100": lambda a, b: 100 * _stretched(a + b),
    "black and white are exchanged: the smallest value should become 0": (
        lambda a, b: 1 - _stretched(a + b)
    ),
}

_CONSTANT = "if the sum is the same everywhere, max - min is 0: then return 0 everywhere"


def _constant_is_0(formula: Callable) -> Callable:
    """A wrong formula of somebody who has thought of a sum that is the same everywhere."""
    return lambda a, b: formula(a, b) if np.ptp(a + b) else np.zeros(a.shape)


def _is_monotone(arguments: Arguments, found: np.ndarray) -> bool:
    """Whether no voxel is brighter than another whose sum is larger."""
    order = np.argsort(np.add(*arguments), axis=None)
    return bool((np.diff(np.ravel(found)[order]) >= -1e-6).all())


FUSE = Task(
    name="fuse",
    right=fuse,
    inputs=_fuse_inputs,
    mistakes={
        _CONSTANT: lambda a, b: _stretched(a + b),
        **{sentence: _constant_is_0(formula) for sentence, formula in _FORMULAS.items()},
        **{f"{sentence}. And {_CONSTANT}": formula for sentence, formula in _FORMULAS.items()},
        "you subtracted the smallest value before dividing, but not in max - min, so the largest "
        "does not become 1": lambda a, b: (a + b - (a + b).min()) / (a + b).max(),
    },
    rules={
        "no voxel should be below 0": lambda arguments, found: np.min(found) > -1e-6,
        "no voxel should be above 1": lambda arguments, found: np.max(found) < 1 + 1e-6,
        "a voxel whose sum is larger should be brighter in the result": _is_monotone,
        "the darkest voxel of the scan should become "
        "0": lambda arguments, found: np.min(found) < 1e-6,
        "the brightest voxel of the scan should become 1": lambda arguments, found: (
            np.max(found) > 1 - 1e-6 or not np.ptp(np.add(*arguments))
        ),
    },
    hints=(
        "three lines: the sum, its smallest and its largest value (.min(), .max()), and "
        "(image - min) / (max - min).",
        "leave out axis: .min() without it looks at the whole scan. If min and max are the same, "
        "return np.zeros(first.shape).",
    ),
    picture=lambda arguments, found: {
        "fat": arguments[0][1], "opposed phase": arguments[1][1], "result": found[1],
    },
    seams=("ivdlib.preprocessing.fusion:_fuse_two",),
    adapt=lambda function: lambda first, second: np.asarray(function(first, second), np.float32),
)  # fmt: skip

TASKS = {FUSE.name: FUSE}
