"""Draw training tiles; what a step gets is a pure function of seed and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ivdlib.errors import ConfigError
from ivdlib.options import TrainingOptions
from ivdlib.preprocessing import augmentation
from ivdlib.preprocessing.tiles import TileGrid, tile_starts

REDRAWS = 100
"""Tries for a tile before an unwanted one is taken: the scans may hold hardly any disc."""


@dataclass(frozen=True)
class TrainingImage:
    """One image of one scan with its truth.

    Attributes
    ----------
    image : ndarray, float32 in [0, 1], (slices, AP, SI) or (slices, AP, SI, channels)
        After min–max; outside the region of interest zero.
    truth : ndarray of bool, (slices, AP, SI)
        What the network shall find.
    window : tuple of int
        AP band to draw tiles from, see `region.Region`.
    """

    image: np.ndarray
    truth: np.ndarray
    window: tuple[int, int]

    @property
    def channels(self) -> int:
        """Length of the last axis of the image, 1 where it has none for channels."""
        return self.image.shape[3] if self.image.ndim == 4 else 1


class Draw(NamedTuple):
    """What `augmentation.Augmentation` makes a batch of tiles from.

    Attributes
    ----------
    windows : ndarray, float32 in [0, 1], (batch, H, W, channels)
        Tiles with what lies around them.
    truth : ndarray, uint8, (batch, H, W)
    degrees : ndarray, float32, (batch,)
        How far each tile turns.
    shares : ndarray, float32, (batch,)
        Share of the pixels of each tile that get random values.
    powers : ndarray, float32, (batch, channels)
        Exponent of the grey values: 1 leaves them, below 1 brightens.
    zooms : ndarray, float32, (batch,)
        How much larger the tile shows what is in the window.
    """

    windows: np.ndarray
    truth: np.ndarray
    degrees: np.ndarray
    shares: np.ndarray
    powers: np.ndarray
    zooms: np.ndarray


class TileSampler:
    """Endless batches of tiles to be augmented.

    Tiles lie side by side with a random offset, and may hang over the window and the slice; beyond
    the slice stand zeros. With ``tiles="thinned"`` those without any truth are thinned to the
    number of those with some: most of a scan holds no disc.

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
        If there is no image, or no truth in any of them.
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
        self._around = augmentation.margin(tile, options.rotation, options.scale)
        self.keep_empty = self._share_of_empty_kept() if options.tiles == "thinned" else 1.0

    def _share_of_empty_kept(self) -> float:
        """Chance with which an empty tile is kept, so that both kinds are equally frequent."""
        filled = empty = 0
        for item in {id(item.truth): item for item in self.images}.values():  # one of each scan
            tiles = TileGrid(item.truth.shape, self.tile, item.window).cut(item.truth)
            with_truth = tiles.any(axis=(1, 2))
            filled += int(with_truth.sum())
            empty += int((~with_truth).sum())
        return min(1.0, filled / empty) if empty else 1.0

    def draw(self, step: int) -> Draw:
        """Draw the batch of a step (counted from 0)."""
        rng = np.random.default_rng([self.seed, step])
        options, around = self.options, self._around
        windows, truth = [], []
        degrees, shares = (np.zeros(options.batch, np.float32) for _ in range(2))
        for k in range(options.batch):
            item, number, start = self._place(rng)
            windows.append(augmentation.cut(item.image[number], start, self.tile, around))
            truth.append(augmentation.cut(item.truth[number], start, self.tile, around))
            degrees[k] = rng.uniform(-options.rotation, options.rotation)
            # Both are always drawn, so that another setting of the noise leaves the tiles alone.
            share, noisy = rng.uniform(0.0, options.noise_max_share), rng.random()
            shares[k] = share if noisy < options.noise_probability else 0.0
        stack = np.float32(windows)
        if stack.ndim == 3:
            stack = stack[..., np.newaxis]
        powers = self._factors(step, 1, options.intensity, stack.shape[-1])
        zooms = self._factors(step, 2, options.scale)
        return Draw(stack, np.uint8(truth), degrees, shares, powers, zooms)

    def _factors(self, step: int, key: int, most: float, *each: int) -> np.ndarray:
        """Draw between 1 / (1 + most) and 1 + most for each tile, in equal parts to both sides."""
        # Numbers of their own, so that this leaves tiles, turns and noise as they are without it.
        rng, most = np.random.default_rng([self.seed, step, key]), np.log1p(most)
        return np.float32(np.exp(rng.uniform(-most, most, (self.options.batch, *each))))

    def _place(self, rng: np.random.Generator) -> tuple[TrainingImage, int, tuple[int, int]]:
        """Choose an image, a slice and the first pixel of a tile."""
        for _ in range(REDRAWS):
            item = self.images[rng.integers(len(self.images))]
            number = int(rng.integers(item.image.shape[0]))
            start = (
                self._start(rng, 0, item.image.shape[1], item.window),
                self._start(rng, 1, item.image.shape[2], (0, item.image.shape[2])),
            )
            tile = tuple(slice(max(a, 0), a + t) for a, t in zip(start, self.tile, strict=True))
            if item.truth[number][tile].any() or rng.random() < self.keep_empty:
                break
        return item, number, start

    def _start(
        self, rng: np.random.Generator, axis: int, length: int, window: tuple[int, int]
    ) -> int:
        """First pixel of a tile along an axis; see `options.TrainingOptions.placement`."""
        tile = self.tile[axis]
        first, last = window
        if length <= tile:
            return tile_starts(length, tile)[0]
        if self.options.placement == "even":
            # As few tiles side by side as cover the window, moved as far as they still do: every
            # pixel of it lies in exactly one. More of them would hang over it for the most part.
            count = -(-(last - first) // tile)
            spare = count * tile - (last - first)
            return int(first - rng.integers(spare + 1) + tile * rng.integers(count))
        if last - first <= tile:  # one tile is the window: shift it a little to both sides
            start = first + rng.integers(-(tile // 8), tile // 8 + 1)
            return int(np.clip(start, 0, length - tile))
        tiles = -(-(last - first) // tile) + 1
        start = first - rng.integers(tile) + tile * rng.integers(tiles)
        return int(np.clip(start, first, last - tile))
