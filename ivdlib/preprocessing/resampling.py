"""Bring the slices of a scan to the pixels that a network knows, and its answer back.

Only within slices: between them lie gaps, and the networks see one slice at a time. The field of
view stays; so the pixels come as near to the wanted size as a whole number of them does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ivdlib.data.case import Case
from ivdlib.data.geometry import LIMIT_STRETCH


def interpolation(size: int, wanted: int) -> np.ndarray:
    """Linear interpolation of `size` pixels to `wanted` over the same length, as a matrix.

    Where pixels grow, each is a mean of those that it covers, with weights that fall off linearly
    (a triangle): nothing finer than the new pixels is left to fold back. Outside the outermost
    centres the edge is repeated.

    Parameters
    ----------
    size, wanted : int
        Numbers of pixels.

    Returns
    -------
    ndarray, float32, (wanted, size)
        Rows sum to one.
    """
    step = size / wanted
    centres = (np.arange(wanted) + 0.5) * step - 0.5
    reach = max(step, 1.0)
    far = np.abs(np.arange(size) - np.clip(centres, 0, size - 1)[:, None])
    weights = np.maximum(1 - far / reach, 0)
    return np.float32(weights / weights.sum(axis=1, keepdims=True))


def resample(volume: np.ndarray, plane: Sequence[int]) -> np.ndarray:
    """Bring slices to `plane` pixels over the same field of view.

    Parameters
    ----------
    volume : ndarray, (slices, AP, SI)
        Images or probabilities; never masks or labels.
    plane : (AP, SI)
        Pixels.

    Returns
    -------
    ndarray, float32, (slices, *plane)
    """
    rows, columns = map(interpolation, volume.shape[1:], plane)
    return np.matmul(np.matmul(rows, np.float32(volume)), columns.T)


def plane_for(
    shape: Sequence[int], spacing: Sequence[float], known: Sequence[Sequence[float]]
) -> tuple[int, int]:
    """Pixels (AP, SI) of slices whose pixels are of a size that a network knows.

    Parameters
    ----------
    shape : (slices, AP, SI)
    spacing : (LR, AP, SI)
        Voxel edges in mm.
    known : sequence of [least, most]
        Voxel edges that the network was trained on, in mm, along the same axes.

    Returns
    -------
    tuple of int
        Those of `shape` along an axis whose pixels are within `LIMIT_STRETCH` of what is known.
    """
    plane = []
    for pixels, edge, (least, most) in zip(shape[1:], spacing[1:], known[1:], strict=True):
        near = min(max(edge, least), most)
        alike = abs(edge / near - 1) <= LIMIT_STRETCH
        plane.append(pixels if alike else max(1, round(pixels * edge / near)))
    return plane[0], plane[1]


def on_plane(case: Case, plane: Sequence[int]) -> Case:
    """Give a case whose contrasts have `plane` pixels in a slice; labels and files are left out."""
    stretch = np.divide(case.shape[1:], plane)
    affine = np.array(case.affine, float)
    # The first pixel's centre moves, for the edge of the field stays.
    affine[:3, 3] += affine[:3, 1:3] @ ((stretch - 1) / 2)
    affine[:3, 1:3] *= stretch
    contrasts = {name: resample(image, plane) for name, image in case.contrasts.items()}
    return replace(
        case, contrasts=contrasts, affine=affine, labels=None, spine_mask=None, exact_mask=None,
        sources={}, grid=None,
    )  # fmt: skip
