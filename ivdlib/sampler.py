"""Draw augmented training tiles; the batch of a step is a pure function of seed and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ivdlib.augment import random_pixels, rotated_tile
from ivdlib.errors import ConfigError
from ivdlib.patches import TileGrid
from ivdlib.profiles import TrainingOptions

REDRAWS = 100
"""Tries for a tile before an unwanted one is taken: the scans may hold hardly any disc."""


@dataclass(frozen=True)
class TrainingImage:
    """One image of one scan with its truth.

    Attributes
    ----------
    image : ndarray, float32 in [0, 1], (slices, AP, SI)
        After min–max; outside the region of interest zero.
    truth : ndarray of bool, same shape
        What the network shall find.
    window : tuple of int
        AP band to draw tiles from, see `patches.Region`.
    """

    image: np.ndarray
    truth: np.ndarray
    window: tuple[int, int]


class TileSampler:
    """Endless batches of augmented tiles.

    Tiles lie on a grid with a random offset. With ``tiles="thinned"`` those without any truth are
    thinned to the number of those with some: most of a scan holds no disc.

    Parameters
    ----------
    images : sequence of TrainingImage
        Each is drawn equally often.
    tile : tuple of int
        Shape of a tile (AP, SI).
    options : TrainingOptions
        Batch, rotation, noise, kind of tiles.
    seed : int
        Two samplers with equal seed and images give equal batches.

    Raises
    ------
    ConfigError
        Where there is no image, or no truth in any of them.
    """

    def __init__(
        self,
        images: Sequence[TrainingImage],
        tile: tuple[int, int],
        options: TrainingOptions,
        seed: int,
    ) -> None:
        if not images:
            raise ConfigError("there is no image to train on; check the folds and the labels.")
        if not any(item.truth.any() for item in images):
            raise ConfigError("no label is set in any training image; check the labels.")
        self.images, self.tile, self.options, self.seed = images, tile, options, seed
        self.keep_empty = self._share_of_empty_kept() if options.tiles == "thinned" else 1.0

    def _share_of_empty_kept(self) -> float:
        """Chance with which an empty tile is kept, so that both kinds are equally frequent."""
        filled = empty = 0
        seen: set[int] = set()
        for item in self.images:
            if id(item.truth) in seen:  # the images of one scan share one truth
                continue
            seen.add(id(item.truth))
            tiles = TileGrid(item.truth.shape, self.tile, item.window).cut(item.truth)
            with_truth = tiles.any(axis=(1, 2))
            filled += int(with_truth.sum())
            empty += int((~with_truth).sum())
        return min(1.0, filled / empty) if empty else 1.0

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw the batch of a step (counted from 0).

        Returns
        -------
        tuple of ndarray, float32, (batch, AP, SI, 1)
            Images in [0, 1] and truth in {0, 1}.
        """
        rng = np.random.default_rng([self.seed, step])
        x = np.zeros((self.options.batch, *self.tile, 1), dtype=np.float32)
        y = np.zeros_like(x)
        for k in range(self.options.batch):
            x[k, ..., 0], y[k, ..., 0] = self._tile(rng)
        return x, y

    def _tile(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        options = self.options
        for _ in range(REDRAWS):
            item = self.images[rng.integers(len(self.images))]
            number = rng.integers(item.image.shape[0])
            start = (
                self._start(rng, 0, item.image.shape[1], item.window),
                self._start(rng, 1, item.image.shape[2], (0, item.image.shape[2])),
            )
            angle = rng.uniform(-options.rotation, options.rotation)
            truth = rotated_tile(
                item.truth[number].astype(np.float32), start, self.tile, angle, order=0
            )
            if truth.any() or rng.random() < self.keep_empty:
                break
        image = rotated_tile(item.image[number], start, self.tile, angle, order=1)
        image = random_pixels(
            image, rng, probability=options.noise_probability, max_share=options.noise_max_share
        )
        return image, truth

    def _start(
        self, rng: np.random.Generator, axis: int, length: int, window: tuple[int, int]
    ) -> int:
        """First pixel of a tile on a grid over `window` with a random offset, kept in the image."""
        tile = self.tile[axis]
        first, last = window
        if length <= tile:
            return 0
        if last - first <= tile:  # one tile is the window: shift it a little to both sides
            start = first + rng.integers(-(tile // 8), tile // 8 + 1)
            return int(np.clip(start, 0, length - tile))
        tiles = -(-(last - first) // tile) + 1
        start = first - rng.integers(tile) + tile * rng.integers(tiles)
        return int(np.clip(start, first, last - tile))
