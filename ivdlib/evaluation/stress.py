"""Worse images for tests: whether training with random pixels helps on them (paper, Sect. 3.1).

The paper adds random pixels in training to do better on "blurred imaging samples", and tests no
such images. These do, on scans that the network has not seen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

BLUR_PIXELS = 1.5
"""Standard deviation of the blur within a slice: near 2 mm in a challenge scan."""

NOISE = 0.1
"""Standard deviation of the noise in each channel of the receiver; the image's maximum is 1."""

PIXELS = 0.15
"""Share of pixels with random values: the most that the paper trains with."""


def blurred(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur each slice, as movement or a coarse matrix does."""
    return ndimage.gaussian_filter(image, BLUR_PIXELS, axes=(1, 2))


def noisy(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add the noise of a magnitude image (Rician), cut at 1."""
    real, imaginary = rng.normal(0, NOISE, (2, *image.shape))
    return np.minimum(np.hypot(image + real, imaginary), 1)


def pixels(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Replace random pixels by random values, as the training does."""
    chosen, values = rng.random((2, *image.shape))
    return np.where(chosen < PIXELS, values, image)


KINDS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "blurred": blurred,
    "noisy": noisy,
    "pixels": pixels,
}


def worsen(image: np.ndarray, kind: str, seed: int = 0) -> np.ndarray:
    """Make one image of a scan worse.

    Parameters
    ----------
    image : ndarray, float32 in [0, 1], (slices, AP, SI) or (slices, AP, SI, channels)
        After min–max.
    kind : {"blurred", "noisy", "pixels"}
        A key of `KINDS`.
    seed : int, default 0
        Same seed, same noise.

    Returns
    -------
    ndarray, float32 in [0, 1], same shape
    """
    return np.float32(KINDS[kind](image, np.random.default_rng(seed)))
