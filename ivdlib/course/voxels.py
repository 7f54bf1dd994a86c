"""Voxels as rows of numbers, one column a feature, as a logistic regression learns from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Volumes = Callable[[Any], Sequence[np.ndarray]]
"""Gives the features of a case, each as a volume (slices, AP, SI)."""


def neighbours(volume: np.ndarray, apart: int = 1) -> list[np.ndarray]:
    """The nine pixels of a 3 × 3 kernel, in its order, each as a volume.

    Parameters
    ----------
    volume : ndarray, (slices, AP, SI)
    apart : int
        Pixels from one place of the kernel to the next; zeros stand around a slice.
    """
    height, width = volume.shape[1:]
    padded = np.pad(volume, ((0, 0), (apart, apart), (apart, apart)))
    return [
        padded[:, row : row + height, column : column + width]
        for row in (0, apart, 2 * apart)
        for column in (0, apart, 2 * apart)
    ]


@dataclass(frozen=True)
class Voxels:
    """Voxels that were drawn from cases, to learn from.

    Attributes
    ----------
    features : ndarray, (voxels, 1 + features)
        A column of ones, then each feature with mean 0 and spread 1.
    truth : ndarray of bool, (voxels,)
        Which of them are disc.
    volumes_of : callable
        What gave the features.
    mean, spread : ndarray
        Of each feature before: other voxels are brought to the same scale by them.
    """

    features: np.ndarray
    truth: np.ndarray
    volumes_of: Volumes
    mean: np.ndarray
    spread: np.ndarray

    def of_case(self, case: Any) -> np.ndarray:
        """Features of all voxels of a case, on the scale of those that were drawn."""
        rows = np.stack([np.ravel(volume) for volume in self.volumes_of(case)], axis=1)
        return _with_ones((rows - self.mean) / self.spread)

    def find(self, chance: Callable[[np.ndarray], np.ndarray], case: Any) -> np.ndarray:
        """Mask of the discs of a case: voxels whose chance reaches a threshold.

        It is the one with the best Dice on the drawn voxels; the case has no say in it.
        """
        threshold = _best_cut(chance(self.features), self.truth)
        return (chance(self.of_case(case)) >= threshold).reshape(case.shape)


def draw(cases: Sequence[Any], volumes_of: Volumes, number: int, seed: int = 0) -> Voxels:
    """Draw voxels from each of several cases, at random.

    Parameters
    ----------
    cases : sequence of case
        With their discs.
    volumes_of : callable
        See `Volumes`.
    number : int
        Voxels of each case; all if it has fewer.
    seed : int
    """
    rng = np.random.default_rng(seed)
    rows, truths = [], []
    for case in cases:
        pick = rng.choice(case.discs.size, min(number, case.discs.size), replace=False)
        rows.append(np.stack([np.ravel(v)[pick] for v in volumes_of(case)], axis=1))
        truths.append(case.discs.ravel()[pick])
    every = np.concatenate(rows).astype(np.float64)
    mean, spread = every.mean(axis=0), np.maximum(every.std(axis=0), 1e-6)
    features = _with_ones((every - mean) / spread)
    return Voxels(features, np.concatenate(truths), volumes_of, mean, spread)


def batches(
    features: np.ndarray, truth: np.ndarray, size: int, epochs: int, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Deal voxels into batches, all of them once in each epoch, in another order each time.

    Parameters
    ----------
    features, truth : ndarray
        One row a voxel.
    size : int
        Voxels of a batch; what is left over at the end of an epoch is not used in it.
    epochs : int
    seed : int

    Yields
    ------
    features, truth : ndarray
        Of one batch.
    """
    rng, size = np.random.default_rng(seed), min(size, len(truth))
    for _ in range(epochs):
        order = rng.permutation(len(truth))
        for start in range(0, len(order) - size + 1, size):
            batch = order[start : start + size]
            yield features[batch], truth[batch]


def _best_cut(chances: np.ndarray, truth: np.ndarray) -> float:
    """The chance at which the Dice of the voxels that reach it is best, of all chances there are.

    A few fixed thresholds would not do: of a weak program, no chance may reach the lowest of them.
    """
    order = np.argsort(-chances, kind="stable")
    sums = 1.0 + np.arange(len(truth)) + np.count_nonzero(truth)
    dice = 2 * np.cumsum(truth[order]) / sums
    last_of_equals = np.append(np.diff(chances[order]) != 0, True)
    return float(chances[order][np.argmax(np.where(last_of_equals, dice, -1.0))])


def _with_ones(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([np.ones((len(rows), 1)), rows], axis=1)
