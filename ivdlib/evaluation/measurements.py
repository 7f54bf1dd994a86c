"""Measure the discs of a mask: volume, height, depth, one row a disc."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ivdlib.data.discs import clean_specks, components, disc_levels
from ivdlib.data.masks import as_mask, check_spacing
from ivdlib.errors import DataError
from ivdlib.evaluation.metrics import at_edge


def measure(mask: np.ndarray, spacing: Sequence[float]) -> list[dict[str, Any]]:
    """Measure every disc of a mask, from caudal to cranial.

    Parameters
    ----------
    mask : ndarray, (slices, AP, SI)
        Predicted or labelled discs; canonical axes. Specks are left out (`discs.clean_specks`).
    spacing : sequence of float
        Voxel edges in mm.

    Returns
    -------
    list of dict
        `disc` (1 is the lowest), `level` ("" unless the mask holds seven discs), `volume_ml`,
        `height_mm` (mean over the disc's footprint, along SI: a tilted disc seems taller),
        `depth_mm` (AP) and `width_mm` (left to right) of its box, `touches_border` (part of it may
        lie outside the image). Empty for an empty mask.

    Raises
    ------
    DataError
        If the array is no mask, or the spacing does not fit.
    """
    mask = as_mask(mask)
    if mask.ndim != 3:
        raise DataError(f"a mask of {mask.ndim} axes cannot be measured; give (slices, AP, SI).")
    spacing = check_spacing(spacing, mask.ndim)
    if not mask.any():
        return []
    discs = components(clean_specks(mask))
    boxes = ndimage.find_objects(discs)
    levels = disc_levels(len(boxes))
    voxel, rows = float(np.prod(spacing)), []
    for number, box in enumerate(boxes, start=1):
        inside = discs[box] == number
        columns = inside.sum(axis=2)
        sides = [(s.stop - s.start) * edge for s, edge in zip(box, spacing, strict=True)]
        rows.append({
            "disc": number,
            "level": levels[number - 1],
            "volume_ml": float(inside.sum() * voxel / 1000),
            "height_mm": float(columns[columns > 0].mean() * spacing[2]),
            "depth_mm": float(sides[1]),
            "width_mm": float(sides[0]),
            "touches_border": at_edge(box, mask.shape),
        })  # fmt: skip
    return rows
