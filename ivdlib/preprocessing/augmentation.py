"""Augmentation (paper, Sect. 3.1): rotation, and random values in 0–15 % of the pixels.

Both are part of the compiled training step: the sampler cuts a window around each tile and says by
how much it turns and how much noise it gets; the rest happens where the network runs.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops


def margin(tile: tuple[int, int], degrees: float, scale: float = 0.0) -> tuple[int, int]:
    """Pixels that a window needs on each side of a tile that turns by up to `degrees`.

    So the corners of a turned tile show what lies there in the slice, and not emptiness.

    Parameters
    ----------
    tile : tuple of int
        Pixels (AP, SI).
    degrees : float
    scale : float, default 0
        The tile may show up to 1 + this times as much along each side.

    Returns
    -------
    tuple of int
        Pixels (AP, SI).
    """
    most = np.deg2rad(np.linspace(0.0, min(degrees, 90.0), 91))
    cos, sin = np.cos(most), np.sin(most)
    height, width = ((side - 1) / 2 for side in tile)
    reach = (cos * height + sin * width).max(), (sin * height + cos * width).max()
    return tuple(
        math.ceil((1 + scale) * r - half) for r, half in zip(reach, (height, width), strict=True)
    )


def cut(
    plane: np.ndarray, start: tuple[int, int], tile: tuple[int, int], around: tuple[int, int]
) -> np.ndarray:
    """Cut a tile with `around` pixels on each side out of a slice; beyond the slice stand zeros.

    Parameters
    ----------
    plane : ndarray, (AP, SI) or (AP, SI, channels)
    start, tile, around : tuple of int
        First pixel, shape and `margin` of the tile (AP, SI); `start` may lie outside.

    Returns
    -------
    ndarray, dtype of `plane`, (AP + 2 around, SI + 2 around), and channels where `plane` has them
    """
    sides = [t + 2 * m for t, m in zip(tile, around, strict=True)]
    window = np.zeros([*sides, *plane.shape[2:]], plane.dtype)
    first = np.subtract(start, around)
    ends = np.maximum(first + sides, 0)
    part = plane[tuple(map(slice, np.maximum(first, 0), ends))]
    before = np.maximum(-first, 0)
    window[tuple(map(slice, before, before + part.shape[:2]))] = part
    return window


def rotate(windows: Any, degrees: Any, tile: tuple[int, int], order: int, zooms: Any = None) -> Any:
    """Turn windows about their centres, enlarge them, and cut the tiles in the middle.

    Parameters
    ----------
    windows : tensor, float32, (b, H, W)
        See `cut`. Beyond them stand zeros.
    degrees : tensor, float32, (b,)
        Angle of each; 0 only cuts.
    tile : tuple of int
        Shape of the result in pixels.
    order : int
        1 interpolates linearly (images), 0 takes the nearest pixel (masks are never interpolated).
    zooms : tensor, float32, (b,), optional
        How much larger the tile shows what is in the window; default 1.

    Returns
    -------
    tensor, float32, (b, *tile)
    """
    height, width = windows.shape[1:]
    angle = ops.cast(degrees, "float32")[:, None, None] * (np.pi / 180)
    cos, sin = ops.cos(angle), ops.sin(angle)
    if zooms is not None:
        cos, sin = (part / zooms[:, None, None] for part in (cos, sin))
    y = np.arange(tile[0], dtype=np.float32)[:, None] - (tile[0] - 1) / 2
    x = np.arange(tile[1], dtype=np.float32)[None, :] - (tile[1] - 1) / 2
    rows = cos * y - sin * x + (height - 1) / 2
    columns = sin * y + cos * x + (width - 1) / 2
    flat = ops.reshape(windows, (-1, height * width))

    def pixel(row: Any, column: Any) -> Any:
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        row, column = ops.clip(row, 0, height - 1), ops.clip(column, 0, width - 1)
        at = ops.cast(row * width + column, "int32")
        values = ops.take_along_axis(flat, ops.reshape(at, (-1, tile[0] * tile[1])), axis=1)
        return ops.where(inside, ops.reshape(values, (-1, *tile)), 0.0)

    if order == 0:
        return pixel(ops.floor(rows + 0.5), ops.floor(columns + 0.5))
    top, left = ops.floor(rows), ops.floor(columns)
    down, right = rows - top, columns - left
    upper = (1 - right) * pixel(top, left) + right * pixel(top, left + 1)
    lower = (1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1)
    return (1 - down) * upper + down * lower


def random_pixels(tiles: Any, shares: Any, seed: Any) -> Any:
    """Give uniform random values in [0, 1] to a share of the pixels of each tile.

    The paper "randomly select[s] images" and assigns "random-sized values" to "0%–15% of pixels".

    Parameters
    ----------
    tiles : tensor, float32 in [0, 1], (b, h, w) or (b, h, w, channels)
        After min–max.
    shares : tensor, float32, (b,)
        Chance of each pixel to get another value, in each channel on its own; 0 leaves a tile as
        it is.
    seed : keras.random.SeedGenerator or int

    Returns
    -------
    tensor, float32, shape of `tiles`
    """
    drawn = keras.random.uniform((2, *ops.shape(tiles)), seed=seed)
    chance = ops.reshape(shares, (-1,) + (1,) * (len(tiles.shape) - 1))
    return ops.where(drawn[0] < chance, drawn[1], tiles)


@keras.saving.register_keras_serializable("ivdlib")
class Augmentation(keras.layers.Layer):
    """First layer of a training: windows to augmented tiles and their truth.

    Parameters
    ----------
    tile : tuple of int
        Shape of a tile in pixels.
    seed : int
        Of the random pixels.
    """

    def __init__(self, tile: tuple[int, int], seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.tile = tuple(tile)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(
        self, windows: Any, truth: Any, degrees: Any, shares: Any, powers: Any, zooms: Any
    ) -> tuple[Any, Any]:
        """Turn and enlarge both, then change the image's grey values and add noise.

        Gives (b, h, w, channels) and (b, h, w, 1), float32; see `sampler.Draw`.
        """
        channels = [
            rotate(windows[..., c], degrees, self.tile, 1, zooms) for c in range(windows.shape[-1])
        ]
        image = ops.stack(channels, axis=-1) ** powers[:, None, None, :]
        mask = rotate(ops.cast(truth, "float32"), degrees, self.tile, 0, zooms)
        return random_pixels(image, shares, self.generator), mask[..., None]

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same layer again."""
        return super().get_config() | {"tile": self.tile, "seed": self.seed}
