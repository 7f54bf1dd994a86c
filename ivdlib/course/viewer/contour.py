"""Contours of a drawing: closed lines in a picture, and the masks that they stand for.

A contour is an array of n points (x to the right, y down) in mm from the upper left corner of a
slice as it is shown, upright; its last point is joined to the first. A mask is (rows, columns) of
the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ivdlib.phantom.anatomy import RATER_MM
from ivdlib.phantom.fields import Field


def inside(contour: np.ndarray, shape: Sequence[int], edges: Sequence[float]) -> np.ndarray:
    """Voxels whose centre lies within a contour.

    Parameters
    ----------
    contour : ndarray of float, (n, 2)
        Where it crosses itself, what is enclosed twice is outside (even–odd rule).
    shape : sequence of 2 ints
        Rows and columns of the mask.
    edges : sequence of 2 floats
        Height and width of a voxel, mm.

    Returns
    -------
    ndarray of bool, (rows, columns)
    """
    y, x = ((np.arange(n) + 0.5) * edge for n, edge in zip(shape, edges, strict=True))
    (x0, y0), (x1, y1) = contour.T, np.roll(contour, -1, axis=0).T
    # each side of the polygon that a row crosses, and where; a corner counts for one of its sides
    crossed = (y0 > y[:, None]) != (y1 > y[:, None])
    slope = (x1 - x0) / np.where(y1 == y0, 1, y1 - y0)
    at = x0 + (y[:, None] - y0) * slope
    right = (at[:, None, :] > x[:, None]) & crossed[:, None, :]
    return np.count_nonzero(right, axis=2) % 2 == 1


def edge_of(mask: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """Contour of a mask, half-way between the voxels inside and those outside.

    Parameters
    ----------
    mask : ndarray of bool, (rows, columns)
        Not empty; of several pieces, the contour is that of the longest edge.
    edges : sequence of 2 floats
        Height and width of a voxel, mm.

    Returns
    -------
    ndarray of float, (n, 2)
        `inside` gives the mask again if it is one piece without holes.
    """
    y, x = ((np.arange(n + 2) - 0.5) * edge for n, edge in zip(mask.shape, edges, strict=True))
    lines = Figure().subplots().contour(x, y, np.pad(mask, 1).astype(float), [0.5]).allsegs[0]
    return max(lines, key=_length)[:-1]


def _length(line: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def evenly_spaced(contour: np.ndarray, count: int) -> np.ndarray:
    """As many points at equal distances along a contour, from its first point on: (count, 2)."""
    closed = np.concatenate([contour, contour[:1]])
    steps = np.linalg.norm(np.diff(closed, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(steps)])
    at = np.linspace(0, along[-1], count, endpoint=False)
    return np.stack([np.interp(at, along, axis) for axis in closed.T], axis=1)


def oval(centre: Sequence[float], half: Sequence[float], count: int) -> np.ndarray:
    """Ellipse of `count` points; centre and half axes (x, y) in mm."""
    angle = 2 * np.pi * np.arange(count) / count
    return np.asarray(centre) + np.asarray(half) * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def redrawn(contour: np.ndarray, jitter_mm: float, rng: np.random.Generator) -> np.ndarray:
    """A contour as the phantom's rater would draw it: moved out and in, smoothly and at random.

    Parameters
    ----------
    contour : ndarray of float, (n, 2)
        Without two equal points in a row.
    jitter_mm : float
        Standard deviation of the rater's error, see `phantom.conditions.Conditions`.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float, (n, 2)
    """
    ahead = np.roll(contour, -1, axis=0) - np.roll(contour, 1, axis=0)
    outward = ahead[:, ::-1] * (1, -1) / np.linalg.norm(ahead, axis=1, keepdims=True)
    field = Field(rng, RATER_MM, fine=True)
    across = np.full(len(contour), rng.uniform(0, RATER_MM[0]))  # between nodes it varies less
    error = field(across, *contour.T)
    return contour + jitter_mm * error[:, None] * outward
