"""Smooth random fields and the coverage of a voxel by a solid."""

from __future__ import annotations

import numpy as np

_NODES = 40


class Field:
    """A smooth random field of zero mean and unit variance over the whole space.

    White noise on a periodic lattice, made smooth by cubic B-splines; `spacing_mm` is the lattice
    spacing along x, y, z. It is a function of the position alone, so any part of a volume can be
    evaluated alone and gives the same values. A `fine` field, whose lattice is about as fine as the
    voxels, is interpolated linearly: its creases cannot be seen and it takes a tenth of the time.
    """

    def __init__(
        self, rng: np.random.Generator, spacing_mm: tuple[float, float, float], fine: bool = False
    ) -> None:
        self.nodes = rng.standard_normal((_NODES,) * 3).astype(np.float32)
        self.spacing = np.float32(spacing_mm)
        self.order, share = (1, 2 / 3) if fine else (3, 151 / 315)
        # Interpolation averages white noise; per axis this share of its variance is left.
        self.nodes /= np.float32(share**1.5)

    def __call__(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Evaluate at points (mm, arrays of one shape); float32."""
        from scipy import ndimage

        at = np.stack([x / self.spacing[0], y / self.spacing[1], z / self.spacing[2]])
        return ndimage.map_coordinates(
            self.nodes, at, order=self.order, mode="grid-wrap", prefilter=False
        )


class Warp:
    """A gentle displacement of space, so that no surface is a perfect formula."""

    def __init__(self, rng: np.random.Generator, size_mm: float, spacing_mm: float) -> None:
        self.size = np.float32(size_mm)
        self.parts = [Field(rng, (spacing_mm,) * 3, fine=True) for _ in range(3)]

    def __call__(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Displacement in mm, shape (3, ...)."""
        return np.stack([self.size * part(x, y, z) for part in self.parts])


def cover(distance: np.ndarray, width: float) -> np.ndarray:
    """Share of a small cell that lies inside a solid, from the signed distance of its centre.

    Linear from 1 to 0 over the `width` (mm) of the cell, exact for a plane: thin layers such as
    endplates keep their true thickness on a grid coarser than they are.
    """
    return np.clip(0.5 - distance / np.float32(width), 0, 1)


def smooth_max(a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """Larger of two distances with the edge rounded off by about `radius` mm."""
    overlap = np.maximum(radius - np.abs(a - b), 0)
    return np.maximum(a, b) + overlap * overlap / np.float32(4 * radius)


def length(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Root of the sum of two squares; for lengths of a body much quicker than `numpy.hypot`."""
    return np.sqrt(a * a + b * b)


def ellipsoid(u: np.ndarray, v: np.ndarray, w: np.ndarray, axes: tuple) -> np.ndarray:
    """Approximate signed distance (mm) to an ellipsoid with the half `axes`, centred at zero."""
    a, b, c = (np.float32(axis) for axis in axes)
    near = np.sqrt((u / a) ** 2 + (v / b) ** 2 + (w / c) ** 2)
    slope = np.sqrt((u / a**2) ** 2 + (v / b**2) ** 2 + (w / c**2) ** 2)
    return near * (near - 1) / np.maximum(slope, np.float32(1e-6))
