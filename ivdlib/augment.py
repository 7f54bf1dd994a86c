"""Augmentation (paper, Sect. 3.1): rotation, and random values in 0–15 % of the pixels.

Everything here is a pure function of a random generator, so that the batch of a given step is the
same whether a training ran through or was resumed, and on every backend.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def rotated_tile(
    plane: np.ndarray, start: tuple[int, int], tile: tuple[int, int], degrees: float, order: int
) -> np.ndarray:
    """Cut a tile whose content is turned about its centre.

    The tile is taken out of the whole slice, so that its corners show what lies there and not the
    empty corners of a turned tile. Beyond the slice stand zeros.

    Parameters
    ----------
    plane : ndarray, (AP, SI)
        A slice.
    start : tuple of int
        First pixel of the tile that is not turned.
    tile : tuple of int
        Shape of the tile in pixels.
    degrees : float
        Angle; 0 only cuts.
    order : int
        1 interpolates linearly (images), 0 takes the nearest pixel (masks are never interpolated).

    Returns
    -------
    ndarray of shape `tile`, dtype of `plane`
    """
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = (np.array(tile) - 1) / 2
    offset = np.array(start) + centre - matrix @ centre
    return ndimage.affine_transform(
        plane, matrix, offset, output_shape=tile, order=order, mode="constant", prefilter=False
    )


def random_pixels(
    tile: np.ndarray, rng: np.random.Generator, *, probability: float, max_share: float
) -> np.ndarray:
    """Give random values to a random share of the pixels of some images.

    The paper "randomly select[s] images" and assigns "random-sized values" to "0%–15% of pixels".
    Here an image is chosen with `probability`, the share is uniform in [0, `max_share`], and the
    values are uniform in [0, 1], the range after min–max.

    Parameters
    ----------
    tile : ndarray, float32 in [0, 1]
        Not changed.
    rng : numpy.random.Generator
        Source of chance.
    probability : float
        Share of the images that get noise.
    max_share : float
        Largest share of pixels, 0.15 in the paper.
    """
    if rng.random() >= probability:
        return tile
    chosen = rng.random(tile.shape) < rng.uniform(0.0, max_share)
    return np.where(chosen, rng.random(tile.shape, dtype=np.float32), tile)
